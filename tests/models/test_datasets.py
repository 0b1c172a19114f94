from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from models import datasets
from tests.models.bay import BAY, samples

TRAINING, VALIDATION = samples()
COUNT = len(TRAINING.windows)
KNOWN = {TRAINING.batch(np.array([each]))[0].tobytes(): each for each in range(COUNT)}


def drawn(**options):
    """The samples of each batch of an epoch, known by their histories."""
    return [
        [KNOWN[each.numpy().tobytes()] for each in inputs["history"]]
        for inputs, _ in datasets.epoch(TRAINING, **options)
    ]


def test_an_epoch_is_decided_by_seed_and_number_alone():
    first = drawn(batch_size=64, seed=1, number=1)
    assert drawn(batch_size=64, seed=1, number=1) == first
    assert drawn(batch_size=64, seed=1, number=2) != first
    assert drawn(batch_size=64, seed=2, number=1) != first


@pytest.mark.parametrize(
    ("batch_size", "steps", "expected"),
    [(64, None, COUNT // 64), (64, 2, 2), (64, 1000, COUNT // 64), (COUNT, None, 1)],
)
def test_every_batch_is_whole_and_no_sample_comes_twice(batch_size, steps, expected):
    batches = drawn(batch_size=batch_size, seed=0, number=1, steps=steps)
    assert [len(batch) for batch in batches] == [batch_size] * expected
    chosen = list(chain.from_iterable(batches))
    assert len(set(chosen)) == len(chosen)


def test_fewer_samples_than_a_batch_are_one_batch():
    batches = drawn(batch_size=COUNT + 1, seed=0, number=1)
    assert [sorted(batch) for batch in batches] == [list(range(COUNT))]


def test_what_one_epoch_leaves_over_comes_in_another():
    seen = {
        each
        for number in range(1, 4)
        for batch in drawn(batch_size=128, seed=0, number=number)
        for each in batch
    }
    assert len(seen) > COUNT * 0.97


@pytest.mark.parametrize("batch_size", [1, 7, 40, 1000])
def test_all_samples_come_once_in_the_order_of_time(batch_size):
    batches = list(datasets.ordered(VALIDATION, batch_size=batch_size))
    assert all(len(target) == batch_size for _, target in batches[:-1])
    target = np.concatenate([each.numpy() for _, each in batches])
    expected = VALIDATION.batch(np.arange(len(VALIDATION.windows)))[3]
    np.testing.assert_allclose(target, expected, rtol=0, atol=1e-4)


@settings(max_examples=15)
@given(chosen=st.lists(st.integers(0, COUNT - 1), min_size=1, max_size=5))
def test_a_batch_is_what_slicing_gives(chosen):
    history, base, constants, target = TRAINING.batch(np.array(chosen))
    for place, sample in enumerate(chosen):
        init = TRAINING.windows.init[sample]
        past, truth = BAY.values[None, init - 3 : init + 1], BAY.values[None, init + 1 : init + 4]
        inputs, forecast = TRAINING.encoder.inputs(past, TRAINING.windows.init_time[[sample]])
        expected = (inputs["history"], inputs["base"], inputs["constants"])
        for got, one in zip((history, base, constants), expected, strict=True):
            np.testing.assert_allclose(got[place], one[0], rtol=0, atol=1e-5)
        np.testing.assert_allclose(target[place], TRAINING.encoder.target(truth, forecast)[0], atol=1e-4)


@pytest.mark.parametrize("budget", [0, BAY.values.nbytes // 4])
def test_fields_are_streamed_from_a_store_as_they_are_from_memory(budget):
    held = zarr.create_array(
        store=zarr.storage.MemoryStore(), shape=BAY.values.shape, chunks=(16, 5, 6), dtype="f4"
    )
    held[:] = BAY.values
    store = replace(TRAINING, record=replace(BAY, values=held))
    assert datasets.grouping(store, budget)
    assert datasets.grouping(TRAINING, budget) is None
    options = {"batch_size": 32, "seed": 1, "number": 1}
    ours = list(datasets.epoch(store, budget=budget, **options))
    chosen = [[KNOWN[each.numpy().tobytes()] for each in inputs["history"]] for inputs, _ in ours]
    assert sorted(chain.from_iterable(chosen)) == sorted(chain.from_iterable(drawn(**options)))
    for batch, (inputs, target) in zip(chosen, ours, strict=True):
        for got, expected in zip((*inputs.values(), target), TRAINING.batch(np.array(batch)), strict=True):
            np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5)
    rest = datasets.epoch(store, budget=budget, skip=len(ours) - 1, **options)
    for (last, _), (again, _) in zip(ours[-1:], rest, strict=True):
        np.testing.assert_array_equal(last["history"], again["history"])

"""A station's samples: the same from memory and from a store, in whole and in part."""

from itertools import chain

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from models import datasets
from models.datasets import SeriesSamples
from models.order import Grouping
from models.rows import Columns
from pipeline.windows import Windows, WindowSpec, whole_windows

START = np.datetime64("2020-01-01", "ns")
SPEC = WindowSpec(history=5, horizon=4, first_lead=2, sampling=3)
VARIABLES = 3
CHUNK = 32


def rows(length, seed=0):
    """Inputs (time, variable) in which every row is told by its first variable, and a target (time,)."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(length, VARIABLES)).astype(np.float32)
    inputs[:, 0] = np.arange(length)
    return inputs, rng.normal(size=length).astype(np.float32)


def windows_of(usable, spec=SPEC):
    init = whole_windows(usable, spec)
    return Windows(spec, init, START + init * np.timedelta64(10, "m"))


def gapped(length, seed=0):
    usable = np.ones(length, bool)
    usable[np.random.default_rng(seed).integers(0, length, 3)] = False
    return usable


def stored(array, chunk=CHUNK):
    chunks = (chunk, *array.shape[1:])
    held = zarr.create_array(store=zarr.storage.MemoryStore(), shape=array.shape, chunks=chunks, dtype="f4")
    held[:] = array
    return held


INPUTS, TARGET = rows(600)
WINDOWS = windows_of(gapped(600))
MEMORY = SeriesSamples(INPUTS, TARGET, WINDOWS)
STORE = SeriesSamples(stored(INPUTS), stored(TARGET), WINDOWS)
SMALL = 2500


def taken(dataset):
    """Inputs and targets of each batch."""
    return [(inputs["history"].numpy(), target.numpy()) for inputs, target in dataset]


def drawn(samples, **options):
    return taken(datasets.epoch(samples, **{"batch_size": 16, "seed": 1, "number": 1} | options))


def inits(batches):
    """The position of each sample's init, read off its history."""
    return [history[:, -1, 0].astype(int).tolist() for history, _ in batches]


def assert_equal(ours, theirs):
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        for got, expected in zip(one, other, strict=True):
            np.testing.assert_array_equal(got, expected)


specs = st.builds(
    lambda history, first, more, sampling: WindowSpec(
        history=history, horizon=first + more, first_lead=first, sampling=sampling
    ),
    *(st.integers(1, 6), st.integers(1, 3), st.integers(0, 2), st.integers(1, 4)),
)


@settings(max_examples=15)
@given(
    length=st.integers(40, 300),
    spec=specs,
    seed=st.integers(0, 9),
    chunk=st.integers(1, 100),
    budget=st.integers(0, 8000),
    size=st.integers(1, 40),
    relative=st.booleans(),
)
def test_every_epoch_is_of_the_same_samples_as_slicing_gives_them(
    length, spec, seed, chunk, budget, size, relative
):
    inputs, target = rows(length, seed)
    windows = windows_of(gapped(length, seed), spec)
    base, deviation = (np.float32(k) + rows(len(windows), k)[0][:, : len(spec.leads)] for k in (1, 2))
    base = np.resize(base, (len(windows), len(spec.leads)))
    deviation = np.resize(np.abs(deviation) + 1, len(spec.leads)).astype(np.float32)
    told = {"base": base, "deviation": deviation} if relative else {}
    memory = SeriesSamples(inputs, target, windows, **told)
    store = SeriesSamples(stored(inputs, chunk), stored(target, chunk), windows, **told)
    options = {"batch_size": size, "seed": seed, "number": 2}
    ours, theirs = drawn(store, budget=budget, **options), drawn(memory, **options)
    chosen = list(chain.from_iterable(inits(ours)))
    assert sorted(chosen) == sorted(chain.from_iterable(inits(theirs)))
    assert len(set(chosen)) == len(chosen) == (len(windows) // size * size or len(windows))
    for init, history, ahead in zip(
        chosen,
        np.concatenate([history for history, _ in ours]),
        np.concatenate([target for _, target in ours]),
        strict=True,
    ):
        seen, aim = inputs[init + spec.past], target[init + spec.ahead]
        if relative:
            aim = (aim - base[np.searchsorted(windows.init, init)]) / deviation
        np.testing.assert_array_equal(history, seen)
        np.testing.assert_array_equal(ahead, aim)


@pytest.mark.parametrize("budget", [0, 500, SMALL, 10**6])
def test_the_same_grouping_gives_the_same_batches_from_memory_and_from_a_store(budget):
    by_store = datasets.grouping(STORE, budget)
    assert (by_store is None) == (budget == 10**6)
    chunked = SeriesSamples(Chunked(INPUTS), Chunked(TARGET), WINDOWS)
    assert datasets.grouping(chunked, budget) == by_store
    assert_equal(drawn(STORE, budget=budget), drawn(chunked, budget=budget))


class Chunked:
    """An array in memory that says it has chunks."""

    def __init__(self, array):
        self.array = array
        self.shape = array.shape
        self.chunks = (CHUNK,)

    def __getitem__(self, rows):
        return self.array[rows]


@pytest.mark.parametrize("samples", [MEMORY, STORE], ids=["memory", "store"])
@pytest.mark.parametrize("budget", [SMALL, 10**6])
def test_seed_and_number_alone_decide(samples, budget):
    first = drawn(samples, budget=budget)
    assert_equal(drawn(samples, budget=budget), first)
    assert inits(drawn(samples, budget=budget, number=2)) != inits(first)
    assert inits(drawn(samples, budget=budget, seed=2)) != inits(first)


@pytest.mark.parametrize("budget", [0, SMALL, 10**6])
@pytest.mark.parametrize("steps", [None, 9])
def test_an_epoch_goes_on_where_it_broke_off(budget, steps):
    whole = drawn(STORE, budget=budget, steps=steps)
    assert len(whole) == (steps or len(WINDOWS) // 16)
    for skip in (1, len(whole) // 2, len(whole) - 1, len(whole)):
        assert_equal(drawn(STORE, budget=budget, steps=steps, skip=skip), whole[skip:])


@pytest.mark.parametrize("budget", [0, SMALL, 10**6])
@pytest.mark.parametrize("size", [1, 16, 1000])
def test_in_order_all_samples_come_once(budget, size):
    batches = taken(datasets.ordered(STORE, batch_size=size, budget=budget))
    assert list(chain.from_iterable(inits(batches))) == WINDOWS.init.tolist()
    assert all(len(history) == size for history, _ in batches[:-1])


class Watched(Chunked):
    """Which rows are read."""

    def __init__(self, array):
        super().__init__(array)
        self.read = []

    def __getitem__(self, rows):
        self.read.append((rows.start, rows.stop))
        return super().__getitem__(rows)


def watched(budget, **options):
    inputs, target = Watched(INPUTS), Watched(TARGET)
    batches = drawn(SeriesSamples(inputs, target, WINDOWS), budget=budget, **options)
    return inputs.read, batches


def test_what_is_skipped_is_not_read():
    whole, batches = watched(SMALL)
    rest, last = watched(SMALL, skip=len(batches) - 1)
    assert_equal(last, batches[-1:])
    read = sum(stop - start for start, stop in rest)
    assert read < sum(stop - start for start, stop in whole) / 3


def test_a_group_and_the_next_stay_within_the_budget():
    row_bytes = 4 * (VARIABLES + 1)
    grouping = datasets.grouping(STORE, SMALL)
    span = SPEC.length - SPEC.sampling + 1
    assert grouping.blocks * (grouping.rows + span) * row_bytes <= SMALL / 2
    groups = grouping.groups(WINDOWS.init + SPEC.past[0], (1, 1))
    assert len(np.unique(groups)) > 2
    for group in np.unique(groups):
        chosen = np.flatnonzero(groups == group)
        bounds = datasets.needed(STORE, chosen, grouping.rows)
        assert (bounds[:, 1] - bounds[:, 0]).sum() * row_bytes <= SMALL / 2
        assert (bounds[1:, 0] >= bounds[:-1, 1]).all()


def test_what_fits_is_read_once():
    inputs = Watched(INPUTS)
    samples = SeriesSamples(inputs, TARGET, WINDOWS)
    for number in (1, 2):
        drawn(samples, number=number)
    taken(datasets.ordered(samples, batch_size=7))
    assert len(inputs.read) == len(set(inputs.read)) <= 4


@given(
    rows=st.integers(1, 10_000),
    chunk=st.integers(1, 3000),
    span=st.integers(1, 500),
)
def test_blocks_are_of_whole_chunks_where_these_are_small_enough(rows, chunk, span):
    made = Grouping.within(rows, chunk=chunk, span=span)
    assert made.rows >= 1
    assert made.blocks >= 1
    if chunk + span <= rows:
        assert made.rows % chunk == 0
        assert made.blocks * (made.rows + span) <= rows or made.blocks == 1


@given(
    init=st.lists(st.integers(0, 5000), min_size=1, max_size=200, unique=True).map(sorted),
    made=st.builds(Grouping, rows=st.integers(1, 700), blocks=st.integers(1, 5)),
    number=st.integers(0, 5),
)
def test_groups_are_of_whole_blocks_few_at_a_time(init, made, number):
    init = np.array(init)
    groups = made.groups(init, (0, number))
    held = {}
    for block, group in zip((init // made.rows).tolist(), groups.tolist(), strict=True):
        held.setdefault(group, set()).add(block)
    assert all(len(blocks) <= made.blocks for blocks in held.values())
    assert sum(map(len, held.values())) == len(set(chain.from_iterable(held.values())))
    assert (np.diff(made.groups(init, None).astype(int)) >= 0).all()


def test_columns_are_read_side_by_side_and_encoded_where_they_are_read():
    def encode(values, rows):
        return np.column_stack([values * 2, np.arange(rows.start, rows.stop)]).astype(np.float32)

    columns = Columns([stored(each) for each in INPUTS.T], VARIABLES + 1, encode)
    assert columns.shape == (600, VARIABLES + 1)
    assert columns.chunks[0] == CHUNK
    whole = np.column_stack([INPUTS * 2, np.arange(600)]).astype(np.float32)
    np.testing.assert_array_equal(columns[37:99], whole[37:99])
    assert columns[600:700].shape == (0, VARIABLES + 1)
    assert_equal(
        drawn(SeriesSamples(columns, stored(TARGET), WINDOWS), budget=SMALL),
        drawn(SeriesSamples(Chunked(whole), Chunked(TARGET), WINDOWS), budget=SMALL),
    )


def test_a_dataset_that_is_let_go_lets_go_of_its_rows():
    import gc
    import weakref

    dataset = datasets.epoch(STORE, batch_size=16, seed=1, number=1, budget=SMALL)
    taken(dataset.take(3))
    reader = next(each for each in gc.get_objects() if isinstance(each, datasets._Reader))
    kept = weakref.ref(reader)
    del dataset, reader
    gc.collect()
    assert kept() is None


def test_what_cannot_be_read_is_told():
    class Broken(Chunked):
        def __getitem__(self, rows):
            raise OSError("the disk is gone")

    samples = SeriesSamples(Broken(INPUTS), Chunked(TARGET), WINDOWS)
    with pytest.raises(Exception, match="the disk is gone"):
        drawn(samples, budget=SMALL)


def test_a_history_can_be_given_as_it_departs_from_its_last_value():
    rng = np.random.default_rng(0)
    shape = (SPEC.history, INPUTS.shape[1])
    mean, deviation = rng.normal(size=shape).astype(np.float32), rng.uniform(1, 2, shape).astype(np.float32)
    samples = SeriesSamples(INPUTS, TARGET, WINDOWS, departures=(mean, deviation))
    chosen = np.array([3, 0, 7])
    history, _ = samples.batch(chosen)
    for row, init in zip(history, WINDOWS.init[chosen], strict=True):
        seen = INPUTS[init + SPEC.past].astype(float)
        seen[:-1] -= seen[-1]
        np.testing.assert_allclose(row, (seen - mean) / deviation, rtol=1e-5, atol=1e-4)

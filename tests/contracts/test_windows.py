"""The windows of a record read as published, beside those that Keras makes of the same rows."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from models.datasets import SeriesSamples, ordered
from pipeline.errors import WindowError
from pipeline.partition import Partition
from pipeline.splits import Fractions
from pipeline.windows import WindowSpec


def textbook(values, targets, spec, first, end):
    """Sorted pairs of history and target by `timeseries_dataset_from_array`, as Chollet (2021) calls it."""
    delay = spec.sampling * (spec.history + spec.horizon - 1)
    dataset = keras.utils.timeseries_dataset_from_array(
        values[:-delay],
        targets=targets[delay:],
        sampling_rate=spec.sampling,
        sequence_stride=spec.stride,
        sequence_length=spec.history,
        batch_size=64,
        shuffle=True,
        start_index=first,
        end_index=end,
    )
    return in_order((history.numpy(), target.numpy()[:, None]) for history, target in dataset)


def in_order(batches):
    """Rows of history and target together, sorted, so that they compare as sets."""
    rows = [
        np.concatenate([history.reshape(len(history), -1), target], axis=1) for history, target in batches
    ]
    held = np.concatenate(rows)
    return held[np.lexsort(held.T[::-1])]


@settings(max_examples=10)
@given(
    length=st.integers(12, 150),
    parts=st.tuples(*[st.integers(1, 9)] * 3),
    history=st.integers(1, 8),
    lead=st.integers(1, 6),
    sampling=st.integers(1, 4),
    stride=st.integers(1, 3),
)
def test_as_published_windows_are_those_of_keras(length, parts, history, lead, sampling, stride):
    given_parts = Fractions(
        **{name: part / sum(parts) for name, part in zip(("train", "validation", "test"), parts, strict=True)}
    )
    spec = WindowSpec(history=history, horizon=lead, first_lead=lead, sampling=sampling, stride=stride)
    values = np.random.default_rng(length).normal(size=(length, 2)).astype(np.float32)
    record = SimpleNamespace(
        time=np.datetime64("2020-01-01", "ns") + np.arange(length) * np.timedelta64(10, "m"),
        usable=np.zeros(length, bool),
        protocol="as-published",
    )
    partition = Partition(record, given_parts, spec)
    train, validation = given_parts.counts(length)
    held = length - sampling * (history + lead - 1)
    # Keras refuses an end beyond the rows that it is given.
    assume(train > 0 and validation > 0 and train + validation < held and sampling < held > stride)
    bounds = {
        "train": (0, train),
        "validation": (train, train + validation),
        "test": (train + validation, None),
    }
    for name, (first, end) in bounds.items():
        try:
            samples = SeriesSamples(values, values[:, 1], partition.windows(name))
        except WindowError:
            assert (end or held) - first <= (history - 1) * sampling
            continue
        ours = in_order(
            (inputs["history"].numpy(), target.numpy()) for inputs, target in ordered(samples, batch_size=50)
        )
        np.testing.assert_array_equal(ours, textbook(values, values[:, 1], spec, first, end))


def test_a_split_too_short_has_no_window_here_and_none_there():
    spec = WindowSpec(history=8, horizon=1)
    record = SimpleNamespace(
        time=np.datetime64("2020-01-01", "ns") + np.arange(28) * np.timedelta64(10, "m"),
        usable=np.ones(28, bool),
        protocol="as-published",
    )
    with pytest.raises(WindowError):
        Partition(record, Fractions(train=0.25, validation=0.25, test=0.5), spec).windows("train")

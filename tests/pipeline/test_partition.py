import datetime as dt
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.errors import ConfigError, WindowError
from pipeline.partition import Partition, guard_days
from pipeline.splits import Fractions, Splits
from pipeline.types import TimeRange
from pipeline.windows import WindowSpec, find_windows

NAMES = ("train", "validation", "test")
START = np.datetime64("2020-01-01T00:00", "ns")
HOUR = np.timedelta64(1, "h")
THIRDS = Fractions(train=0.5, validation=0.25, test=0.25)
specs = st.builds(
    lambda history, first, more, stride, sampling: WindowSpec(
        history=history, horizon=first + more, first_lead=first, stride=stride, sampling=sampling
    ),
    st.integers(1, 6),
    st.integers(1, 4),
    st.integers(0, 3),
    st.integers(1, 3),
    st.integers(1, 4),
)
fractions = st.tuples(*[st.integers(1, 9)] * 3).map(
    lambda parts: Fractions(**{name: part / sum(parts) for name, part in zip(NAMES, parts, strict=True)})
)


def record(length, protocol, *, usable=None, step=HOUR):
    """What a partition asks of one."""
    time = START + np.arange(length) * step
    return SimpleNamespace(
        time=time, usable=np.ones(length, bool) if usable is None else usable, protocol=protocol
    )


def windows_or_none(partition, name):
    try:
        return partition.windows(name).init.tolist()
    except WindowError:
        return []


def counted(length, given, spec, name):
    """The textbook's windows, one by one: it cuts as many rows off the end as a target lies after its first row."""
    train, validation = int(given.train * length), int(given.validation * length)
    delay = (spec.history - 1 + spec.horizon) * spec.sampling
    part = dict(
        zip(NAMES, [(0, train), (train, train + validation), (train + validation, length)], strict=True)
    )
    first, end = part[name]
    inits = (start + (spec.history - 1) * spec.sampling for start in range(first, end))
    return [init for init in inits if init < min(end, length - delay)][:: spec.stride]


@given(length=st.integers(3, 120), given=fractions, spec=specs, name=st.sampled_from(NAMES))
def test_as_published_the_windows_are_counted_row_by_row(length, given, spec, name):
    partition = Partition(record(length, "as-published", usable=np.zeros(length, bool)), given, spec)
    assert windows_or_none(partition, name) == counted(length, given, spec, name)


@given(length=st.integers(3, 500), given=fractions, spec=specs)
def test_as_published_every_row_is_in_one_split(length, given, spec):
    partition = Partition(record(length, "as-published"), given, spec)
    inside = [partition.inside(name) for name in NAMES]
    assert (np.sum(inside, axis=0) == 1).all()
    assert [each.sum() for each in inside[:2]] == [int(given.train * length), int(given.validation * length)]
    for before, after in pairwise(inside):
        assert not (after[:-1] & before[1:]).any()


@given(days=st.integers(5, 60), given=fractions, spec=specs, seed=st.integers(0, 99))
def test_clean_windows_lie_wholly_in_their_split_and_apart_from_the_others(days, given, spec, seed):
    usable = np.random.default_rng(seed).random(24 * days) > 0.02
    partition = Partition(record(24 * days, "clean", usable=usable), given, spec)
    try:
        splits = partition.splits
    except ConfigError:
        assume(False)
    steps = {}
    for name in NAMES:
        try:
            windows = partition.windows(name)
        except WindowError:
            continue
        expected = find_windows(partition.record.time, usable, getattr(splits, name), spec)
        np.testing.assert_array_equal(windows.init, expected.init)
        steps[name] = np.concatenate([windows.history_index(), windows.horizon_index()], axis=1)
        assert usable[steps[name]].all()
        assert partition.inside(name)[steps[name]].all()
    for before, after in (("train", "validation"), ("validation", "test")):
        if before in steps and after in steps:
            assert steps[after].min() - steps[before].max() > spec.length


@given(days=st.integers(3, 60), given=fractions)
def test_clean_splits_take_whole_days(days, given):
    partition = Partition(record(24 * days, "clean"), given, WindowSpec(history=1, horizon=1))
    try:
        inside = [partition.inside(name) for name in NAMES]
    except ConfigError:
        assume(False)
    assert np.sum(inside, axis=0).max() == 1
    assert all(each.sum() % 24 == 0 for each in inside)


@given(spec=specs, minutes=st.sampled_from([1, 10, 60, 1440]))
def test_the_guard_is_the_fewest_days_that_hold_a_window(spec, minutes):
    step = np.timedelta64(minutes, "m")
    days = guard_days(spec, step)
    day = np.timedelta64(1, "D")
    assert (days - 1) * day < spec.length * step <= days * day


def test_dates_are_kept_with_their_guard_or_as_they_are():
    spans = [
        TimeRange(start=dt.date(2020, 1, first), end=dt.date(2020, 1, last))
        for first, last in ((1, 10), (11, 20), (21, 30))
    ]
    splits = Splits(**dict(zip(NAMES, spans, strict=True)))
    spec = WindowSpec(history=24, horizon=24)
    clean = Partition(record(720, "clean"), splits, spec)
    assert clean.splits == splits.guarded(2)
    assert clean.windows("test").init_time[0] == np.datetime64("2020-01-23T23:00")
    assert clean.windows("test").init_time[-1] == np.datetime64("2020-01-29T23:00")
    published = Partition(record(720, "as-published"), splits, spec)
    assert published.splits == splits
    with pytest.raises(ConfigError, match="parts of the number of rows") as caught:
        published.windows("train")
    assert "train = 0.5" in caught.value.remedy


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("protocol", ["clean", "as-published"])
def test_a_window_that_fits_nowhere_is_told(name, protocol):
    spec = WindowSpec(history=3, horizon=2, sampling=24)
    usable = np.zeros(1200, bool)
    partition = Partition(record(1200 if protocol == "clean" else 90, protocol, usable=usable), THIRDS, spec)
    with pytest.raises(WindowError, match=r"no window of 3 \+ 2 samples") as caught:
        partition.windows(name)
    assert " -" not in caught.value.message
    assert "shorten history or horizon" in caught.value.remedy


@pytest.mark.parametrize("length", [0, 1])
def test_a_record_without_a_step_is_told(length):
    spans = [TimeRange(start=dt.date(2020, 1, day), end=dt.date(2020, 1, day)) for day in (1, 5, 9)]
    splits = Splits(**dict(zip(NAMES, spans, strict=True)))
    with pytest.raises(WindowError, match=f"has {length} steps"):
        Partition(record(length, "clean"), splits, WindowSpec(history=1, horizon=1)).windows("train")
    with pytest.raises(ConfigError, match=f"{length} steps"):
        Partition(record(length, "clean"), THIRDS, WindowSpec(history=1, horizon=1)).windows("train")

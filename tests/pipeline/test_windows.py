import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import WindowError
from pipeline.types import TimeRange
from pipeline.windows import WindowSpec, find_windows, newest_init

START = np.datetime64("2020-01-01", "ns")
DAY = np.timedelta64(1, "D")
usables = st.lists(st.integers(0, 9).map(bool), max_size=40).map(lambda flags: np.array(flags, bool))
specs = st.builds(WindowSpec, history=st.integers(1, 5), horizon=st.integers(1, 5), stride=st.integers(1, 4))
spans = st.tuples(st.integers(-5, 45), st.integers(0, 50)).map(
    lambda pair: TimeRange(
        start=dt.date(2020, 1, 1) + dt.timedelta(days=pair[0]),
        end=dt.date(2020, 1, 1) + dt.timedelta(days=pair[0] + pair[1]),
    )
)
ALWAYS = TimeRange(start=dt.date(1900, 1, 1), end=dt.date(2100, 1, 1))


def axis(length):
    return START + np.arange(length) * DAY


def enumerate_windows(usable, within, spec):
    """Every init whose steps are all there, usable and inside, one by one; then every stride-th of them."""
    day = axis(len(usable)).astype("datetime64[D]")
    fits = []
    for init in range(len(usable)):
        steps = range(init - spec.history + 1, init + spec.horizon + 1)
        if all(0 <= at < len(usable) and usable[at] and day[at].item() in within for at in steps):
            fits.append(init)
    return fits[:: spec.stride]


@given(usable=usables, within=spans, spec=specs)
def test_windows_are_those_of_an_enumeration(usable, within, spec):
    expected = enumerate_windows(usable, within, spec)
    if not expected:
        with pytest.raises(WindowError):
            find_windows(axis(len(usable)), usable, within, spec)
        return
    windows = find_windows(axis(len(usable)), usable, within, spec)
    assert windows.init.tolist() == expected
    assert len(windows) == len(expected)
    np.testing.assert_array_equal(windows.init_time, axis(len(usable))[expected])


@given(usable=usables, within=spans, spec=specs)
def test_no_window_touches_a_gap_or_a_day_outside_its_split(usable, within, spec):
    try:
        windows = find_windows(axis(len(usable)), usable, within, spec)
    except WindowError:
        return
    steps = np.concatenate([windows.history_index(), windows.horizon_index()], axis=1)
    assert steps.shape == (len(windows), spec.length)
    assert (np.diff(steps, axis=1) == 1).all()
    assert usable[steps].all()
    days = axis(len(usable))[steps].astype("datetime64[D]")
    assert (days >= np.datetime64(within.start)).all()
    assert (days <= np.datetime64(within.end)).all()
    assert (np.diff(windows.init) >= spec.stride).all()
    np.testing.assert_array_equal(windows.history_index()[:, -1], windows.init)


def test_a_window_longer_than_the_record_is_refused_in_plain_words():
    with pytest.raises(WindowError) as caught:
        find_windows(axis(9), np.ones(9, bool), ALWAYS, WindowSpec(history=7, horizon=3))
    assert caught.value.message == (
        "no window of 7 + 3 steps fits into 1900-01-01…2100-01-01: the record has 9 usable steps there"
    )
    assert "shorten history or horizon" in caught.value.remedy
    assert caught.value.fields == {"history": 7, "horizon": 3, "usable": 9}


@given(usable=usables, spec=specs)
def test_the_newest_init_is_the_last_with_a_usable_history(usable, spec):
    whole = [
        init
        for init in range(spec.history - 1, len(usable))
        if usable[init - spec.history + 1 : init + 1].all()
    ]
    if whole:
        assert newest_init(axis(len(usable)), usable, spec) == whole[-1]
    else:
        with pytest.raises(WindowError, match="usable steps in a row"):
            newest_init(axis(len(usable)), usable, spec)


@pytest.mark.parametrize(
    "time",
    [
        np.delete(axis(20), 7),
        axis(20)[::-1],
        np.repeat(axis(20), 2),
        np.where(np.arange(20) == 4, np.datetime64("NaT"), axis(20)),
    ],
    ids=["gap", "backwards", "twice", "not a time"],
)
def test_an_uneven_axis_is_refused(time):
    for use in (
        lambda: find_windows(time, np.ones(len(time), bool), ALWAYS, WindowSpec(history=1, horizon=1)),
        lambda: newest_init(time, np.ones(len(time), bool), WindowSpec(history=1, horizon=1)),
    ):
        with pytest.raises(WindowError, match="constant step"):
            use()

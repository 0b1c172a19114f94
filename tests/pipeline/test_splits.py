import datetime as dt
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.errors import ConfigError, WindowError
from pipeline.splits import Fractions, Splits, judged, recent
from pipeline.types import TimeRange
from pipeline.windows import WindowSpec, find_windows

FIRST = dt.date(2020, 1, 1)
gaps = st.integers(1, 20)
lengths = st.integers(0, 40)


@st.composite
def splits(draw):
    ranges, day = [], FIRST
    for _ in range(3):
        day += dt.timedelta(days=draw(gaps))
        end = day + dt.timedelta(days=draw(lengths))
        ranges.append(TimeRange(start=day, end=end))
        day = end
    return Splits(train=ranges[0], validation=ranges[1], test=ranges[2])


@given(given_splits=splits(), days=st.integers(0, 30))
def test_a_guard_leaves_its_days_unused_and_changes_nothing_else(given_splits, days):
    try:
        guarded = given_splits.guarded(days)
    except ConfigError as error:
        split = getattr(given_splits, error.fields["split"])
        before = given_splits.train if error.fields["split"] == "validation" else given_splits.validation
        assert (split.end - before.end).days <= days
        return
    assert guarded.train == given_splits.train
    for before, name in ((guarded.train, "validation"), (guarded.validation, "test")):
        mine, unguarded = getattr(guarded, name), getattr(given_splits, name)
        unused = (mine.start - before.end).days - 1
        assert unused >= days
        assert mine.end == unguarded.end
        assert mine.start == unguarded.start or unused == days
    assert guarded.guarded(days) == guarded


@given(given_splits=splits(), history=st.integers(1, 6), horizon=st.integers(1, 6))
def test_windows_of_two_splits_share_no_day_and_keep_their_distance(given_splits, history, horizon):
    spec = WindowSpec(history=history, horizon=horizon)
    time = (np.datetime64(FIRST) + np.arange(200)).astype("datetime64[ns]")
    usable = np.ones(len(time), bool)
    try:
        guarded = given_splits.guarded(spec.length)
        found = [
            find_windows(time, usable, getattr(guarded, name), spec)
            for name in ("train", "validation", "test")
        ]
    except (ConfigError, WindowError):
        return
    for before, after in pairwise(found):
        last_truth, first_history = before.horizon_index().max(), after.history_index().min()
        assert first_history - last_truth - 1 >= history + horizon


def test_splits_that_overlap_or_are_out_of_order_are_refused():
    def year(number):
        return TimeRange(start=dt.date(number, 1, 1), end=dt.date(number, 12, 31))

    Splits(train=year(2000), validation=year(2001), test=year(2002))
    for train, validation, test in ((2001, 2000, 2002), (2000, 2000, 2002), (2000, 2002, 2001)):
        with pytest.raises(ValidationError, match="must follow one another"):
            Splits(train=year(train), validation=year(validation), test=year(test))


def moved(given_splits, first, last, days):
    """Splits at the end of a record, or None where the record or a split is too short, which the error says."""
    try:
        kept = given_splits.guarded(days)
    except ConfigError:
        with pytest.raises(ConfigError, match="guard gap"):
            given_splits.moved(first, last, days)
        return None
    begin = max(first, kept.train.start)
    needed = sum((each.end - each.start).days + 1 for each in (kept.validation, kept.test)) + 2 * days + 1
    if (last - begin).days + 1 < needed:
        with pytest.raises(ConfigError, match="too few days to train on") as caught:
            given_splits.moved(first, last, days)
        assert caught.value.fields["lacking"] == needed - ((last - begin).days + 1)
        return None
    return given_splits.moved(first, last, days)


@given(given_splits=splits(), days=st.integers(0, 30), first=st.integers(-50, 50), length=st.integers(0, 400))
def test_moved_splits_keep_their_lengths_and_end_with_the_record(given_splits, days, first, length):
    begin = FIRST + dt.timedelta(first)
    last = begin + dt.timedelta(length)
    found = moved(given_splits, begin, last, days)
    if found is None:
        return
    kept = given_splits.guarded(days)
    assert found.test.end == last
    for name in ("validation", "test"):
        before, after = getattr(kept, name), getattr(found, name)
        assert after.end - after.start == before.end - before.start
    assert (found.validation.start - found.train.end).days - 1 == days
    assert (found.test.start - found.validation.end).days - 1 == days
    assert found.train.start == max(begin, given_splits.train.start)
    assert found.guarded(days) == found
    assert found.moved(begin, last, days) == found


@given(length=st.integers(1, 300), after=st.integers(0, 30), parts=st.tuples(*[st.integers(1, 8)] * 3))
def test_recent_splits_of_parts_are_parts_of_the_days_to_the_last(length, after, parts):
    time = (np.datetime64(FIRST) + np.arange(length + after)).astype("datetime64[ns]")
    last = FIRST + dt.timedelta(length - 1)
    fractions = Fractions(
        **{name: part / sum(parts) for name, part in zip(("train", "validation", "test"), parts, strict=True)}
    )
    try:
        expected = fractions.on(time[:length])
    except ConfigError:
        with pytest.raises(ConfigError, match="cannot be split"):
            recent(fractions, time, last, 3)
        return
    assert recent(fractions, time, last, 3) == expected
    assert expected.test.end == last


def test_recent_dates_are_moved_on_the_record_to_its_last_final_day():
    dates = Splits(train=days(0, 99), validation=days(100, 149), test=days(150, 199))
    time = (np.datetime64(FIRST) + np.arange(20, 300)).astype("datetime64[ns]")
    last = FIRST + dt.timedelta(280)
    assert recent(dates, time, last, 7) == dates.moved(FIRST + dt.timedelta(20), last, 7)
    with pytest.raises(ConfigError, match="too few days"):
        recent(dates, time, FIRST + dt.timedelta(10), 7)


def days(first, last):
    return TimeRange(start=FIRST + dt.timedelta(first), end=FIRST + dt.timedelta(last))


@given(given_splits=splits(), learned=splits(), more=st.integers(0, 30), guard=st.integers(0, 10))
def test_no_judged_window_begins_in_what_the_model_has_seen(given_splits, learned, more, guard):
    last = learned.test.end + dt.timedelta(more)
    parts = Fractions(train=0.5, validation=0.25, test=0.25)
    for given_now in (given_splits, parts):
        found = judged(given_now, learned, last)
        assert (found.train, found.validation) == (learned.train, learned.validation)
        assert found.test.start > learned.validation.end
    if given_splits.test.start > learned.validation.end:
        assert judged(given_splits, learned, last).test == given_splits.test
    else:
        assert judged(given_splits, learned, last).test == learned.test
    assert judged(parts, learned, last).test == TimeRange(start=learned.test.start, end=last)
    try:
        fresh = learned.guarded(guard)
    except ConfigError:
        return
    assert judged(learned, fresh, last).guarded(guard) == fresh

import datetime as dt
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.errors import ConfigError, WindowError
from pipeline.splits import Splits
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

"""Days that have come from another file since a snapshot."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import NotFoundError
from pipeline.store import repository
from pipeline.store.changes import changed_days
from pipeline.types import TimeRange
from tests.records import START, changed, make_sea, write_cube
from tests.stations import file_rows, make_table, write_series

SEA = make_sea(40, shape=(4, 4))


def day(number):
    return START + dt.timedelta(int(number))


@settings(max_examples=8)
@given(st.sets(st.integers(0, 39)), st.integers(0, 20), st.integers(20, 39))
def test_they_are_those_that_were_written_anew(tmp_path_factory, numbers, first, last):
    path = tmp_path_factory.mktemp("cube") / "cube"
    before = write_cube(path, SEA)
    record = SEA
    for number in numbers:
        record = changed(record, slice(number, number + 1), by=1.0)
    if numbers:
        write_cube(path, record)
    assert changed_days(path, "bay", before) == tuple(day(number) for number in sorted(numbers))
    within = TimeRange(start=day(first), end=day(last))
    expected = tuple(day(number) for number in sorted(numbers) if first <= number <= last)
    assert changed_days(path, "bay", before, within=within) == expected
    assert changed_days(path, "bay", repository.newest(path)) == ()


def test_days_that_were_added_since_are_not_changed(tmp_path):
    path = tmp_path / "cube"
    gapped = changed(SEA, slice(10, 12), by=np.nan)
    before = write_cube(path, gapped)
    write_cube(path, make_sea(45, shape=(4, 4)))
    assert [d for d in changed_days(path, "bay", before) if day(9) < d < day(12)] == []
    assert all(d <= day(39) for d in changed_days(path, "bay", before))


def test_of_a_station_they_are_those_with_another_value(tmp_path):
    path = tmp_path / "series"
    before = write_series(path, file_rows(make_table(0, 700))).snapshot
    assert changed_days(path, "roof", before) == ()
    table = make_table(0, 900)
    table.values[300, 0] += 1
    write_series(path, file_rows(table, sha="other"))
    assert changed_days(path, "roof", before) == (dt.date(2020, 1, 3),)


def test_a_snapshot_that_is_gone_is_told(tmp_path):
    path = tmp_path / "cube"
    write_cube(path, SEA)
    assert changed_days(path, "bay", "AAAAAAAAAAAAAAAAAAAG") is None
    with pytest.raises(NotFoundError):
        changed_days(tmp_path / "none", "bay", "x")

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.types import Box, Spec, Status, TimeRange

dates = st.dates(dt.date(1981, 9, 1), dt.date(2040, 12, 31))
longitudes = st.integers(-180, 360).map(float)


class Example(Spec):
    size: int = 1


@given(first=dates, length=st.integers(0, 800))
def test_days_are_those_that_are_in_the_range(first, length):
    span = TimeRange(start=first, end=first + dt.timedelta(days=length))
    days = span.days()
    assert days.dtype == np.dtype("datetime64[D]")
    assert len(days) == length + 1
    assert all(day.item() in span for day in days)
    assert first - dt.timedelta(days=1) not in span
    assert span.end + dt.timedelta(days=1) not in span


@given(first=dates, back=st.integers(1, 1000))
def test_a_range_that_runs_backwards_is_refused(first, back):
    with pytest.raises(ValidationError, match="lies before start"):
        TimeRange(start=first, end=first - dt.timedelta(days=back))


@given(west=longitudes, east=longitudes.filter(lambda value: value != 0))
def test_the_width_of_a_box_leads_from_west_eastwards_to_east(west, east):
    if west == east:
        return
    width = Box(latitude=(-10, 10), longitude=(west, east)).width
    assert 0 < width <= 360
    assert (west + width - east) % 360 == 0


@pytest.mark.parametrize("latitude", [(10, 10), (20, 10), (-91, 0), (0, 91), (float("nan"), 1)])
def test_a_box_without_height_or_off_the_earth_is_refused(latitude):
    with pytest.raises(ValidationError, match="south, north"):
        Box(latitude=latitude, longitude=(0, 10))


@pytest.mark.parametrize("longitude", [(10, 10), (-181, 0), (0, 361), (float("nan"), 1)])
def test_a_box_without_width_or_off_the_circle_is_refused(longitude):
    with pytest.raises(ValidationError, match="west, east"):
        Box(latitude=(0, 10), longitude=longitude)


def test_a_spec_is_frozen_and_knows_its_keys():
    with pytest.raises(ValidationError, match="frozen"):
        Example().size = 2
    with pytest.raises(ValidationError, match="sise"):
        Example.model_validate({"sise": 2})


def test_a_better_status_is_the_greater_one():
    assert Status.MISSING < Status.PRELIMINARY < Status.FINAL

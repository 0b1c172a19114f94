"""What every entry of CHECKS keeps to, and which check speaks of which fault."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.quality import CHECKS, inspect
from pipeline.quality.base import Context, Finding, Limits
from pipeline.sources.base import Granule
from pipeline.types import Field, Status

DAY = dt.date(2020, 3, 1)
LATITUDE = np.arange(-9.5, 10)
LONGITUDE = np.arange(0.5, 30)
OCEAN = np.ones((20, 30), bool)
OCEAN[:4, :5] = False


def sound(days=1):
    values = np.where(OCEAN, np.float32(15) + np.arange(30, dtype=np.float32) / 10, np.float32(np.nan))
    time = np.datetime64(DAY) + np.arange(days)
    return Field(np.stack([values] * days), time, LATITUDE, LONGITUDE, "degree_Celsius", Status.FINAL)


def beside(field, **known):
    granule = Granule(
        "ncei", "http://mirror/20200301.nc", tuple(sound(len(field.time)).time.tolist()), Status.FINAL
    )
    return Context(granule, Limits(), **known)


def known(field):
    return beside(
        field,
        latitude=LATITUDE,
        longitude=LONGITUDE,
        ocean=OCEAN,
        previous=sound().values[0] - np.float32(0.2),
    )


def changed(**parts):
    return replace(sound(), **parts)


def with_values(change):
    values = sound().values.copy()
    change(values[0])
    return changed(values=values)


def set_to(value, *where):
    def change(values):
        values[where] = value

    return change


FAULTS = {
    "another shape": ("structure", "refuse", changed(values=sound().values[:, 1:])),
    "no cell": (
        "structure",
        "refuse",
        changed(values=np.empty((1, 0, 30), np.float32), latitude=LATITUDE[:0]),
    ),
    "latitude descends": ("structure", "refuse", changed(latitude=LATITUDE[::-1])),
    "another resolution": ("grid", "refuse", changed(latitude=np.linspace(-9.75, 9.25, 20) * 0.5)),
    "moved by half a cell": ("grid", "refuse", changed(longitude=LONGITUDE + 0.5)),
    "kelvin": ("units", "refuse", changed(units="kelvin", values=sound().values + np.float32(273.15))),
    "no units": ("units", "refuse", changed(units="")),
    "another day": ("date", "refuse", changed(time=sound().time + 1)),
    "too cold": ("range", "refuse", with_values(set_to(-3.01, 9, 9))),
    "too hot": ("range", "refuse", with_values(set_to(45.5, 9, 9))),
    "infinite": ("range", "refuse", with_values(set_to(np.inf, 9, 9))),
    "all fill": ("completeness", "refuse", with_values(set_to(np.nan))),
    "an eighth missing": ("completeness", "refuse", with_values(set_to(np.nan, slice(17, None)))),
    "a few cells became land": ("land_mask", "warn", with_values(set_to(np.nan, 9, slice(0, 6)))),
    "land became ocean": ("land_mask", "warn", with_values(set_to(15.0, 0, slice(0, 5)))),
    "a jump": ("jump", "warn", changed(values=sound().values + np.float32(1.5))),
}


@pytest.mark.parametrize("name", CHECKS)
def test_a_sound_field_passes_whatever_is_known(name):
    field = sound(3)
    for context in (beside(field), known(field)):
        assert list(CHECKS[name](field, context)) == []


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_leaves_the_field_alone_and_can_be_asked_twice(name):
    for _, _, fault in FAULTS.values():
        before = fault.values.copy()
        if name != "structure" and fault.values.shape != sound().values.shape:
            continue
        context = known(fault)
        first, second = list(CHECKS[name](fault, context)), list(CHECKS[name](fault, context))
        assert first == second
        assert all(isinstance(finding, Finding) and finding.check == name for finding in first)
        np.testing.assert_array_equal(fault.values, before)


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_by_its_check(fault):
    check, severity, field = FAULTS[fault]
    findings = inspect(field, known(field))
    assert (check, severity) in {(finding.check, finding.severity) for finding in findings}
    assert all(finding.message for finding in findings)
    if severity == "warn":
        assert {finding.severity for finding in findings} == {"warn"}


def test_a_finding_names_the_day_it_is_of():
    field = sound(4)
    values = field.values.copy()
    values[2] = np.nan
    values[3, 9, 9] = 99
    findings = inspect(replace(field, values=values), beside(field))
    found = {(finding.check, finding.day) for finding in findings}
    assert found == {("completeness", dt.date(2020, 3, 3)), ("range", dt.date(2020, 3, 4))}


def test_a_day_that_a_long_file_promises_and_lacks_is_named():
    field = sound(4)
    shorter = replace(field, values=field.values[[0, 1, 3]], time=field.time[[0, 1, 3]])
    (finding,) = inspect(shorter, beside(field))
    assert (finding.check, finding.severity, finding.day) == ("completeness", "refuse", dt.date(2020, 3, 3))


def test_units_that_are_wrong_silence_what_follows_from_them():
    findings = inspect(FAULTS["kelvin"][2], known(sound()))
    assert [finding.check for finding in findings] == ["units"]
    assert "kelvin" in findings[0].message


@given(
    st.integers(0, 10),
    st.integers(1, 10),
    st.integers(0, 20),
    st.integers(1, 10),
    st.sampled_from([0, 360, -360]),
)
def test_a_part_of_the_known_grid_in_either_convention_is_that_grid(south, rows, west, columns, turn):
    field = sound()
    part = replace(
        field,
        values=field.values[:, south : south + rows + 1, west : west + columns],
        latitude=LATITUDE[south : south + rows + 1].astype(np.float32).astype(float),
        longitude=LONGITUDE[west : west + columns] + turn,
    )
    if columns > 1:
        assert list(CHECKS["grid"](part, beside(part, latitude=LATITUDE, longitude=LONGITUDE))) == []

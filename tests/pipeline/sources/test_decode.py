"""Decoding: the same field from every dialect, and a named reason where there is none."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import GranuleError
from pipeline.mirror import SimulatedOcean
from pipeline.mirror.archive import Shelf, SimulatedArchive
from pipeline.mirror.psl import yearly_file
from pipeline.sources.base import Granule
from pipeline.sources.netcdf import open_netcdf
from pipeline.sources.oisst_decode import decode, read_days
from pipeline.types import Box, Status

WORLD = Box(latitude=(-90, 90), longitude=(0, 360))
DAY = dt.date(2020, 1, 3)


def granule(path: Path, *days: dt.date) -> Granule:
    return Granule("files", str(path), days or (DAY,), Status.FINAL)


def write(path: Path, *, sst: np.ndarray[Any, Any], **given: Any) -> Path:
    """A small file (time, [zlev], lat, lon); `given` overrides units, names, axes and attributes."""
    latitude = given.get("latitude", np.array([-0.375, -0.125, 0.125]))
    longitude = given.get("longitude", np.array([0.125, 0.375, 0.625, 0.875]))
    names = given.get("names", ("time", "lat", "lon"))
    times = np.asarray(given.get("times", np.arange(len(sst))), np.float64)
    with netCDF4.Dataset(path, "w", format=given.get("format", "NETCDF4")) as dataset:
        for name, axis in zip(names, (times, latitude, longitude), strict=True):
            dataset.createDimension(name, len(axis))
            dataset.createVariable(name, "f8", (name,))[:] = axis
        dataset[names[0]].units = given.get("time_units", f"days since {DAY} 12:00:00")
        variable = dataset.createVariable(
            given.get("variable", "sst"),
            sst.dtype,
            given.get("dimensions", names),
            fill_value=given.get("fill"),
        )
        variable.set_auto_maskandscale(False)
        variable[:] = sst
        variable.units = given.get("units", "Celsius")
        variable.setncatts(given.get("attributes", {"scale_factor": np.float32(0.01)}))
        dataset.title = given.get("title", "")
    return path


SMALL = np.arange(24, dtype=np.int16).reshape(2, 3, 4) * 100


@pytest.fixture(scope="module")
def daily(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shelf = Shelf(SimulatedArchive(SimulatedOcean(seed=2, first=DAY, today=dt.date(2020, 2, 1))), lambda _: 0)
    day = shelf.days()[0]
    path = tmp_path_factory.mktemp("daily") / day.name
    path.write_bytes(shelf.daily(day))
    return path


def test_threads_decode_what_one_thread_does(tmp_path: Path) -> None:
    path = tmp_path / "small.nc"
    with netCDF4.Dataset(write(path, sst=SMALL), "a") as dataset:
        packed = dataset.createVariable(
            "packed", "i2", ("time", "lat", "lon"), zlib=True, chunksizes=(1, 3, 4)
        )
        packed.set_auto_maskandscale(False)
        packed[:] = SMALL

    def read(_: int) -> np.ndarray[Any, Any]:
        with open_netcdf(path) as dataset:
            steps = dataset.variables["packed"].read_steps(np.arange(2), slice(0, 3), slice(0, 4))
            assert dataset.attribute("title") == ""
        return steps

    with ThreadPoolExecutor(4) as threads:
        for values in threads.map(read, range(400)):
            np.testing.assert_array_equal(values, SMALL)


def test_a_daily_file_is_what_netcdf4_reads(daily: Path) -> None:
    field = decode(daily, granule(daily), WORLD)
    with netCDF4.Dataset(daily) as dataset:
        values = dataset["sst"][:, 0]
        assert np.array_equal(field.latitude, dataset["lat"][:])
        assert np.array_equal(field.longitude, dataset["lon"][:])
    assert field.values.dtype == np.float32
    assert np.array_equal(np.isnan(field.values), np.ma.getmaskarray(values))
    np.testing.assert_allclose(field.values, values.filled(np.nan), atol=1e-5)
    assert field.time.tolist() == [DAY]
    assert field.units == "degree_Celsius"
    assert field.status is Status.FINAL


@given(
    west=st.integers(-720, 1440).map(lambda quarter: quarter / 4),
    width=st.integers(1, 1440).map(lambda quarter: quarter / 4),
    south=st.integers(-360, 359).map(lambda quarter: quarter / 4),
    height=st.integers(1, 80).map(lambda quarter: quarter / 4),
)
def test_any_box_is_cut_out_and_runs_eastwards(
    daily: Path, west: float, width: float, south: float, height: float
) -> None:
    east = west + width if west + width <= 360 else west + width - 360
    if not -180 <= west <= 360 or east == west:
        return
    box = Box(latitude=(south, min(90.0, south + height)), longitude=(west, east))
    whole, cut = decode(daily, granule(daily), WORLD), decode(daily, granule(daily), box)
    assert cut.values.shape[1:] == (round((box.latitude[1] - south) * 4), round(box.width * 4))
    assert cut.longitude[0] == west + 0.125
    assert np.all(np.diff(cut.longitude) == 0.25)
    rows = np.searchsorted(whole.latitude, cut.latitude)
    columns = np.searchsorted(whole.longitude, cut.longitude % 360)
    expected = whole.values[:, rows][:, :, columns]
    assert np.array_equal(cut.values, expected, equal_nan=True)


@given(st.lists(st.integers(-300, 4500), min_size=12, max_size=12))
def test_packed_and_float_values_agree_to_the_last_bit(
    tmp_path_factory: pytest.TempPathFactory, hundredths: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("agree")
    packed = np.array(hundredths, np.int16).reshape(1, 3, 4)
    packed[0, 0, 0] = -999
    floats = np.where(packed == -999, -9.99, packed * 0.01).astype(np.float32)
    one = write(folder / "packed.nc", sst=packed, fill=-999)
    two = write(folder / "floats.nc", sst=floats, fill=np.float32(-9.99), attributes={}, units="degree_C")
    old = {"format": "NETCDF3_CLASSIC", "names": ("time", "latitude", "longitude")}
    three = write(
        folder / "old.nc", sst=floats, attributes={"missing_value": np.float32(-9.99)}, units="degC", **old
    )
    fields = [decode(path, granule(path), WORLD) for path in (one, two, three)]
    assert np.isnan(fields[0].values[0, 0, 0])
    assert len({field.values.tobytes() for field in fields}) == 1
    assert {field.units for field in fields} == {"degree_Celsius"}


def test_a_yearly_file_is_kept_to_the_granule_days(tmp_path: Path) -> None:
    ocean = SimulatedOcean(seed=2)
    days = [DAY + dt.timedelta(days=number) for number in range(4)]
    path = tmp_path / "sst.day.mean.2020.nc"
    path.write_bytes(yearly_file((day, ocean.hundredths(day)) for day in days))
    assert read_days(path) == tuple(days)
    field = decode(path, granule(path, days[1], days[3]), WORLD)
    assert field.time.tolist() == [days[1], days[3]]
    expected = np.where(ocean.hundredths(days[3]) == -999, np.nan, ocean.hundredths(days[3]) / 100)
    np.testing.assert_array_equal(field.values[1], expected.astype(np.float32))


def test_descending_latitude_and_another_name(tmp_path: Path) -> None:
    straight = write(tmp_path / "a.nc", sst=SMALL)
    turned = write(
        tmp_path / "b.nc",
        sst=SMALL[:, ::-1],
        latitude=np.array([0.125, -0.125, -0.375]),
        variable="oisst_short",
    )
    one, two = (decode(path, granule(path, *read_days(path)), WORLD) for path in (straight, turned))
    assert one.values.tobytes() == two.values.tobytes()
    assert np.array_equal(one.latitude, two.latitude)


@pytest.mark.parametrize(
    ("title", "status"),
    [
        ("… Version 2.1 - Final", Status.FINAL),
        ("… Version 2.1 - Interim", Status.PRELIMINARY),
        ("SST, …, Near Real Time, Global", Status.PRELIMINARY),
        ("", Status.FINAL),
    ],
)
def test_the_title_tells_the_status(tmp_path: Path, title: str, status: Status) -> None:
    path = write(tmp_path / "a.nc", sst=SMALL[:1], title=title)
    assert decode(path, granule(path), WORLD).status is status


def test_what_checks_must_see_is_passed_on(tmp_path: Path) -> None:
    kelvin = write(tmp_path / "a.nc", sst=SMALL[:1], units="kelvin")
    assert decode(kelvin, granule(kelvin), WORLD).units == "kelvin"
    other_day = granule(kelvin, dt.date(2001, 1, 1))
    assert decode(kelvin, other_day, WORLD).time.tolist() == [DAY]


def test_a_fill_that_the_type_cannot_hold_marks_nothing(tmp_path: Path) -> None:
    attributes = {"scale_factor": np.float32(0.01), "missing_value": np.float32(np.nan)}
    path = write(tmp_path / "a.nc", sst=SMALL[:1], attributes=attributes)
    expected = (SMALL[:1] / 100).astype(np.float32)
    np.testing.assert_array_equal(decode(path, granule(path), WORLD).values, expected)


@pytest.mark.parametrize(
    "units",
    ["seconds since 2020-01-03T12:00:00Z", "hours since 2020-1-3", "days since 2020-01-03 00:00:00.0"],
)
def test_time_is_floored_to_the_day(tmp_path: Path, units: str) -> None:
    path = write(tmp_path / "a.nc", sst=SMALL[:1], time_units=units)
    assert read_days(path) == (DAY,)


TURNED = np.zeros((2, 4, 3), np.int16)
BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no variable": ({"variable": "x", "dimensions": ("time", "lon", "lat"), "sst": TURNED}, "has no variable sst"),
    "other order": ({"dimensions": ("time", "lon", "lat"), "sst": TURNED}, "not on"),
    "time units": ({"sst": SMALL, "time_units": "fortnights since 2020-01-01"}, "counts time in"),
    "month 13": ({"sst": SMALL, "time_units": "days since 2020-13-01"}, "counts time in"),
    "far future": ({"sst": SMALL, "times": [0, 1e20]}, "impossible time"),
    "no number": ({"sst": SMALL, "times": [0, np.nan]}, "no numbers"),
    "zigzag": ({"sst": SMALL, "latitude": np.array([0.1, 0.3, 0.2])}, "neither ascends nor descends"),
    "other days": ({"sst": SMALL, "time_units": "days since 1990-01-01"}, "none of the days"),
    "no axis": ({"sst": SMALL, "names": ("time", "y", "x")}, "has no latitude axis"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_missing_is_named(tmp_path: Path, name: str) -> None:
    given, message = BROKEN[name]
    path = write(tmp_path / "a.nc", **given)
    with pytest.raises(GranuleError, match=message) as caught:
        decode(path, granule(path), WORLD)
    assert caught.value.fields["check"] == "structure"
    assert caught.value.fields["path"] == str(path)


def test_a_box_elsewhere_is_a_matter_of_the_grid(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nc", sst=SMALL)
    for box in (Box(latitude=(50, 60), longitude=(0, 1)), Box(latitude=(-1, 1), longitude=(100, 110))):
        with pytest.raises(GranuleError, match="none within") as caught:
            decode(path, granule(path), box)
        assert caught.value.fields["check"] == "grid"


@given(st.floats(0, 0.999))
def test_a_truncated_file_is_refused(
    daily: Path, tmp_path_factory: pytest.TempPathFactory, share: float
) -> None:
    content = daily.read_bytes()
    path = tmp_path_factory.mktemp("cut") / daily.name
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(GranuleError) as caught:
        decode(path, granule(path), WORLD)
    assert caught.value.fields["check"] == "structure"


@given(place=st.floats(0, 0.999), length=st.integers(1, 4096), value=st.integers(0, 255))
def test_a_corrupt_file_is_refused_or_read(
    daily: Path, tmp_path_factory: pytest.TempPathFactory, place: float, length: int, value: int
) -> None:
    content = bytearray(daily.read_bytes())
    start = int(len(content) * place)
    content[start : start + length] = bytes([value]) * len(content[start : start + length])
    path = tmp_path_factory.mktemp("corrupt") / daily.name
    path.write_bytes(content)
    with suppress(GranuleError):
        assert decode(path, granule(path), WORLD).values.ndim == 3


@pytest.mark.parametrize(
    "content", [b"", b"<!DOCTYPE html><html>", b"CDF\x01" + b"\x00" * 40, b"\x89HDF\r\n\x1a\n" + b"\xff" * 99]
)
def test_what_is_no_netcdf_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.nc"
    path.write_bytes(content)
    with pytest.raises(GranuleError) as caught:
        decode(path, granule(path), WORLD)
    assert caught.value.fields["check"] == "structure"
    with pytest.raises(GranuleError, match="cannot be opened"):
        decode(tmp_path / "absent.nc", granule(path), WORLD)

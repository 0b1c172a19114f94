"""Genuine OISST files: decoded values against the netCDF4 library's own, and the mirror's format against theirs."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest

from pipeline.errors import GranuleError
from pipeline.mirror import Mirror, SimulatedOcean
from pipeline.mirror.archive import Shelf, SimulatedArchive
from pipeline.sources import source
from pipeline.sources.base import Fetched, Granule
from pipeline.sources.fetch import Fetcher
from pipeline.sources.oisst_decode import decode, read_days
from pipeline.types import Box, Field, Status, TimeRange

pytestmark = pytest.mark.real

WORLD = Box(latitude=(-90, 90), longitude=(0, 360))
FINAL, OLD = "oisst-avhrr-v02r01.20211025.nc", "avhrr-only-v2.20180126.nc"
TASMAN, ERDDAP = "tasman_1982_2013.nc", "erddap_peru_2010_jan_mar.nc"
POINT, MONTHLY = "point_1982_2022_descending_lat.nc", "ersst_v5_monthly_2010_2020.nc"
CASES = {
    FINAL: ("sst", dt.date(2021, 10, 25), dt.date(2021, 10, 25), "degree_Celsius"),
    OLD: ("sst", dt.date(2018, 1, 26), dt.date(2018, 1, 26), "degree_Celsius"),
    TASMAN: ("sst", dt.date(1982, 1, 1), dt.date(2013, 12, 31), "degree_Celsius"),
    ERDDAP: ("sst", dt.date(2010, 1, 1), dt.date(2010, 3, 31), "degree_Celsius"),
    POINT: ("oisst_short", dt.date(1982, 1, 1), dt.date(2022, 12, 31), ""),
    MONTHLY: ("sst", dt.date(2010, 1, 1), dt.date(2020, 8, 1), "degree_Celsius"),
}


def whole(path: Path) -> Field:
    return decode(path, Granule("files", str(path), read_days(path), Status.FINAL), WORLD)


def reference(path: Path, variable: str) -> Any:
    """float64 (time, lat, lon) with NaN, latitude ascending, longitude from 0°, by the netCDF4 library."""
    with netCDF4.Dataset(path) as dataset:
        values = np.ma.filled(dataset[variable][:].astype(np.float64), np.nan)
        lat, lon = (
            dataset[next(name for name in names if name in dataset.variables)][:]
            for names in (("lat", "latitude"), ("lon", "longitude"))
        )
    values = values.reshape(len(values), len(lat), len(lon))
    return values[:, np.argsort(lat)][:, :, np.argsort(lon % 360)], np.sort(lat), np.sort(lon % 360)


@pytest.mark.parametrize("name", CASES)
def test_decoding_agrees_with_netcdf4(real_data: Path, name: str) -> None:
    variable, first, last, units = CASES[name]
    path = real_data / "oisst" / name
    field = whole(path)
    values, latitude, longitude = reference(path, variable)
    assert (field.time[0].item(), field.time[-1].item()) == (first, last)
    assert field.units == units
    assert field.status is Status.FINAL
    np.testing.assert_allclose(field.latitude, latitude)
    np.testing.assert_allclose(field.longitude, longitude)
    assert np.array_equal(np.isnan(field.values), np.isnan(values))
    tolerance = 0.0051 if name == MONTHLY else 2e-6
    np.testing.assert_allclose(field.values, values, atol=tolerance, rtol=2e-7)


def test_the_mean_of_a_genuine_day(real_data: Path) -> None:
    path = real_data / "oisst" / FINAL
    with netCDF4.Dataset(path) as dataset:
        raw = dataset["sst"]
        raw.set_auto_maskandscale(False)
        packed = raw[0, 0]
    exact = packed[packed != -999].astype(np.int64).sum() / 100
    values = whole(path).values
    assert np.isnan(values).mean() == pytest.approx(0.3334, abs=1e-4)
    assert np.nansum(values, dtype=np.float64) == pytest.approx(exact, rel=1e-8)


def test_a_box_of_a_genuine_day(real_data: Path) -> None:
    path = real_data / "oisst" / FINAL
    box = Box(latitude=(-45, -37), longitude=(147, 155))
    granule = Granule("files", str(path), (dt.date(2021, 10, 25),), Status.FINAL)
    assert decode(path, granule, box).values.shape == (1, 32, 32)


def test_parts_of_a_long_record(real_data: Path) -> None:
    path = real_data / "oisst" / TASMAN
    local = source("oisst", files=(str(path),))
    period = TimeRange(start=dt.date(1990, 12, 30), end=dt.date(1991, 2, 2))
    granules = local.list_granules("files", period, WORLD, lambda _: b"")
    assert [len(granule.days) for granule in granules] == [2, 31, 2]
    values, _, _ = reference(path, "sst")
    start = (period.start - dt.date(1982, 1, 1)).days
    parts = np.concatenate([local.decode(path, granule, WORLD).values for granule in granules])
    np.testing.assert_allclose(parts, values[start : start + 35], atol=2e-6)
    one = replace(granules[1], days=(dt.date(1991, 1, 9),))
    assert local.decode(path, one, WORLD).time.tolist() == [dt.date(1991, 1, 9)]


def test_a_genuine_file_cut_short(real_data: Path, tmp_path: Path) -> None:
    content = (real_data / "oisst" / FINAL).read_bytes()
    short = tmp_path / FINAL
    short.write_bytes(content[: len(content) // 2])
    with pytest.raises(GranuleError) as caught:
        decode(short, Granule("files", str(short), (dt.date(2021, 10, 25),), Status.FINAL), WORLD)
    assert caught.value.fields["check"] == "structure"


def test_genuine_files_through_the_mirror(real_data: Path, tmp_path: Path) -> None:
    with Mirror(folder=real_data / "oisst") as mirror, Fetcher() as fetcher:
        made = source("oisst", addresses=mirror.addresses)
        period = TimeRange(start=dt.date(2021, 10, 1), end=dt.date(2021, 10, 31))
        granules = made.list_granules("open-data", period, WORLD, fetcher.read)
        (fetched,) = fetcher.fetch(granules, tmp_path)
    assert isinstance(fetched, Fetched)
    assert fetched.path.read_bytes() == (real_data / "oisst" / FINAL).read_bytes()


def described(dataset: Any) -> dict[str, Any]:
    """Everything of a file's format but its values and the words of its texts."""

    def attributes(thing: Any) -> dict[str, str]:
        values = {name: thing.getncattr(name) for name in thing.ncattrs()}
        return {name: type(value).__name__ for name, value in values.items()}

    facts: dict[str, Any] = {
        "model": dataset.data_model,
        "dimensions": {name: (len(each), each.isunlimited()) for name, each in dataset.dimensions.items()},
        "attributes": attributes(dataset),
    }
    for name, variable in dataset.variables.items():
        facts[name] = (
            variable.dtype,
            variable.dimensions,
            variable.shape,
            variable.chunking(),
            variable.filters(),
            variable.endian(),
            {key: variable.getncattr(key) for key in variable.ncattrs()},
            attributes(variable),
        )
    return facts


def test_the_mirror_writes_the_genuine_format(real_data: Path, tmp_path: Path) -> None:
    ocean = SimulatedOcean(first=dt.date(2021, 10, 25), today=dt.date(2021, 12, 1))
    shelf = Shelf(SimulatedArchive(ocean), lambda _: 0)
    day = shelf.find(FINAL)
    (tmp_path / FINAL).write_bytes(shelf.daily(day))
    with netCDF4.Dataset(real_data / "oisst" / FINAL) as genuine, netCDF4.Dataset(tmp_path / FINAL) as ours:
        assert described(ours) == described(genuine)
        for name in (
            "title",
            "id",
            "date_created",
            "time_coverage_start",
            "time_coverage_end",
            "Conventions",
        ):
            assert ours.getncattr(name) == genuine.getncattr(name)
        for name in ("time", "zlev", "lat", "lon"):
            assert np.array_equal(ours[name][:], genuine[name][:])
    size = (real_data / "oisst" / FINAL).stat().st_size
    assert 0.5 * size < (tmp_path / FINAL).stat().st_size < 2 * size

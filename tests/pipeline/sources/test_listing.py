"""Listings: which days each mirror says it has, and clear words where it cannot say."""

import datetime as dt
from collections import Counter
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from pipeline.errors import ConfigError, FetchError, GranuleError, VanishedError
from pipeline.mirror import Mirror
from pipeline.sources import source
from pipeline.sources.base import Granule
from pipeline.sources.fetch import Fetcher
from pipeline.sources.oisst import ADDRESSES, Oisst, OisstConfig
from pipeline.sources.oisst_subsets import dataset
from pipeline.types import Box, Status, TimeRange

PERIOD = TimeRange(start=dt.date(2019, 12, 25), end=dt.date(2020, 1, 31))
LAST_FINAL, LAST = dt.date(2020, 1, 5), dt.date(2020, 1, 19)


def days_of(granules: list[Granule]) -> dict[dt.date, Status]:
    return {day: granule.status for granule in granules for day in granule.days}


@pytest.mark.parametrize("mirror_name", list(ADDRESSES))
def test_every_mirror_lists_the_same_days(
    mirror_name: str, oisst: Oisst, fetcher: Fetcher, tasman: Box
) -> None:
    granules = list(oisst.list_granules(mirror_name, PERIOD, tasman, fetcher.read))
    listed = [day for granule in granules for day in granule.days]
    assert listed == [PERIOD.start + dt.timedelta(days=n) for n in range((LAST - PERIOD.start).days + 1)]
    assert days_of(granules) == {
        day: Status.FINAL if day <= LAST_FINAL else Status.PRELIMINARY for day in listed
    }
    assert {granule.mirror for granule in granules} == {mirror_name}


def test_a_bucket_is_read_page_by_page(oisst: Oisst, fetcher: Fetcher, tasman: Box, mirror: Mirror) -> None:
    whole = oisst.list_granules("open-data", PERIOD, tasman, fetcher.read)
    mirror.requests.clear()
    paged = oisst.list_granules("open-data", PERIOD, tasman, lambda url: fetcher.read(f"{url}&max-keys=5"))
    assert paged == whole
    assert all(granule.version for granule in paged)
    assert len(mirror.requests) == 3 + 4


@pytest.mark.parametrize("mirror_name", ["open-data", "ncei"])
def test_a_final_goes_before_its_preliminary(mirror_name: str, tasman: Box) -> None:
    stem = "oisst-avhrr-v02r01.20200105"
    names = [f"{stem}_preliminary.nc", f"{stem}.nc", "oisst-avhrr-v02r01.20201399.nc", "readme.nc"]
    rows = "".join(
        f'<tr><td><a href="{name}">{name}</a></td><td>2020-01-20 09:12</td></tr>' for name in names
    )
    keys = "".join(
        f"<Contents><Key>data/v2.1/avhrr/202001/{name}</Key><ETag>e</ETag></Contents>" for name in names
    )
    answers = {
        "ncei": f"<title>Index of /</title>{rows}",
        "open-data": f"<ListBucketResult>{keys}</ListBucketResult>",
    }
    january = TimeRange(start=dt.date(2020, 1, 1), end=dt.date(2020, 1, 31))
    (only,) = Oisst().list_granules(mirror_name, january, tasman, lambda _: answers[mirror_name].encode())
    assert only.name == f"{stem}.nc"
    assert only.status is Status.FINAL


def test_a_month_not_begun_is_empty_but_a_wrong_address_is_an_error(
    oisst: Oisst, fetcher: Fetcher, tasman: Box, mirror: Mirror
) -> None:
    future = TimeRange(start=dt.date(2020, 2, 1), end=dt.date(2020, 3, 1))
    for name in ADDRESSES:
        assert not oisst.list_granules(name, future, tasman, fetcher.read)
    wrong = Oisst(OisstConfig(addresses=dict.fromkeys(ADDRESSES, f"{mirror.url}/nowhere")))
    for name in ADDRESSES:
        with pytest.raises(VanishedError):
            wrong.list_granules(name, PERIOD, tasman, fetcher.read)


@pytest.mark.parametrize("mirror_name", list(ADDRESSES))
def test_a_page_that_is_no_listing_is_refused(mirror_name: str, tasman: Box) -> None:
    page = b"<html><body>Down for maintenance</body></html>"
    with pytest.raises(FetchError, match="did not answer with") as caught:
        Oisst().list_granules(mirror_name, PERIOD, tasman, lambda _: page)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("longitude", "name"),
    [
        ((147, 155), "d"),
        ((170, -170), "d"),
        ((0, 360), "d"),
        ((-6, 37), "d_LonPM180"),
        ((350, 10), "d_LonPM180"),
        ((-180, 180), "d_LonPM180"),
        ((-60, 200), "d"),
    ],
)
def test_erddap_is_asked_in_longitudes_without_a_break(longitude: tuple[float, float], name: str) -> None:
    assert dataset(Box(latitude=(0, 10), longitude=longitude), "d") == name


def test_erddap_pieces_hold_a_year_or_less(tasman: Box) -> None:
    period = TimeRange(start=dt.date(1999, 5, 1), end=dt.date(2001, 2, 1))
    granules = Oisst().list_granules("erddap", period, tasman, lambda _: b"2020-01-05T12:00:00Z\n")
    assert [day for granule in granules for day in granule.days] == list(period.days().tolist())
    assert len({granule.url for granule in granules}) == 3
    assert "ncdcOisst21Agg.nc?sst%5B(1999-05-01T12:00:00Z):1:(1999-12-31T12:00:00Z)%5D" in granules[0].url
    assert granules[0].url.endswith("%5B(-44.875):1:(-37.125)%5D%5B(147.125):1:(154.875)%5D")
    world = Box(latitude=(-90, 90), longitude=(0, 360))
    months = Oisst().list_granules("erddap", period, world, lambda _: b"2020-01-05T12:00:00Z\n")
    assert max(Counter(granule.url for granule in months).values()) <= 2


def test_psl_versions_are_of_what_no_longer_changes(tasman: Box) -> None:
    index = (
        b"<title>Index of /psl</title>"
        b'<a href="sst.day.mean.2019.nc">x</a></td><td>2020-01-16 10:00</td><td>500M</td></tr>'
        b'<a href="sst.day.mean.2020.nc">x</a></td><td>2020-01-20 10:00</td><td>30M</td></tr>'
    )
    granules = Oisst().list_granules("psl", PERIOD, tasman, lambda _: index)
    assert [(each.days[0].isoformat(), each.status.name, bool(each.version)) for each in granules] == [
        ("2019-12-25", "FINAL", True),
        ("2020-01-01", "FINAL", False),
        ("2020-01-06", "PRELIMINARY", True),
    ]


def test_local_files_by_name_and_by_time_axis(tmp_path: Path, tasman: Box) -> None:
    (tmp_path / "oisst-avhrr-v02r01.20200102_preliminary.nc").write_bytes(b"read only when decoded")
    with netCDF4.Dataset(tmp_path / "many.nc", "w") as dataset:
        dataset.createDimension("time", 40)
        dataset.createVariable("time", "i4", ("time",))[:] = np.arange(40)
        dataset["time"].units = "days since 2020-01-11 12:00:00"
    local = source("oisst", files=(str(tmp_path / "*.nc"),))
    assert local.mirrors == ("files",)
    period = TimeRange(start=dt.date(2020, 1, 1), end=dt.date(2020, 2, 10))
    granules = local.list_granules("files", period, tasman, lambda _: b"")
    assert [(each.days[0].isoformat(), len(each.days), each.status.name) for each in granules] == [
        ("2020-01-02", 1, "PRELIMINARY"),
        ("2020-01-11", 21, "FINAL"),
        ("2020-02-01", 10, "FINAL"),
    ]


def test_local_files_that_cannot_be_had(tmp_path: Path, tasman: Box) -> None:
    nothing = source("oisst", files=(str(tmp_path / "*.nc"),))
    with pytest.raises(ConfigError, match="no file matches"):
        nothing.list_granules("files", PERIOD, tasman, lambda _: b"")
    (tmp_path / "unnamed.nc").write_bytes(b"<html>")
    with pytest.raises(GranuleError, match=r"unnamed\.nc is a page of HTML"):
        nothing.list_granules("files", PERIOD, tasman, lambda _: b"")


def test_typing_errors_name_the_nearest_right_spelling() -> None:
    with pytest.raises(ConfigError, match="did you mean 'oisst'"):
        source("oist")
    with pytest.raises(ConfigError, match=r"no mirror 'ncie'[\s\S]*did you mean 'ncei'"):
        source("oisst", mirrors=("open-data", "ncie"))
    with pytest.raises(ConfigError, match=r"'mirors'[\s\S]*did you mean 'mirrors'"):
        source("oisst", mirors=("ncei",))
    with pytest.raises(ConfigError, match=r"no mirror 'nceii'[\s\S]*did you mean 'ncei'"):
        source("oisst", addresses={"nceii": "http://127.0.0.1"})
    with pytest.raises(ConfigError, match="mirrors is empty"):
        source("oisst", mirrors=())
    with pytest.raises(ConfigError, match="no mirror 'nceo'"):
        Oisst().list_granules("nceo", PERIOD, Box(latitude=(0, 1), longitude=(0, 1)), lambda _: b"")

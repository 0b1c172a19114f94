"""The simulated station: what its numbers obey, what tomorrow can be told from, and how it is served."""

import datetime as dt
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.mirror import Mirror, SimulatedOcean, SimulatedWeather
from pipeline.mirror.moisture import derived
from pipeline.quality.series import cleaned, inspect_table
from pipeline.types import Table

FIRST, TODAY = dt.date(2016, 1, 1), dt.date(2019, 3, 10)
WEATHER = SimulatedWeather(seed=3, first=FIRST, today=TODAY)
CLASSIC = "jena_climate_2009_2016.csv.zip"
TWO_PLACES = 0.0051


def column(table: Table, name: str) -> np.ndarray:
    return table.values[:, table.variables.index(name)]


@pytest.fixture(scope="module")
def year() -> Table:
    return WEATHER.table(dt.date(2017, 1, 1), dt.date(2017, 12, 31))


@pytest.fixture(scope="module")
def clean(year: Table) -> Table:
    return cleaned(inspect_table(year, "year")[0])[0]


def test_any_period_is_part_of_the_whole(year: Table) -> None:
    part = SimulatedWeather(seed=3, first=FIRST, today=dt.date(2018, 6, 1)).table(
        dt.date(2017, 5, 3), dt.date(2017, 5, 9)
    )
    inside = np.isin(year.time, part.time)
    np.testing.assert_array_equal(part.values, year.values[inside])
    assert part.time[0] == np.datetime64("2017-05-03T00:10")
    assert part.time[-1] == np.datetime64("2017-05-10T00:00")


def test_seeds_differ_and_years_go_on_without_a_jump(year: Table) -> None:
    other = SimulatedWeather(seed=4, first=FIRST, today=TODAY).table(
        dt.date(2017, 1, 1), dt.date(2017, 12, 31)
    )
    apart = column(other, "air_temperature")[:50] - column(year, "air_temperature")[:50]
    assert np.abs(apart).min() > 0
    turn = WEATHER.table(dt.date(2016, 12, 31), dt.date(2017, 1, 1))
    for name, most in (("air_pressure", 1.0), ("air_temperature", 1.5)):
        assert np.abs(np.diff(column(turn, name))).max() < most


def test_nothing_is_served_from_today_on_or_before_the_first_day() -> None:
    whole = WEATHER.table(dt.date(2015, 12, 1), dt.date(2030, 1, 1))
    assert whole.time[0] == np.datetime64(FIRST) + np.timedelta64(10, "m")
    assert whole.time[-1] == np.datetime64(TODAY, "s")
    assert not len(WEATHER.table(TODAY, TODAY + dt.timedelta(days=3)).time)


def test_air_is_moist_air(clean: Table) -> None:
    pressure, temperature, humidity = (
        column(clean, name) for name in ("air_pressure", "air_temperature", "relative_humidity")
    )
    for name, values in derived(pressure, temperature, humidity).items():
        np.testing.assert_allclose(column(clean, name), values, atol=TWO_PLACES, err_msg=name)
    assert np.nanmax(column(clean, "dew_point_temperature") - temperature) < 0.02
    assert np.nanmax(humidity) <= 100


def test_weather_has_seasons_days_and_wind(clean: Table) -> None:
    temperature, light = column(clean, "air_temperature"), column(clean, "shortwave_radiation")
    month = clean.time.astype("datetime64[M]").astype(int) % 12
    hour = clean.time.astype("datetime64[h]").astype(int) % 24
    assert temperature[month == 6].mean() - temperature[month == 0].mean() > 10
    assert temperature[hour == 14].mean() - temperature[hour == 4].mean() > 3
    assert light[hour == 1].max() == 0
    assert 600 < light[hour == 12].max() < 1400
    assert np.nanmin(column(clean, "wind_gust") - column(clean, "wind_speed")) >= 0
    assert column(clean, "wind_direction").min() >= 0
    assert column(clean, "wind_direction").max() <= 360
    assert 6 < column(clean, "air_pressure").std() < 12
    assert 0 < (column(clean, "precipitation") > 0).mean() < 0.3


def test_the_station_has_its_faults(year: Table) -> None:
    settled, findings = inspect_table(year, "year")
    assert len(year.time) == 365 * 144 - 9 + 2
    assert len(settled.time) == len(year.time) - 3
    assert [finding.check for finding in findings] == ["duplicates", "duplicates"]
    steps = np.diff(settled.time)
    assert sorted(steps[steps != np.timedelta64(600, "s")].astype(int).tolist()) == [1200, 6000]
    bad = (year.values == -9999).any(axis=0)
    assert {name for name, each in zip(year.variables, bad, strict=True) if each} == {
        "wind_speed",
        "wind_gust",
        "photosynthetic_radiation_maximum",
        "carbon_dioxide",
    }


def test_all_variables_tell_more_of_tomorrow_than_temperature_or_yesterday() -> None:
    table = WEATHER.table(FIRST, TODAY)
    clean = cleaned(inspect_table(table, "all")[0])[0]
    values = clean.values[::6, :14]
    values = np.where(np.isfinite(values), values, np.nanmean(values, axis=0))
    target, place = values[24:, 1], np.arange(len(values)) * 2 * np.pi
    south = values[:, 11] * np.cos(np.radians(values[:, 13]))
    cycles = [f(place / length) for f in (np.sin, np.cos) for length in (24, 24 * 365.2425)]

    def error(columns: list[np.ndarray]) -> float:
        lagged = [np.roll(each, lag) for each in columns for lag in (0, 3, 12)]
        design = np.stack([*lagged, *cycles, np.ones(len(values))], axis=1)[:-24]
        half = len(design) // 2
        weights = np.linalg.lstsq(design[24:half], target[24:half], rcond=None)[0]
        return float(np.abs(design[half:] @ weights - target[half:]).mean())

    yesterday = float(np.abs(values[24:, 1] - values[:-24, 1])[len(values) // 2 :].mean())
    alone = error([values[:, 1]])
    together = error([values[:, 1], values[:, 0], values[:, 4], values[:, 9], south])
    assert 1.5 < yesterday < 3.5
    assert alone < 0.97 * yesterday
    assert together < 0.95 * alone


@pytest.fixture(scope="module")
def mirror() -> Iterator[Mirror]:
    with Mirror(weather=WEATHER) as mirror:
        yield mirror


@pytest.fixture
def client(mirror: Mirror) -> Iterator[httpx.Client]:
    mirror.faults.clear()
    with httpx.Client(base_url=mirror.url, timeout=20, verify=False, trust_env=False) as client:
        yield client


def lines(content: bytes) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        name = next(name for name in archive.namelist() if not name.startswith("__MACOSX"))
        return archive.read(name).split(b"\r\n")


def test_the_two_formats(client: httpx.Client) -> None:
    classic, tensorflow = (client.get(f"/{prefix}/{CLASSIC}") for prefix in ("keras", "tensorflow"))
    assert classic.content == tensorflow.content
    assert classic.headers["Content-Type"] == "application/zip"
    header, first, *_ = lines(classic.content)
    assert header.startswith(b'"Date Time","p (mbar)","T (degC)"')
    assert header.count(b",") == 14
    assert first.startswith(b"01.01.2016 00:10:00,")
    later = lines(client.get("/station/mpi_roof_2019a.zip").content)
    assert "SWDR (W/m²),PAR (µmol/m²/s)".encode("latin-1") in later[0]
    assert later[-2].startswith(b"10.03.2019 00:00:00,")
    assert later[-1] == b""


@pytest.mark.parametrize(
    "path",
    [
        "/keras/",
        "/keras/mpi_roof_2017a.zip",
        f"/station/{CLASSIC}",
        "/station/mpi_roof_2015b.zip",
        "/station/mpi_roof_2017.zip",
        "/station/mpi_roof_2019b.zip",
        "/station/mpi_roof_2024a.zip",
        "/station/mpi_roof_0000.zip",
    ],
)
def test_what_is_not_there(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_simulation_that_begins_late_has_no_classic_file() -> None:
    weather = SimulatedWeather(first=dt.date(2017, 1, 1), today=dt.date(2017, 1, 5))
    with Mirror(weather=weather) as late:
        statuses = [
            httpx.get(late.url + path, verify=False, trust_env=False).status_code
            for path in (f"/keras/{CLASSIC}", "/station/mpi_roof_2017a.zip")
        ]
    assert statuses == [404, 200]


def test_the_running_file_grows_and_closed_ones_stay(mirror: Mirror, client: httpx.Client) -> None:
    paths = ("/station/mpi_roof_2019a.zip", "/station/mpi_roof_2018b.zip")
    before = [client.get(path) for path in paths]
    running = before[0]
    assert mirror.today == TODAY
    mirror.advance(1)
    try:
        tags = [{"If-None-Match": each.headers["ETag"]} for each in before]
        grown, same = (client.get(path, headers=tag) for path, tag in zip(paths, tags, strict=True))
    finally:
        mirror.advance(-1)
    assert same.status_code == 304
    assert len(lines(grown.content)) == len(lines(running.content)) + 144
    assert lines(grown.content)[: len(lines(running.content)) - 1] == lines(running.content)[:-1]
    assert client.get(paths[0]).content == running.content


def test_faults_happen_to_the_station_too(mirror: Mirror, client: httpx.Client) -> None:
    path = "/station/mpi_roof_2018b.zip"
    sound = client.get(path)
    for fault in ("503*1:…/mpi_roof_2018b*", "html*1:/station/*", "changed:…/mpi_roof_2018b.zip"):
        mirror.faults.add(fault)
    assert client.get(path).status_code == 503
    assert client.get(path).headers["Content-Type"].startswith("text/html")
    changed = client.get(path)
    assert changed.headers["ETag"] != sound.headers["ETag"]
    assert changed.content != sound.content


def test_recorded_files_are_served_as_they_are(client: httpx.Client, tmp_path: Path) -> None:
    body = client.get("/station/mpi_roof_2019a.zip").content
    (tmp_path / "mpi_roof_2019a.zip").write_bytes(body)
    (tmp_path / "plain.csv").write_bytes(b"Date Time\r\n")
    with Mirror(station_folder=tmp_path) as recorded:
        for prefix in ("keras", "station"):
            got = httpx.get(f"{recorded.url}/{prefix}/mpi_roof_2019a.zip", verify=False, trust_env=False)
            assert got.content == body
        answer = httpx.get(f"{recorded.url}/station/plain.csv", verify=False, trust_env=False)
        assert (answer.content, answer.headers["Content-Type"]) == (b"Date Time\r\n", "text/csv")


def test_one_clock_and_both_sources(tmp_path: Path) -> None:
    made = Mirror(ocean=SimulatedOcean(first=dt.date(2020, 1, 1), today=dt.date(2020, 2, 1)))
    assert made.today == made.station.today == dt.date(2020, 2, 1)
    assert Mirror(weather=WEATHER).today == TODAY
    with made:
        assert made.addresses == made.addresses_of("oisst")
        assert made.addresses_of("jena")["station"] == f"{made.url}/station"
    with pytest.raises(ConfigError, match="not both"):
        Mirror(weather=WEATHER, station_folder=tmp_path)
    with pytest.raises(ConfigError, match="no zip or CSV"):
        Mirror(station_folder=tmp_path)

"""Reading a station: as its axis has it or as its rows do, with what is derived at reading."""

import json
import pickle

import numpy as np
import pytest
import xarray as xr
from compliance_checker.runner import CheckSuite, ComplianceChecker
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigError, NotFoundError
from pipeline.quality.series import STEP
from pipeline.sources.jena_columns import COMMON_VARIABLES
from pipeline.store import series_reader
from pipeline.store.readings import SeriesReading
from pipeline.store.series_derived import DIRECTION, component, time_cycles
from pipeline.store.state import last_day
from pipeline.types import Status
from tests.stations import FEW, START, file_rows, joined, make_table, write_common, write_series


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("series") / "store"
    write_common(path, days=9)
    return path


def read(path, **options):
    return SeriesReading(path=path, region="roof", **({"target": "air_temperature"} | options)).read(None)


def names(record):
    return tuple(quantity.name for quantity in record.variables)


def test_a_reading_travels_and_gives_the_record_as_of_its_snapshot(path):
    reading = pickle.loads(pickle.dumps(SeriesReading(path=path, region="roof", target="air_density")))
    record = reading.read(series_reader.open_series(path, "roof").attrs["snapshot"])
    assert (record.target, record.quantity.units, record.protocol) == ("air_density", "g m-3", "clean")
    assert record.values.dtype == np.float32
    assert record.values.flags.c_contiguous
    assert record.time.dtype == "datetime64[ns]"
    assert (record.latitude.tolist(), record.longitude.tolist()) == ([50.5], [11.5])
    with pytest.raises(NotFoundError, match="no snapshot"):
        reading.read("NOSUCHSNAPSHOT000000")


def test_wind_comes_as_components_unless_it_is_asked_for_as_published(path):
    components = ("eastward_wind", "northward_wind", "gust_eastward", "gust_northward")
    record = read(path)
    assert names(record) == (*COMMON_VARIABLES[:11], *components)
    plain = read(path, wind_components=False)
    assert names(plain) == COMMON_VARIABLES
    np.testing.assert_array_equal(record.values[:, :11], plain.values[:, :11])
    speed, gust, direction = plain.values[:, 11:].T.astype(float)
    # From where the wind comes, clockwise from north; so as a complex number north is the real axis.
    for place, size in ((11, speed), (13, gust)):
        blown = -size * np.exp(1j * np.radians(direction))
        np.testing.assert_allclose(record.values[:, place], blown.imag, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(record.values[:, place + 1], blown.real, rtol=1e-5, atol=1e-5)
    chosen = read(path, variables=("northward_wind", "air_temperature", "wind_speed"))
    assert names(chosen) == ("northward_wind", "air_temperature", "wind_speed")
    np.testing.assert_array_equal(chosen.values[:, 0], record.values[:, 12])


@pytest.mark.parametrize(
    ("direction", "eastward", "northward"), [(0, 0, -5), (90, -5, 0), (180, 0, 5), (270, 5, 0)]
)
def test_a_wind_from_the_west_blows_eastward(direction, eastward, northward):
    columns = {"wind_speed": np.float32([5]), DIRECTION: np.float32([direction])}
    assert component("eastward_wind", columns)[0] == pytest.approx(eastward, abs=1e-5)
    assert component("northward_wind", columns)[0] == pytest.approx(northward, abs=1e-5)


def test_time_features_follow_the_variables(path):
    record = read(path, time_features=True)
    assert names(record)[-4:] == (
        "hour_of_day_sine",
        "hour_of_day_cosine",
        "time_of_year_sine",
        "time_of_year_cosine",
    )
    np.testing.assert_array_equal(record.values[:, -4:], time_cycles(record.time))
    assert np.isfinite(record.values).all()


@given(st.datetimes())
def test_time_features_are_on_the_circle_and_come_back_each_day_and_year(moment):
    time = np.array([moment], "datetime64[s]")
    day_sine, day_cosine, year_sine, year_cosine = time_cycles(time)[0]
    assert day_sine**2 + day_cosine**2 == pytest.approx(1, abs=1e-5)
    assert year_sine**2 + year_cosine**2 == pytest.approx(1, abs=1e-5)
    hour = np.arctan2(day_sine, day_cosine) % (2 * np.pi) * 24 / (2 * np.pi)
    told = moment.hour + moment.minute / 60 + moment.second / 3600
    assert abs((hour - told + 12) % 24 - 12) < 1e-3
    np.testing.assert_allclose(
        time_cycles(time + np.timedelta64(1, "D"))[0, :2], [day_sine, day_cosine], atol=1e-6
    )
    elapsed = (moment - moment.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)).days
    part = np.arctan2(year_sine, year_cosine) % (2 * np.pi) / (2 * np.pi)
    assert abs((part - elapsed / 365.5 + 0.5) % 1 - 0.5) < 0.005


def test_rows_as_published_are_taken_as_contiguous_whatever_their_stamps_say(tmp_path):
    table = joined(*(make_table(a, b, variables=COMMON_VARIABLES) for a, b in ((1, 9), (8, 9), (30, 40))))
    table.values[4, 11] = -9999
    write_series(tmp_path / "store", file_rows(table))
    record = read(tmp_path / "store", protocol="as-published")
    assert names(record) == COMMON_VARIABLES
    np.testing.assert_array_equal(record.values, table.values.astype(np.float32))
    assert record.values[4, 11] == -9999
    np.testing.assert_array_equal(record.time, (START + np.arange(1, 20) * STEP).astype("datetime64[ns]"))
    assert record.usable.all()
    clean = read(tmp_path / "store", wind_components=False)
    assert len(clean.time) == 39
    assert np.flatnonzero(clean.usable).tolist() == [0, 1, 2, 3, 5, 6, 7, *range(29, 39)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"target": "air_temprature"}, "no target 'air_temprature'[\\s\\S]*did you mean 'air_temperature'"),
        (
            {"variables": ("air_density", "wind_sped")},
            "no variable 'wind_sped'[\\s\\S]*did you mean 'wind_speed'",
        ),
        ({"target": "wind_speed"}, "target 'wind_speed' is not among[\\s\\S]*wind_components = false"),
        ({"variables": ("air_density",)}, "target 'air_temperature' is not among[\\s\\S]*add it"),
        ({"protocol": "as-published", "time_features": True}, "counted, not timed"),
        ({"protocol": "as-published", "variables": ("eastward_wind",)}, "no variable 'eastward_wind'"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(path, options, said):
    with pytest.raises(ConfigError, match=said):
        read(path, **options)


def test_the_hourly_view_is_every_sixth_sample(path):
    whole = series_reader.open_series(path, "roof")
    hourly = series_reader.open_series(path, "roof", hourly=True, wind_components=True)
    assert set(hourly.time.dt.minute.values) == {0}
    assert np.all(np.diff(hourly.time.values) == np.timedelta64(1, "h"))
    np.testing.assert_array_equal(hourly.air_temperature, whole.air_temperature[5::6])
    np.testing.assert_array_equal(hourly.eastward_wind, read(path).values[5::6, 11])
    assert hourly.attrs["time_step"] == "PT1H"
    lazy = series_reader.open_series(path, "roof", chunks={})
    assert lazy.air_temperature.chunks is not None
    assert list(lazy.data_vars) == list(COMMON_VARIABLES)


def compliance_errors(dataset: xr.Dataset, folder):
    encoding = {name: {"_FillValue": None} for name in dataset.variables}
    dataset.drop_encoding().to_netcdf(folder / "copy.nc", encoding=encoding)
    CheckSuite.load_all_available_checkers()
    report = folder / "report.json"
    _, broken = ComplianceChecker.run_checker(
        str(folder / "copy.nc"), ["cf:1.11"], 0, "normal", output_filename=str(report), output_format="json"
    )
    assert not broken
    checks = json.loads(report.read_text())["cf:1.11"]["high_priorities"]
    return [check["msgs"] for check in checks if check["value"][0] < check["value"][1]]


@pytest.mark.filterwarnings("ignore")  # the checker's own
def test_the_ioos_compliance_checker_finds_no_error(tmp_path, path):
    data = series_reader.open_series(path, "roof", wind_components=True).load()
    assert data.attrs["featureType"] == "timeSeries"
    assert compliance_errors(data, tmp_path) == []
    del data.air_temperature.attrs["units"]
    assert compliance_errors(data, tmp_path) != [], "the checker has looked"


def test_steps_that_are_not_final_can_be_left_out(tmp_path):
    path = tmp_path / "series"
    closed = file_rows(make_table(1, 289), "2020a.csv")
    growing = file_rows(make_table(289, 500), "2020b.csv", status=Status.PRELIMINARY)
    write_series(path, closed, growing)
    options = {"variables": FEW, "wind_components": False}
    whole, strict = (read(path, final_only=only, **options) for only in (False, True))
    assert whole.usable.sum() == 499
    assert np.flatnonzero(strict.usable).tolist() == list(range(288))
    np.testing.assert_array_equal(strict.time, whole.time)
    np.testing.assert_array_equal(strict.values[:288], whole.values[:288])
    assert str(last_day(path, least=Status.FINAL)) == "2020-01-02"
    assert last_day(path) > last_day(path, least=Status.FINAL)

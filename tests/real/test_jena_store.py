"""The station's real files, ingested into one record."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from pipeline.ingestion import SeriesJob, ingest_series
from pipeline.quality.series import STEP
from pipeline.sources.jena import Jena, JenaConfig
from pipeline.sources.jena_columns import COMMON_VARIABLES
from pipeline.store import series_reader, state
from pipeline.store.series_schema import Station
from pipeline.types import TimeRange

pytestmark = pytest.mark.real
PERIOD = TimeRange(start=dt.date(2009, 1, 1), end=dt.date(2025, 12, 31))
NAMES = ("weather_2020.csv", "mpi_roof_2024_jun_oct.csv")


@pytest.fixture(scope="module")
def done(real_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("jena")
    files = tuple(str(real_data / "jena" / name) for name in NAMES)
    station = Station(name="jena", latitude=Jena.latitude, longitude=Jena.longitude)
    job = SeriesJob(
        Jena(JenaConfig(files=files)), station, folder / "store", folder / "cache", folder / "quarantine"
    )
    return job, ingest_series(job, PERIOD)


def test_two_years_join_to_one_record(done):
    job, result = done
    data = series_reader.open_series(job.store, "jena").load()
    assert (result.final, len(result.refused), len(result.problems)) == (366 + 134, 0, 0)
    between = pd.date_range("2021-01-01", "2024-06-08").date
    assert result.gaps == ()
    assert data.time.values[0] == np.datetime64("2020-01-01T00:10:00")
    assert data.time.values[-1] == np.datetime64("2024-10-20T08:10:00")
    assert np.all(np.diff(data.time.values) == STEP)
    assert int((data.status > 0).sum()) == 52_695 + 19_132
    again = ingest_series(job, PERIOD)
    assert (again.snapshot, again.written, again.gaps) == (None, 0, ())
    assert state.status_summary(job.store).missing == len(between)


def test_the_known_faults_of_2020_are_found(done):
    job, result = done
    data = series_reader.open_series(job.store, "jena").sel(time=slice("2020-01-01", "2021-01-01T00:00"))
    missing = data.time.values[data.status.values == 0]
    gap = np.arange(np.datetime64("2020-05-29T09:40"), np.datetime64("2020-05-29T11:10"), STEP)
    np.testing.assert_array_equal(missing, gap.astype("datetime64[ns]"))
    for name, count in (("wind_speed", 1), ("photosynthetic_radiation_maximum", 30), ("carbon_dioxide", 50)):
        assert int(data[name].isnull().sum()) == count + len(missing)
    assert float(data.air_temperature.min()) > -20
    assert {warning.check for warning in result.warnings} == {"duplicates", "sentinel"}


def test_the_rows_are_those_of_the_files(done, real_data):
    job, _ = done
    record = series_reader.read_series(job.store, "jena", target="air_temperature", protocol="as-published")
    tables = [
        pd.read_csv(real_data / "jena" / name, encoding="latin-1").iloc[:, 1 : 1 + len(COMMON_VARIABLES)]
        for name in NAMES
    ]
    made = np.concatenate([table.to_numpy(np.float32) for table in tables])
    np.testing.assert_array_equal(record.values, made)
    assert (made[:, 11] == -9999).sum() == 1


def test_the_clean_values_are_those_of_pandas(done, real_data):
    job, _ = done
    table = pd.read_csv(real_data / "jena" / NAMES[0], encoding="latin-1", na_values=["-9999", "-9999.0"])
    table = table.drop_duplicates("date").set_index("date")
    table.index = pd.to_datetime(table.index)
    table = table.asfreq("10min")
    record = series_reader.read_series(job.store, "jena", target="air_density", wind_components=False)
    np.testing.assert_array_equal(
        record.values[: len(table)], table.iloc[:, : len(COMMON_VARIABLES)].to_numpy(np.float32)
    )

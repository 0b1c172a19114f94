"""Genuine tables of the Jena station: decoded values against a plain reading, and their known quirks."""

import csv
import datetime as dt
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import GranuleError
from pipeline.mirror import Mirror
from pipeline.mirror.moisture import derived
from pipeline.quality.series import cleaned, inspect_table
from pipeline.sources import source
from pipeline.sources.base import Fetched
from pipeline.sources.fetch import Fetcher
from pipeline.sources.jena_columns import COLUMNS, COMMON_VARIABLES
from pipeline.sources.jena_decode import decode, decode_all
from pipeline.types import Table, TimeRange

pytestmark = pytest.mark.real

RECENT, BENCHMARK = "mpi_roof_2024_jun_oct.csv", "weather_2020.csv"
CLASSIC, NARROW = "jena_climate_2009_2016_first_rows_15cols.csv", "jena_climate.csv"


def column(table: Table, name: str) -> Any:
    return table.values[:, table.variables.index(name)]


@pytest.mark.parametrize(
    ("name", "encoding", "form"),
    [
        (RECENT, "latin-1", "%d.%m.%Y %H:%M:%S"),
        (BENCHMARK, "utf-8", "%Y-%m-%d %H:%M:%S"),
        (CLASSIC, "utf-8", "%d.%m.%Y %H:%M:%S"),
    ],
)
def test_decoding_agrees_with_a_plain_reading(real_data: Path, name: str, encoding: str, form: str) -> None:
    path = real_data / "jena" / name
    table = decode_all(path)
    with path.open(encoding=encoding, newline="") as file:
        rows = list(csv.reader(file))[1:]
    stamps = [dt.datetime.strptime(row[0], form) for row in rows]  # noqa: DTZ007
    np.testing.assert_array_equal(table.time, np.array(stamps, "datetime64[s]"))
    np.testing.assert_array_equal(table.values, [[float(cell) for cell in row[1:]] for row in rows])
    assert table.variables[:14] == COMMON_VARIABLES
    assert len(table.variables) == (14 if name == CLASSIC else len(COLUMNS))
    assert table.line.tolist() == list(range(2, len(rows) + 2))


def test_a_classic_file_without_wind_is_refused(real_data: Path) -> None:
    with pytest.raises(
        GranuleError, match=r"lacks the columns 'wv \(m/s\)'.*'max. wv.*'wd \(deg\)'"
    ) as caught:
        decode_all(real_data / "jena" / NARROW)
    assert caught.value.fields["missing"] == ("wv (m/s)", "max. wv (m/s)", "wd (deg)")
    assert caught.value.fields["line"] == 1


def test_quirks_of_2020(real_data: Path) -> None:
    table = decode_all(real_data / "jena" / BENCHMARK)
    assert len(table.time) == 52_696
    settled, (finding,) = inspect_table(table, BENCHMARK)
    assert finding.message.startswith("1 row repeats an earlier one and is dropped: line 19046")
    assert str(finding.day) == "2020-05-12"
    steps = np.diff(settled.time).astype(int)
    (gap,) = np.flatnonzero(steps != 600)
    assert steps[gap] == 6000
    assert str(settled.time[gap + 1]) == "2020-05-29T11:10:00"
    clean, findings = cleaned(settled)
    assert [finding.message.split(" and ")[0] for finding in findings] == [
        "wind_speed: 1 value is -9999",
        "photosynthetic_radiation_maximum: 30 values are -9999",
        "carbon_dioxide: 50 values are -9999",
    ]
    assert np.isnan(clean.values).sum() == 81
    assert column(table, "carbon_dioxide").max() > 500


def test_quirks_of_2024(real_data: Path) -> None:
    settled, nothing = inspect_table(decode_all(real_data / "jena" / RECENT), RECENT)
    assert not nothing
    _, (finding,) = cleaned(settled)
    assert finding.message.startswith("photosynthetic_radiation_maximum: 18 values are -9999")


def test_the_mirrors_air_is_the_stations(real_data: Path) -> None:
    """Humidity is published more coarsely than vapour pressure, from which its kin are derived."""
    table = cleaned(decode_all(real_data / "jena" / BENCHMARK))[0]
    given = (column(table, name) for name in ("air_pressure", "air_temperature", "relative_humidity"))
    for name, values in derived(*given).items():
        tolerance = 0.09 if name == "air_density" else 0.03
        np.testing.assert_allclose(column(table, name), values, atol=tolerance, err_msg=name)


def test_genuine_files_through_the_mirror(real_data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "recorded"
    folder.mkdir()
    content = (real_data / "jena" / RECENT).read_bytes()
    with zipfile.ZipFile(folder / "mpi_roof_2024.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mpi_roof_2024.csv", content)
    with Mirror(station_folder=folder) as mirror, Fetcher() as fetcher:
        made = source("jena", addresses=mirror.addresses_of("jena"), today=dt.date(2025, 6, 1))
        period = TimeRange(start=dt.date(2024, 7, 1), end=dt.date(2024, 7, 31))
        granules = made.list_granules("station", period, fetcher.read)
        (fetched,) = fetcher.fetch(granules, tmp_path / "cache", complaint=made.content_complaint)
    assert isinstance(fetched, Fetched)
    table = decode(fetched.path, fetched.granule)
    assert len(table.time) == 31 * 144
    assert str(table.time[0]) == "2024-07-01T00:10:00"
    assert str(table.time[-1]) == "2024-08-01T00:00:00"

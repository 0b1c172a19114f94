"""The 92 composites at hand: one movie without a gap, whose files say what they are."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from pipeline.movies.base import MovieSet
from pipeline.movies.motion import extrapolated
from tests.radar import decode_files

pytestmark = pytest.mark.real
BOX = {"rows": (220, 636), "columns": (160, 576), "factor": 4}


@pytest.fixture(scope="module")
def paths(real_data: Path) -> list[Path]:
    return sorted((real_data / "radar" / "knmi").rglob("*.h5"))


def test_they_are_one_movie_of_rain(paths: list[Path]) -> None:
    table = decode_files(paths, BOX)
    assert len(table.ids) == 1
    assert not table.exclusions
    assert table.values.shape == (92, 104, 104)
    assert table.time[0] == np.datetime64("2010-08-26T00:00")
    assert table.time[-1] == np.datetime64("2010-08-26T07:35")
    assert len({np.isnan(each).tobytes() for each in table.values}) == 1
    with h5py.File(paths[40]) as file:
        counts = file["image1/image_data"][220:636, 160:576].astype(float)
    counts[counts == 65535] = np.nan
    expected = counts.reshape(104, 4, 104, 4).mean(axis=(1, 3)) * 0.12
    np.testing.assert_allclose(table.values[40], expected, rtol=1e-5)


def test_rain_is_nearer_to_its_motion_than_to_persistence(paths: list[Path]) -> None:
    values = MovieSet.of(decode_files(paths[60:67], BOX)).values
    known = np.isfinite(values[-1])
    forecast = extrapolated(values[:2], np.log1p(values[:2] / 0.1), 5)
    for lead, truth in enumerate(values[2:]):
        flow = np.sqrt(np.mean((forecast[lead] - truth)[known] ** 2))
        stays = np.sqrt(np.mean((values[1] - truth)[known] ** 2))
        assert flow < 0.75 * stays

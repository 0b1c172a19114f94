"""Files of a collection over the web: which mirror they are taken from, and what a single bad one leaves out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import FetchError, GranuleError
from pipeline.ingestion.collection import CollectionJob
from pipeline.ingestion.movies import ingest_movies
from pipeline.mirror import Mirror
from pipeline.movies.base import MovieTable
from pipeline.sources import movie_source
from pipeline.sources.base import Fetched, Granule
from pipeline.sources.policy import FetchPolicy
from pipeline.store import repository
from pipeline.store.collections import collection_summary
from pipeline.store.movies_reader import read_movie_table
from tests.radar import decode_files, drifting, write_composites

QUICK = FetchPolicy(attempts=2, backoff=0.001, per_second=1000)


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    return write_composites(tmp_path / "knmi", drifting(8))


class Folders:
    """Radar composites of several folders on the web, each a mirror."""

    name = "folders"

    def __init__(self, *mirrors: Mirror) -> None:
        self._made = {
            str(at): movie_source("knmi-radar", addresses=each.addresses_of("knmi-radar"))
            for at, each in enumerate(mirrors, 1)
        }
        self.mirrors = tuple(self._made)

    def list_granules(self, mirror: str, read: Callable[[str], bytes]) -> list[Granule]:
        return [replace(each, mirror=mirror) for each in self._made[mirror].list_granules("web", read)]

    def decode_movies(self, files: Sequence[Fetched]) -> MovieTable:
        return self._made["1"].decode_movies(files)

    def content_complaint(self, head: bytes) -> str:
        return self._made["1"].content_complaint(head)


def job(folder: Path, *mirrors: Mirror) -> CollectionJob[Any]:
    return CollectionJob(Folders(*mirrors), "rain", folder / "store", folder / "cache", QUICK)


@pytest.mark.parametrize(
    ("fault", "check"), [("html", "structure"), ("vanish", "gone"), ("corrupt", "structure")]
)
def test_a_bad_file_on_the_web_is_left_out_as_one_on_disk_is(
    tmp_path: Path, paths: list[Path], fault: str, check: str
) -> None:
    folder = tmp_path / "knmi"
    with (
        Mirror(radar_folder=folder, faults=[f"{fault}:/radar/{paths[3].name}"]) as one,
        Mirror(radar_folder=folder) as two,
    ):
        done = ingest_movies(job(tmp_path, one, two))
        assert ingest_movies(job(tmp_path, one, two)).snapshot is None
    assert (done.movies, done.pictures, done.excluded, done.problems) == (2, 7, {check: 1}, ())
    summary = collection_summary(tmp_path / "store")
    assert summary is not None
    assert [each.file for each in summary.exclusions] == [paths[3].name]
    rest = decode_files([*paths[:3], *paths[4:]])
    held = read_movie_table(tmp_path / "store", "rain")
    np.testing.assert_array_equal(held.values, rest.values)
    np.testing.assert_array_equal(held.offset, rest.offset)


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        ("503:/radar/", "listing"),
        ("404:/radar/", "listing"),
        ("html:/radar/RAD*", "RAD"),
        ("503:/radar/*0015.h5", "0015"),
    ],
)
def test_where_a_mirror_has_nothing_or_fails_for_now_the_next_one_is_asked(
    tmp_path: Path, paths: list[Path], fault: str, what: str
) -> None:
    """What fails for the moment may be there again tomorrow: no movie is broken for it."""
    folder = tmp_path / "knmi"
    with Mirror(radar_folder=folder, faults=[fault]) as one, Mirror(radar_folder=folder) as two:
        done = ingest_movies(job(tmp_path, one, two))
    assert (done.movies, done.pictures, done.excluded) == (1, len(paths), {})
    assert done.problems
    assert all(each.mirror == "1" and what in each.what for each in done.problems)


@pytest.mark.parametrize(
    ("fault", "error", "said"),
    [
        ("503:/radar/", FetchError, "failed 2 times"),
        ("503:/radar/*0015.h5", FetchError, "failed 2 times"),
        ("html:/radar/RAD*", GranuleError, "page of HTML"),
        ("vanish:/radar/RAD*", FetchError, "is gone"),
    ],
)
def test_where_no_mirror_has_them_the_first_failure_is_raised_and_nothing_is_written(
    tmp_path: Path, paths: list[Path], fault: str, error: type[Exception], said: str
) -> None:
    assert paths
    with (
        Mirror(radar_folder=tmp_path / "knmi", faults=[fault]) as mirror,
        pytest.raises(error, match=said),
    ):
        ingest_movies(job(tmp_path, mirror))
    assert not repository.exists(tmp_path / "store")

"""Movies in their store: what was written comes back, a second ingestion writes nothing, and all of it is told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr

from pipeline.errors import GranuleError, NotFoundError, StoreError, WorkspaceError
from pipeline.ingestion.collection import CollectionJob
from pipeline.ingestion.movies import ingest_movies
from pipeline.movies.base import MovieSet, MovieTable
from pipeline.records.base import Exclusion, SourceFile
from pipeline.sources import movie_source
from pipeline.store import collection_schema, repository
from pipeline.store.collections import collection_summary
from pipeline.store.movies_reader import read_movie_sources, read_movie_table, read_movies
from pipeline.store.movies_writer import write_movies
from tests.squares import rain, squares


class Given:
    """A source that gives a table."""

    name = "given"
    mirrors = ("made-here",)

    def __init__(self, table: MovieTable) -> None:
        self.table = table

    def list_granules(self, mirror, read):
        return []

    def decode_movies(self, files):
        return self.table

    def content_complaint(self, head):
        return ""


def job(folder: Path, table: MovieTable | None = None, name: str = "squares") -> CollectionJob:
    source = Given(table) if table else movie_source("moving-squares", movies=4, longer=1, size=8)
    return CollectionJob(source, name, folder / "store", folder / "cache")


@pytest.mark.parametrize(
    "table", [squares(4), rain((3, 1, 5)), squares(2, noise=False)], ids=["squares", "rain", "plain"]
)
def test_what_was_written_comes_back(tmp_path: Path, table: MovieTable) -> None:
    table = replace(
        table,
        sources=(SourceFile(url="x.h5", sha256="0"),),
        exclusions=(Exclusion(record="a", check="size", file="x.h5", message="is of 1 × 1 cells"),),
    )
    assert write_movies(tmp_path / "store", "squares", table)
    back = read_movie_table(tmp_path / "store", "squares")
    for name in ("ids", "picture", "y", "x", "sources", "exclusions"):
        assert getattr(back, name) == getattr(table, name)
    for name in ("offset", "time", "values", "source"):
        held, given = getattr(back, name), getattr(table, name)
        assert held.dtype == given.dtype
        np.testing.assert_array_equal(held, given)
    assert (back.truth is None) == (table.truth is None)
    assert back.sha256 == table.sha256
    assert read_movie_sources(tmp_path / "store", "squares") == table.sources


def test_pictures_lie_one_after_another_as_counts(tmp_path: Path) -> None:
    table = rain((3, 5))
    write_movies(tmp_path / "store", "squares", table)
    session = repository.read_session(tmp_path / "store")
    group = zarr.open_group(session.store, mode="r")["squares"]
    assert group["value"].shape == (8, 3, 4)
    assert group["value"].dtype == np.int16
    assert group["value"].attrs["scale_factor"] == 0.01
    assert group["offset"][:].tolist() == [0, 3, 8]
    assert group["value"].metadata.dimension_names == ("picture", "y", "x")


def test_readers_miss_what_cannot_be_and_nothing_else(tmp_path: Path) -> None:
    table = rain((4,))
    table.values[1, 2, 3] = -0.5
    write_movies(tmp_path / "store", "squares", table)
    assert read_movie_table(tmp_path / "store", "squares").values[1, 2, 3] == np.float32(-0.5)
    read = read_movies(tmp_path / "store", "squares")
    assert np.isnan(read.values[1, 2, 3])
    assert np.isnan(read.values).sum() == np.isnan(table.values).sum() + 1
    assert collection_summary(tmp_path / "store").implausible == 1


def test_a_second_ingestion_writes_nothing_and_another_content_does(tmp_path: Path) -> None:
    first = ingest_movies(job(tmp_path))
    assert (first.movies, first.pictures) == (4, 3 * 16 + 23)
    again = ingest_movies(job(tmp_path))
    assert again.snapshot is None
    assert again.lines == ["the store holds 4 movies (71 pictures) already"]
    other = ingest_movies(job(tmp_path, squares(4)))
    assert other.snapshot not in {None, first.snapshot}


def test_the_summary_tells_lengths_and_what_was_left_out(tmp_path: Path) -> None:
    gone = Exclusion(record="x", check="no-values", file="x.h5", message="the frame has no value in any cell")
    done = ingest_movies(job(tmp_path, replace(rain((3, 3, 5)), exclusions=(gone,))))
    assert done.lines == ["ingested 3 movies (11 pictures), 1 left out: 1 no-values"]
    summary = collection_summary(tmp_path / "store")
    assert (summary.lengths, summary.excluded, summary.size) == ({3: 2, 5: 1}, 1, (3, 4))
    assert summary.shorter(5) == 2
    assert summary.exclusions[0].told == "x.h5: the frame has no value in any cell"
    assert summary.facts["movies"] == "3 movies of 3 to 5 pictures, 11 pictures of 3 × 4 cells"


def test_a_summary_is_of_its_snapshot(tmp_path: Path) -> None:
    first = ingest_movies(job(tmp_path, rain((3, 3, 5))))
    second = ingest_movies(job(tmp_path, rain((4,))))
    for done, movies in ((first, 3), (second, 1)):
        summary = collection_summary(tmp_path / "store", done.snapshot)
        assert (summary.movies, summary.snapshot) == (movies, done.snapshot)
    assert collection_summary(tmp_path / "store").movies == 1
    with pytest.raises(NotFoundError, match="has no snapshot"):
        collection_summary(tmp_path / "store", "0" * 20)


def test_nothing_left_is_refused_with_the_first_reason(tmp_path: Path) -> None:
    gone = Exclusion(record="x", check="no-values", file="x.h5", message="the frame has no value in any cell")
    empty = replace(rain(()), exclusions=(gone,))
    with pytest.raises(
        GranuleError, match=r"no movie could be used; 1 were left out, the first x: x.h5: the frame"
    ):
        ingest_movies(job(tmp_path, empty))
    assert not repository.exists(tmp_path / "store")


def test_pictures_of_another_size_than_the_axes_are_refused(tmp_path: Path) -> None:
    odd = replace(rain((4,)), values=np.zeros((4, 3, 3), np.float32))
    with pytest.raises(GranuleError, match="pictures are of 3 × 3 cells, and their axes of 3 × 4"):
        ingest_movies(job(tmp_path, odd))
    assert not repository.exists(tmp_path / "store")


def test_a_store_of_something_else_is_left_alone(tmp_path: Path) -> None:
    ingest_movies(job(tmp_path))
    with pytest.raises(StoreError, match="the store is that of squares, and 'rain' needs one of its own"):
        ingest_movies(job(tmp_path, name="rain"))
    with pytest.raises(StoreError, match="the store has no movies 'rain'; it has squares"):
        read_movies(tmp_path / "store", "rain")


def test_a_store_of_a_newer_isotherm_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(collection_schema, "FORMAT", 9)
        ingest_movies(job(tmp_path))
    with pytest.raises(WorkspaceError, match="have format 9"):
        read_movies(tmp_path / "store", "squares")


def test_a_set_keeps_what_is_possible_as_it_is() -> None:
    table = squares(3)
    record = MovieSet.of(table)
    assert record.values is table.values
    assert record.asked is table.truth
    assert not record.timed

"""Ingestion of movies; see `pipeline.ingestion.collection`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.ingestion.collection import (
    CollectionIngested,
    by_check,
    fetch_all,
    require_any,
)
from pipeline.naming import counted
from pipeline.store.movies_writer import write_movies

if TYPE_CHECKING:
    from pipeline.ingestion.collection import CollectionJob
    from pipeline.sources.base import MovieSource


class MoviesIngested(CollectionIngested):
    """What the store of movies holds after an ingestion."""

    movies: int = 0
    pictures: int = 0

    @property
    def what(self) -> str:
        """What the store holds, as people are told."""
        return f"{counted(self.movies, 'movie')} ({counted(self.pictures, 'picture')})"


def ingest_movies(job: CollectionJob[MovieSource]) -> MoviesIngested:
    """Bring the store up to date; where it holds the same movies already nothing is written.

    Raises
    ------
    FetchError
        No mirror could give all the files.
    GranuleError
        No file can be used, or no movie is left of them; one of several is left out.
    StoreError, DiskFullError
        The store is as it was.
    """
    haul = fetch_all(job, may_lack=True)
    table = job.source.decode_movies(haul.files)
    table = replace(table, exclusions=(*haul.exclusions, *table.exclusions))
    require_any(table.ids, table.exclusions, "movie")
    return MoviesIngested(
        snapshot=write_movies(job.store, job.name, table),
        movies=len(table.ids),
        pictures=len(table.values),
        excluded=by_check(table.exclusions),
        problems=haul.problems,
    )

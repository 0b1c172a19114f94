"""Reading movies, and what is told of them without reading them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from pipeline.movies.base import MovieSet, MovieTable, Picture
from pipeline.naming import counted
from pipeline.store import movies_schema as layout
from pipeline.store import repository
from pipeline.store.collection_schema import collection_group, read_exclusions, read_source_files
from pipeline.store.collection_summary import CollectionSummary
from pipeline.store.schema import array

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.records.base import SourceFile


class MoviesSummary(CollectionSummary):
    """What `isotherm status` says of movies, from the newest commit alone."""

    movies: int = 0
    pictures: int = 0
    size: tuple[int, int] = (0, 0)
    """Cells along y and x."""
    lengths: dict[int, int] = Field(default_factory=dict)
    """How many movies have how many pictures."""
    implausible: int = 0
    """Values that cannot be; they are missing to readers."""

    @property
    def facts(self) -> dict[str, str]:
        """As people are told, by what it is."""
        held = sorted(self.lengths)
        span = " to ".join(map(str, (held[0], held[-1]) if len(held) > 1 else held or [0]))
        cells = " × ".join(map(str, self.size))
        pictures = counted(self.pictures, "picture")
        return {
            "movies": f"{counted(self.movies, 'movie')} of {span} pictures, {pictures} of {cells} cells",
            "implausible": counted(self.implausible, "value") if self.implausible else "none",
        }

    def shorter(self, length: int) -> int:
        """Movies of fewer pictures than `length`."""
        return sum(many for pictures, many in self.lengths.items() if pictures < length)


def read_movie_table(path: Path, name: str, *, snapshot: str | None = None) -> MovieTable:
    """The movies called `name` as published.

    Raises
    ------
    NotFoundError
        There is no store, or no such snapshot.
    StoreError
        It has no such movies.
    """
    session = repository.read_session(path, snapshot)
    with repository.translated(path):
        group = collection_group(repository.read_root(session), name, layout.KIND)
        picture = Picture.model_validate(group.attrs["picture"])
        truth = layout.read_pictures(group, "truth", picture) if "truth" in group else None
        return MovieTable(
            ids=tuple(map(str, np.asarray(array(group, "id")[:]))),
            offset=np.asarray(array(group, "offset")[:]),
            time=layout.read_time(group),
            values=layout.read_pictures(group, "value", picture),
            picture=picture,
            y=layout.axis_of(group, "y"),
            x=layout.axis_of(group, "x"),
            source=np.asarray(array(group, "source")[:]),
            sources=read_source_files(group),
            exclusions=read_exclusions(group),
            truth=truth,
        )


def read_movie_sources(path: Path, name: str, *, snapshot: str | None = None) -> tuple[SourceFile, ...]:
    """The files that the movies came from; raises as `read_movie_table`."""
    session = repository.read_session(path, snapshot)
    with repository.translated(path):
        return read_source_files(collection_group(repository.read_root(session), name, layout.KIND))


def read_movies(path: Path, name: str, *, snapshot: str | None = None) -> MovieSet:
    """The movies called `name`, without the values that cannot be; raises as `read_movie_table`."""
    return MovieSet.of(read_movie_table(path, name, snapshot=snapshot))

"""Gathering what the report of movies is made from: scores, store and cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.evaluation.movies import MoviesStanding
from pipeline.reports.gather import report_of
from pipeline.reports.gather_collection import (
    collection_digest,
    collection_lineage,
    common_inputs,
    holds_none,
)
from pipeline.reports.movies_inputs import MoviesInputs
from pipeline.store.collections import collection_summary
from pipeline.store.movies_reader import MoviesSummary, read_movie_sources

if TYPE_CHECKING:
    from pipeline.movies.published import PublishedCurve
    from pipeline.reports.inputs import ReportInputs
    from pipeline.workspace import Workspace


def movies_digest(
    workspace: Workspace,
    experiment: str,
    *,
    title: str,
    description: str,
    place: str,
    place_title: str,
    published: PublishedCurve | None,
) -> str:
    """SHA-256 over all that the report is made from, without reading the store.

    Raises
    ------
    NotFoundError
        The movies were not scored.
    """
    standing = MoviesStanding.read(workspace.scores(experiment, place))
    curve = published.model_dump_json() if published else ""
    return collection_digest(
        workspace, standing, curve, title=title, description=description, place_title=place_title
    )


def gather_movies_report(
    workspace: Workspace,
    experiment: str,
    *,
    title: str,
    description: str,
    place: str,
    place_title: str,
    published: PublishedCurve | None,
    digest: str = "",
) -> ReportInputs:
    """The inputs of the whole report.

    Raises
    ------
    NotFoundError
        The movies were not scored.
    StoreError
        The store holds something else.
    """
    store = workspace.cube(experiment)
    standing = MoviesStanding.read(workspace.scores(experiment, place))
    summary = collection_summary(store, standing.cube_snapshot)
    if not isinstance(summary, MoviesSummary):
        raise holds_none(store, "movies")
    sources = read_movie_sources(store, place, snapshot=standing.cube_snapshot)
    movies = MoviesInputs(
        **common_inputs(workspace, standing, place_title),
        verdict=standing.verdict,
        lineage=collection_lineage(
            standing,
            sources,
            len(sources) or "made here",
            windows=standing.windows,
            splits=standing.splits,
        ),
        data=summary,
        windows=standing.windows,
        short=standing.short,
        published=published,
    )
    return report_of(experiment, title=title, description=description, digest=digest, movies=(movies,))

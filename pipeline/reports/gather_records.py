"""Gathering what the report of labelled records is made from: scores, store and cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.evaluation.records import RecordsStanding
from pipeline.reports.gather import report_of
from pipeline.reports.gather_collection import (
    collection_digest,
    collection_lineage,
    common_inputs,
    holds_none,
)
from pipeline.reports.records_inputs import RecordsInputs
from pipeline.store.collections import collection_summary
from pipeline.store.records_reader import RecordsSummary, read_sources

if TYPE_CHECKING:
    from pipeline.reports.inputs import ReportInputs
    from pipeline.workspace import Workspace


def records_digest(
    workspace: Workspace, experiment: str, *, title: str, description: str, place: str, place_title: str
) -> str:
    """SHA-256 over all that the report is made from, without reading the store.

    Raises
    ------
    NotFoundError
        The records were not scored.
    """
    standing = RecordsStanding.read(workspace.scores(experiment, place))
    return collection_digest(
        workspace, standing, title=title, description=description, place_title=place_title
    )


def gather_records_report(
    workspace: Workspace,
    experiment: str,
    *,
    title: str,
    description: str,
    place: str,
    place_title: str,
    digest: str = "",
) -> ReportInputs:
    """The inputs of the whole report.

    Raises
    ------
    NotFoundError
        The records were not scored.
    StoreError
        The store holds something else.
    """
    store = workspace.cube(experiment)
    standing = RecordsStanding.read(workspace.scores(experiment, place))
    summary = collection_summary(store, standing.cube_snapshot)
    if not isinstance(summary, RecordsSummary):
        raise holds_none(store, "records")
    sources = read_sources(store, place, snapshot=standing.cube_snapshot)
    records = RecordsInputs(
        **common_inputs(workspace, standing, place_title),
        verdict=standing.verdict,
        lineage=collection_lineage(
            standing,
            sources,
            [each.url.rstrip("/").rpartition("/")[2] for each in sources],
            steps=standing.steps,
            splits=standing.splits,
        ),
        data=summary,
    )
    return report_of(experiment, title=title, description=description, digest=digest, records=(records,))

"""Gathering what the report of labelled records is made from: scores, store and cards."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from importlib.metadata import version
from typing import TYPE_CHECKING

from pipeline.errors import StoreError
from pipeline.evaluation.records import RecordsStanding
from pipeline.evaluation.versions import read_scores
from pipeline.lineage import sources_digest
from pipeline.reports.gather import card_facts, training_history
from pipeline.reports.inputs import ModelFacts, ReportInputs
from pipeline.reports.records_inputs import RecordsInputs
from pipeline.store import repository
from pipeline.store.collections import collection_summary
from pipeline.store.records_reader import RecordsSummary, read_sources

if TYPE_CHECKING:
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
    newest = repository.newest(workspace.cube(experiment))
    told = [version("isotherm"), title, description, place, place_title, newest, standing.model_dump_json()]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


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
    folder, store = workspace.scores(experiment, place), workspace.cube(experiment)
    standing = RecordsStanding.read(folder)
    summary = collection_summary(store)
    if not isinstance(summary, RecordsSummary):
        raise StoreError(
            f"{store} holds no records", remedy="give the experiment another name", path=str(store)
        )
    models = workspace.models(experiment, place)
    cards = [
        json.loads((models / one.id / "card.json").read_text(encoding="utf-8"))
        for one in (standing.judged, *standing.others)
    ]
    sources = read_sources(store, place, snapshot=standing.cube_snapshot)
    judged = standing.judged
    lineage = {
        "sources": {
            "files": [each.url.rstrip("/").rpartition("/")[2] for each in sources],
            "digest": sources_digest(each.sha256 for each in sources),
        },
        "cube_snapshot": standing.cube_snapshot,
        "fitted_sha256": judged.fitted_sha256,
        "steps": standing.steps.model_dump(mode="json"),
        "splits": standing.splits.model_dump(mode="json"),
        "model": {"name": judged.name, "id": judged.id, "card_sha256": judged.card_sha256},
        "scores_version": standing.scores_version,
    }
    records = RecordsInputs(
        name=place,
        title=place_title,
        scores=read_scores(folder, standing.scores_version),
        verdict=standing.verdict,
        data=summary,
        training=training_history(cards[0]),
        card=card_facts(cards[0]),
        lineage=lineage,
        models=tuple(ModelFacts(card["name"], card["parameters"], training_history(card)) for card in cards),
    )
    return ReportInputs(
        experiment=experiment,
        title=title,
        description=description,
        generated_at=dt.datetime.now(dt.UTC),
        isotherm_version=version("isotherm"),
        regions=(),
        digest=digest,
        records=(records,),
    )

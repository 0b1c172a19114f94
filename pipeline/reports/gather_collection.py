"""What is gathered alike for the reports of labelled records and of movies."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pipeline.errors import StoreError
from pipeline.evaluation.versions import read_scores
from pipeline.lineage import sources_digest
from pipeline.reports.gather import card_facts, model_facts, read_cards
from pipeline.store import repository

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pydantic import BaseModel

    from pipeline.evaluation.collection import CollectionStanding
    from pipeline.records.base import SourceFile
    from pipeline.workspace import Workspace


def collection_digest(
    workspace: Workspace,
    standing: CollectionStanding,
    *more: str,
    title: str,
    description: str,
    place_title: str,
) -> str:
    """SHA-256 over all that the report is made from, without reading the store."""
    newest = repository.newest(workspace.cube(standing.experiment))
    told = [version("isotherm"), title, description, standing.region, place_title, newest, *more]
    return hashlib.sha256("\n".join([*told, standing.model_dump_json()]).encode()).hexdigest()


def common_inputs(workspace: Workspace, standing: CollectionStanding, title: str) -> dict[str, Any]:
    """The fields of `CollectionInputs` but for verdict and lineage."""
    cards = read_cards(workspace.models(standing.experiment, standing.region), standing)
    models = model_facts(cards)
    return {
        "name": standing.region,
        "title": title,
        "scores": read_scores(
            workspace.scores(standing.experiment, standing.region), standing.scores_version
        ),
        "training": models[0].training,
        "card": card_facts(cards[0]),
        "models": models,
    }


def collection_lineage(
    standing: CollectionStanding, sources: Sequence[SourceFile], files: object, **cut: BaseModel
) -> dict[str, Any]:
    """From the `files`, as people are told of them, to the scores; `cut` says how the examples are made of them."""
    judged = standing.judged
    return {
        "sources": {"files": files, "digest": sources_digest(each.sha256 for each in sources)},
        "cube_snapshot": standing.cube_snapshot,
        "fitted_sha256": judged.fitted_sha256,
        **{name: each.model_dump(mode="json") for name, each in cut.items()},
        "model": {"name": judged.name, "id": judged.id, "card_sha256": judged.card_sha256},
        "scores_version": standing.scores_version,
    }


def holds_none(store: Path, what: str) -> StoreError:
    """What is answered where the store holds something else."""
    return StoreError(f"{store} holds no {what}", remedy="give the experiment another name", path=str(store))

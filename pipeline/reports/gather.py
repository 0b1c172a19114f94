"""Gathering what a region's part of the report is made from: scores, archive, cube, card and quarantine."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from contextlib import suppress
from dataclasses import fields
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pipeline.errors import NotFoundError
from pipeline.evaluation.rolling import FOLDER, Rolling
from pipeline.evaluation.standing import Standing
from pipeline.evaluation.versions import read_scores
from pipeline.forecasts import archive
from pipeline.forecasts.field import as_field
from pipeline.ingestion import IngestResult
from pipeline.partition import Partition
from pipeline.publish.release import lineage_of
from pipeline.quality.base import Finding
from pipeline.quarantine import list_quarantine
from pipeline.reports.extracts import station_inputs
from pipeline.reports.inputs import (
    DataStatus,
    Epoch,
    Gap,
    ModelFacts,
    Quarantined,
    RegionInputs,
    ReportInputs,
    TrainingHistory,
)
from pipeline.store import repository
from pipeline.store.revisions import read_revisions
from pipeline.store.state import status_summary
from pipeline.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipeline.evaluation.collection import CollectionStanding
    from pipeline.forecasts.base import AnyRecord
    from pipeline.store.readings import Reading
    from pipeline.workspace import Workspace

EXAMPLES = 4
CARD_FACTS = (
    "model_id",
    "parameters",
    "precision",
    "backend",
    "train_windows",
    "validation_windows",
    "best_epoch",
    "created_at",
)


def gather_region(
    reading: Reading,
    archive_path: Path,
    scores: Path,
    models: Path,
    quarantine: Path,
    *,
    title: str,
    findings: Sequence[Finding] = (),
    examples: int = EXAMPLES,
    archive_snapshot: str | None = None,
) -> RegionInputs:
    """The inputs of one region's part, from its newest scores and what they were made from.

    Raises
    ------
    NotFoundError
        The region was not scored.
    """
    standing = Standing.read(scores)
    cards = read_cards(models, standing)
    at = archive_snapshot or standing.archive_snapshot
    newest = archive.read(archive_path, standing.region, standing.forecaster, snapshot=at).isel(
        init_time=[-1]
    )
    lineage = lineage_of(reading.path, standing, newest, archive_snapshot=at)
    rolling, recent = _recent(scores)
    record = reading.read(standing.cube_snapshot)
    forecasts = _forecasts(archive_path, standing)
    parted = Partition(record, standing.given, standing.windows)
    tested = parted.windows("test").thinned(standing.stride)
    shown = _spread(tested, examples)
    return RegionInputs(
        name=standing.region,
        title=title,
        scores=read_scores(scores, standing.scores_version),
        verdict=standing.verdict,
        examples=_examples(record, forecasts, shown),
        data=_data_status(reading.path, quarantine, findings),
        newest=archive.field_of(newest).reset_coords(drop=True).to_dataset().load(),
        newest_by=standing.forecaster,
        training=training_history(cards[0]),
        card=card_facts(cards[0]),
        lineage=lineage.model_dump(),
        models=model_facts(cards),
        rolling=rolling,
        recent=recent,
        revisions=read_revisions(reading.path, standing.region),
        station=station_inputs(parted, forecasts, tested, shown, newest) if record.kind == "series" else None,
    )


def inputs_digest(
    workspace: Workspace,
    experiment: str,
    *,
    title: str,
    description: str,
    places: Mapping[str, str],
    archive_snapshot: str,
) -> str:
    """SHA-256 over all that a report of these places is made from, without reading the stores.

    Raises
    ------
    NotFoundError
        A region was not scored.
    """
    log = workspace.ingest_log(experiment)
    told = [
        version("isotherm"),
        title,
        description,
        archive_snapshot,
        log.read_text() if log.exists() else "",
    ]
    told += [repository.newest(workspace.cube(experiment))]
    told += [entry.model_dump_json() for entry in list_quarantine(workspace.quarantine(experiment))]
    for name, shown in places.items():
        scores = workspace.scores(experiment, name)
        told += [name, shown, Standing.read(scores).model_dump_json()]
        with suppress(NotFoundError):
            told.append(Rolling.read(scores).model_dump_json())
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def gather_report(
    workspace: Workspace,
    experiment: str,
    *,
    title: str,
    description: str,
    places: Mapping[str, tuple[str, Reading]],
    archive_snapshot: str | None = None,
    digest: str = "",
) -> ReportInputs:
    """The inputs of the whole report; `places` says of each region or station its title and where it is read.

    The newest forecast is that of `archive_snapshot`, or of the one that was scored.

    Raises
    ------
    NotFoundError
        A region was not scored.
    """
    log = workspace.ingest_log(experiment)
    found = IngestResult.model_validate_json(log.read_text()) if log.exists() else IngestResult()
    findings = tuple(
        Finding(one.check, "refuse" if one.severity == "refuse" else "warn", one.day, one.message)
        for one in (*found.warnings, *(each for refused in found.refused for each in refused.findings))
    )
    return report_of(
        experiment,
        title=title,
        description=description,
        digest=digest,
        regions=tuple(
            gather_region(
                reading,
                workspace.archive(experiment),
                workspace.scores(experiment, name),
                workspace.models(experiment, name),
                workspace.quarantine(experiment),
                title=shown,
                findings=findings,
                archive_snapshot=archive_snapshot,
                examples=EXAMPLES if len(places) == 1 else 1,
            )
            for name, (shown, reading) in places.items()
        ),
    )


def _recent(scores: Path) -> tuple[Rolling | None, xr.Dataset | None]:
    """The newest scorecard, if the experiment runs daily."""
    try:
        rolling = Rolling.read(scores)
    except NotFoundError:
        return None, None
    if rolling.version is None:
        return rolling, None
    return rolling, read_scores(scores / FOLDER, rolling.version)


def _forecasts(archive_path: Path, standing: Standing) -> dict[str, xr.DataArray]:
    """All archived forecasts of the model and of the best rung, lazily."""
    return {
        name: archive.field_of(
            archive.read(archive_path, standing.region, of, snapshot=standing.archive_snapshot)
        )
        for name, of in (("model", standing.judged.name), ("best_rung", standing.verdict.best_rung))
    }


def _spread(tested: Windows, count: int) -> Windows:
    """`count` of the windows, spread evenly."""
    at = np.unique(np.linspace(0, len(tested) - 1, count + 2)[1:-1].astype(int))
    return Windows(tested.spec, tested.init[at], tested.init_time[at])


def _examples(record: AnyRecord, forecasts: Mapping[str, xr.DataArray], shown: Windows) -> xr.Dataset:
    """Model, best rung and truth of some test windows."""
    arrays = {
        name: each.sel(init_time=shown.init_time).load().reset_coords(drop=True)
        for name, each in forecasts.items()
    }
    return xr.Dataset({**arrays, "truth": as_field(record, shown, record.truth(shown))})


def _data_status(cube: Path, quarantine: Path, findings: Sequence[Finding]) -> DataStatus:
    summary = status_summary(cube)
    day = dt.date.fromisoformat
    return DataStatus(
        counts={
            "final": summary.final,
            "preliminary": summary.preliminary,
            "missing": summary.missing,
        },
        first_day=day(summary.first_day or ""),
        last_day=day(summary.last_day or ""),
        gaps=tuple(Gap(day(gap.start), day(gap.end)) for gap in summary.gaps),
        quarantined=tuple(
            Quarantined(each.name, each.findings[0].check, each.findings[0].message)
            for each in list_quarantine(quarantine)
        ),
        findings=tuple(findings),
    )


def report_of(experiment: str, *, title: str, description: str, digest: str, **parts: Any) -> ReportInputs:
    """The inputs of a report that is made now, of `regions`, `records` or `movies`."""
    return ReportInputs(
        experiment=experiment,
        title=title,
        description=description,
        generated_at=dt.datetime.now(dt.UTC),
        isotherm_version=version("isotherm"),
        digest=digest,
        **parts,
    )


def read_cards(models: Path, standing: Standing | CollectionStanding) -> list[dict[str, Any]]:
    """The cards of all models that were scored, that of the judged one first."""
    return [
        json.loads((models / one.id / "card.json").read_text(encoding="utf-8"))
        for one in (standing.judged, *standing.others)
    ]


def model_facts(cards: Sequence[Mapping[str, Any]]) -> tuple[ModelFacts, ...]:
    """Of each card."""
    return tuple(ModelFacts(card["name"], card["parameters"], training_history(card)) for card in cards)


def training_history(card: Mapping[str, Any]) -> TrainingHistory:
    """The epochs that a card tells of."""
    known = {each.name for each in fields(Epoch)}
    return TrainingHistory(
        tuple(
            Epoch(**{key: each[key] for key in each if key in known} | {"epoch": int(each["epoch"])})
            for each in card["history"]
        ),
        card["best_epoch"],
    )


def card_facts(card: Mapping[str, Any]) -> dict[str, Any]:
    """What a report tells of a card, by label."""
    chosen = {name.replace("_", " "): card[name] for name in CARD_FACTS}
    told = {key.replace("_", " "): value for key, value in (card["config"] | card["training"]).items()}
    return chosen | {key: value for key, value in told.items() if value is not None and key not in chosen}

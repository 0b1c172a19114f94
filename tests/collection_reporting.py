"""What inputs of reports on labelled records and on movies have in common."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pipeline.reports.inputs import Epoch, ModelFacts, ReportInputs, TrainingHistory

HOSTILE = '<script>alert("x")</script>'


def trained(model: str, others: tuple[str, ...], *, files: object) -> dict[str, Any]:
    """The fields of `CollectionInputs` that come of cards, and the lineage."""
    history = TrainingHistory((Epoch(1, 0.7, 0.6, 1e-3, 2.0), Epoch(2, 0.5, 0.4, 1e-3, 2.0)), 2)
    return {
        "training": history,
        "card": {"parameters": 1234, "model id": f"{model}-1"},
        "lineage": {"sources": {"files": files, "digest": "abc"}, "cube_snapshot": "S"},
        "models": tuple(ModelFacts(name, 1234, history) for name in (model, *others)),
    }


def report_of(experiment: str, text: str, **parts: Any) -> ReportInputs:
    """On `records` or `movies`, with a text that may be hostile."""
    return ReportInputs(
        experiment=experiment,
        title=experiment.title(),
        description=text,
        generated_at=dt.datetime(2020, 1, 2, tzinfo=dt.UTC),
        isotherm_version="0.1.0",
        **parts,
    )

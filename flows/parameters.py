"""Parameters that flows share, typed so that Prefect's forms list what may be chosen and refuse what may not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from prefect.runtime import flow_run
from pydantic import Field

from flows.loading import experiment_names, timed_names
from flows.settings import Settings
from pipeline.location import Location


def _shown(description: str, **more: Any) -> Any:
    # Prefect puts what it finds in docstrings in place of a field's `description`; it leaves this one alone.
    return Field(json_schema_extra={"description": description, **more})


# It is the form that refuses others, before a run is scheduled: a command may name a TOML file.
_FOLDER = Settings.load().experiments
_TOLD = "One of those that `isotherm experiments` lists."

ExperimentName = Annotated[str, _shown(_TOLD, enum=experiment_names(_FOLDER))]
TimedExperimentName = Annotated[
    str, _shown(f"{_TOLD[:-1]}, on fields or on a station.", enum=timed_names(_FOLDER))
]
WorkspaceFolder = Annotated[
    Location | None,
    _shown(
        "A folder or s3://bucket/prefix, where everything is kept; the worker's ISOTHERM_WORKSPACE where none is given."
    ),
]
LocalFiles = Annotated[
    tuple[str, ...], _shown("Paths or globs on the worker, to take in place of the public addresses.")
]
MirrorAddress = Annotated[
    Annotated[str, Field(pattern="^https?://")] | None,
    _shown("Address of an `isotherm mirror`, to take in place of the public ones."),
]


def diary_entry() -> str:
    """The name of the flow run: `2026-11-22 sst-seas: cycle`.

    The day is the one that the run was scheduled for, so that a late or repeated run keeps it.
    """
    experiment = Path(str(flow_run.parameters["experiment"])).name.removesuffix(".toml")
    return f"{flow_run.scheduled_start_time:%Y-%m-%d} {experiment}: {flow_run.flow_name}"

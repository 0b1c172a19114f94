"""What an experiment on labelled records has in common with those along time, and what it has not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import ConfigError
from pipeline.splits import Fractions

if TYPE_CHECKING:
    from flows.experiments import Experiment

OF_RECORDS = ("cycle", "ingest", "train", "evaluate", "report")
"""The steps of experiments on labelled records."""


def require_kind(experiment: Experiment, step: str) -> None:
    """Refuse a step that makes no sense of what the experiment is on.

    Raises
    ------
    ConfigError
        It is of labelled records, and the step goes along time.
    """
    if experiment.records is not None and step not in OF_RECORDS:
        raise ConfigError(
            f"the experiment {experiment.name!r} is of labelled records: `isotherm {step}` has nothing to do there",
            remedy="of records there are `isotherm run`, `ingest`, `train`, `evaluate` and `report`",
            step=step,
        )


def require_tables(experiment: Experiment) -> None:
    """Refuse tables of another kind: of records there is no time to be parted or gone along, and of all else there is.

    Raises
    ------
    ConfigError
        A table is lacking, or is too many.
    """
    timed = ("period", "windows")
    if experiment.records is None:
        for table in timed:
            if getattr(experiment, table) is None:
                raise ConfigError(f"it has no [{table}]", remedy=f"add [{table}]", key=table)
        return
    for table in (*timed, "regions", "grid", "station", "simulation"):
        if getattr(experiment, table):
            raise ConfigError(
                f"[{table}] and [records] are of different experiments", remedy="keep one of them", key=table
            )
    if not isinstance(experiment.splits, Fractions):
        raise ConfigError(
            "[records] are split by their number, not by dates",
            remedy="write [splits] as parts, such as train = 0.7, validation = 0.1, test = 0.2",
            key="splits",
        )

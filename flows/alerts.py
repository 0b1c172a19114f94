"""What an operator is told of an experiment that runs daily."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pipeline.naming import counted
from pipeline.types import Spec

if TYPE_CHECKING:
    from flows.operations import Operations
    from flows.status import ExperimentStatus, PlaceStatus

Severity = Literal["act", "note"]


class Alert(Spec):
    """Something that an operator is told; `act` fails the daily run and the exit status, `note` does not."""

    kind: str
    about: str
    """The experiment, or the region or station."""
    severity: Severity
    message: str
    remedy: str


def alerts_of(found: ExperimentStatus, operations: Operations, today: dt.date) -> Iterator[Alert]:
    """The alerts of an experiment that has run daily; of one that has not, none."""
    if not any(place.scorecard for place in found.places) or found.data.last_day is None:
        return
    name, last = found.experiment, dt.date.fromisoformat(found.data.last_day)
    age = (today - last).days
    if age > operations.oldest_input_days:
        yield Alert(
            kind="stale",
            about=name,
            severity="act",
            message=f"the newest day is {last}, {age} days before {today}: nothing is forecast from it",
            remedy="see whether the mirrors have newer days, and what the last ingestion said of them",
        )
    since = str(last - dt.timedelta(operations.recheck_days))
    gaps = [gap for gap in found.data.gaps if gap.end >= since]
    if gaps:
        days = counted(sum(gap.days for gap in gaps), "day")
        yield Alert(
            kind="gap",
            about=name,
            severity="act",
            message=f"{days} of the newest {operations.recheck_days} missing, from {gaps[0].start} on",
            remedy="each run asks for them again; `isotherm ingest … --from-files` fills them by hand",
        )
    refused = [each for each in found.refused if each.days and str(max(each.days)) >= since]
    if refused:
        yield Alert(
            kind="refused",
            about=name,
            severity="act",
            message=f"{counted(len(refused), 'file')} refused, such as: {refused[-1].findings[0].message}",
            remedy="file and reasons lie in the quarantine; when the mirror mends it, it is taken",
        )
    for place in found.places:
        yield from _of_place(place, found.data.last_day)


def _of_place(place: PlaceStatus, last_day: str) -> Iterator[Alert]:
    about, card = place.place, place.scorecard
    if place.model_id is None or place.published is None:
        yield Alert(
            kind="no-model",
            about=about,
            severity="act",
            message="there is no trained model that was scored",
            remedy="run `isotherm run`, or `isotherm train` and `isotherm evaluate`",
        )
    elif place.last_init is None or place.last_init[:10] < last_day:
        yield Alert(
            kind="behind",
            about=about,
            severity="act",
            message=f"the newest forecast is from {place.last_init}, the newest day is {last_day}",
            remedy="look at the last run of the flow `daily`; a gap in the history keeps forecasts back too",
        )
    if card is not None and card.worse and place.published == card.model:
        yield Alert(
            kind="worse",
            about=about,
            severity="note",
            message=f"{card.model} does worse than {card.best_rung} in the newest {card.forecasts} forecasts",
            remedy="retrain it with `isotherm retrain`, or go back with `isotherm rollback`",
        )
    if place.changed_training_days:
        days = counted(place.changed_training_days, "day")
        yield Alert(
            kind="learned-from-changed",
            about=about,
            severity="note",
            message=f"{days} that {place.model_id} learned from have come from other files since",
            remedy="nothing is wrong; the next retraining learns from them",
        )

"""What experiments on what has no calendar, labelled records or movies, have in common with those along time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import ConfigError
from pipeline.splits import Fractions, Numbers

if TYPE_CHECKING:
    from flows.experiments import Experiment

COLLECTIONS: dict[str, str] = {"records": "labelled records", "movies": "movies"}
"""The tables of what has no calendar, and what people call it."""
NAMES = {**COLLECTIONS, "texts": "labelled texts"}
"""What people call it, by kind."""
OF_COLLECTIONS = ("cycle", "ingest", "train", "evaluate", "report")
"""The steps of experiments on it."""
UNREAD = ("quality", "climatology", "operations")
"""Tables that are of days."""
SIMULATED = ("oisst", "oisst-sequences", "jena")
"""Sources of what the embedded mirror can simulate."""
_REMEDY = "there are `isotherm run`, `ingest`, `train`, `evaluate` and `report` of them"


def require_kind(experiment: Experiment, step: str) -> None:
    """Refuse a step that makes no sense of what the experiment is on.

    Raises
    ------
    ConfigError
        It is of labelled records or movies, and the step goes along time.
    """
    if experiment.kind in NAMES and step not in OF_COLLECTIONS:
        raise ConfigError(
            f"the experiment {experiment.name!r} is of {NAMES[experiment.kind]}: `isotherm {step}` has nothing "
            "to do there",
            remedy=_REMEDY,
            step=step,
        )


def require_auditable(experiment: Experiment) -> None:
    """Refuse an audit where there are no days whose files could be asked for.

    Raises
    ------
    ConfigError
        The experiment is of labelled records or movies.
    """
    if experiment.collection is not None:
        raise ConfigError(
            f"an audit asks for the files of days, and {experiment.name!r} has none",
            remedy="leave --audit out",
        )


def no_calendar(experiment: Experiment) -> ConfigError:
    """What is answered to who asks for its days."""
    what = NAMES.get(experiment.kind, experiment.kind)
    return ConfigError(
        f"the experiment {experiment.name!r} is of {what}, which have no days to go along", remedy=_REMEDY
    )


def require_tables(experiment: Experiment) -> None:
    """Refuse tables of another kind.

    Raises
    ------
    ConfigError
        A table is lacking, or is too many.
    """
    timed = ("period", "windows")
    _require_published_for_test(experiment)
    _require_simulated(experiment)
    chosen = [name for name in COLLECTIONS if getattr(experiment, name) is not None]
    if not chosen:
        _require_places(experiment)
        for table in timed:
            if getattr(experiment, table) is None:
                raise ConfigError(f"it has no [{table}]", remedy=f"add [{table}]", key=table)
        if isinstance(experiment.splits, Numbers):
            raise ConfigError(
                "only [movies] are split by their numbers",
                remedy="write [splits] as dates, or as parts such as train = 0.7",
                key="splits",
            )
        return
    # Movies may be cut from fields that the embedded mirror serves.
    simulated = () if experiment.movies is not None else ("simulation",)
    others = (*timed, "regions", "grid", "station", *simulated, *COLLECTIONS)
    for table in others:
        if table != chosen[0] and getattr(experiment, table):
            raise ConfigError(
                f"[{table}] and [{chosen[0]}] are of different experiments",
                remedy="keep one of them",
                key=table,
            )
    for table in UNREAD:
        if table in experiment.model_fields_set:
            raise ConfigError(
                f"[{table}] is of days, which {NAMES[experiment.kind]} have none of",
                remedy=f"leave [{table}] out",
                key=table,
            )
    if experiment.records is not None and not isinstance(experiment.splits, Fractions):
        raise ConfigError(
            "[records] are split by their number, not by dates",
            remedy="write [splits] as parts, such as train = 0.7, validation = 0.1, test = 0.2",
            key="splits",
        )


def _require_simulated(experiment: Experiment) -> None:
    named = experiment.source.get("name")
    if experiment.simulation is not None and named not in SIMULATED:
        raise ConfigError(
            f"[simulation] is of {', '.join(SIMULATED)}, and not of {named}",
            remedy="leave [simulation] out",
            key="simulation",
        )


def _require_published_for_test(experiment: Experiment) -> None:
    """Texts know which of them were published for test; and either steps or words are of records."""
    table, splits = experiment.records, experiment.splits
    texts = table is not None and table.words is not None
    if isinstance(splits, Fractions) and splits.test == "published" and not texts:
        raise ConfigError(
            "only of texts is it known which were published for test",
            remedy="give test as a part; or, where the source has texts, give [records] words = {}",
            key="splits",
        )
    if table is not None and texts and "steps" in table.model_fields_set:
        raise ConfigError(
            "steps are of records of measurements, and words of texts", remedy="keep one of them", key="steps"
        )


def _require_places(experiment: Experiment) -> None:
    if experiment.station is not None:
        if experiment.regions or experiment.grid is not None:
            raise ConfigError(
                "[station] and [regions] are of different experiments", remedy="keep one of them"
            )
        if "quality" in experiment.model_fields_set:
            raise ConfigError(
                "[quality] is of fields; what a station's variables can be is fixed",
                remedy="leave [quality] out",
                key="quality",
            )
    elif not experiment.regions:
        raise ConfigError("it has neither [regions] nor a [station]", remedy="name what is forecast")
    elif experiment.grid is None:
        raise ConfigError("[regions] need a [grid]", remedy="add [grid] with a resolution")

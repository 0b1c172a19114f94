"""Loading an experiment: its TOML file in, an `Experiment` or a telling complaint out."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from flows.experiments import Candidate, Experiment
from flows.explain import explained
from flows.kinds import COLLECTIONS
from models import FIELD_MODELS, MOVIE_MODELS, RECORD_MODELS, STATION_MODELS, TEXT_MODELS
from models.base import config_of
from models.learnable import require_learnable
from models.specs import LOSSES_OF, TrainingSpec
from pipeline.errors import ConfigError, IsothermError, NotFoundError
from pipeline.evaluation.movie_scores import require_groups
from pipeline.forecasts import ASKED_FOR, LADDERS, RUNGS
from pipeline.movies.decibels import require_rain
from pipeline.naming import unknown
from pipeline.partition import ONE_DAY, guard_days
from pipeline.quality.series import STEP
from pipeline.splits import Fractions
from pipeline.types import TimeRange

KINDS = {
    "fields": FIELD_MODELS,
    "series": STATION_MODELS,
    "records": RECORD_MODELS,
    "texts": TEXT_MODELS,
    "movies": MOVIE_MODELS,
}


def experiment_names(folder: Path) -> list[str]:
    """The experiments that there are, sorted."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def timed_names(folder: Path) -> list[str]:
    """Those of them that go along time, and so can be forecast and scheduled; files that are not TOML are named too."""
    return [name for name in experiment_names(folder) if not COLLECTIONS.keys() & _tables(folder, name)]


def _tables(folder: Path, name: str) -> set[str]:
    try:
        return {*tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))}
    except (OSError, ValueError):
        return set()


def load_experiment(name: str, folder: Path) -> Experiment:
    """The experiment called `name` in `folder`, or in the TOML file that `name` is the path of.

    Raises
    ------
    NotFoundError
        There is no such experiment.
    ConfigError
        The file has a typo: the error names the key, the file and the nearest right spelling.
    """
    path = Path(name) if name.endswith(".toml") else folder / f"{name}.toml"
    if not path.is_file():
        raise unknown("experiment", name, experiment_names(folder), NotFoundError, where=str(path.parent))
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} is not TOML: {error}", remedy="correct the line that it names", path=str(path)
        ) from error
    if "name" in table:
        raise ConfigError(
            f"{path}: unknown key 'name'", remedy="remove it: the file's name is the experiment's", key="name"
        )
    try:
        experiment = Experiment(name=path.stem, **table)
    except ValidationError as error:
        raise explained(error, Experiment, where=str(path), hidden={"name"}) from error
    _require_parts(experiment, path)
    return experiment


def _require_parts(experiment: Experiment, path: Path) -> None:
    """Refuse what only the chosen source, models, grid and windows can judge."""
    tables = {"source": experiment.source} | ({"model": experiment.model} if experiment.model else {})
    for table, keys in tables.items():
        if not isinstance(keys.get("name"), str):
            raise ConfigError(
                f"{path}: [{table}] has no key 'name'", remedy=f'add name = "…" to [{table}]', path=str(path)
            )
    with _told(f"{path}: [source]"):
        experiment.sourced()
    for name, keys in (experiment.models or {"": experiment.model}).items():
        where = f"{path}: [models.{name}]" if name else f"{path}: [model]"
        with _told(where):
            _require_candidate(experiment, name, keys, where)
    _require_rungs(experiment, path)
    _require_measures(experiment, path)
    _require_published(experiment, path)
    for name in experiment.regions:
        with _told(f"{path}: [regions.{name}]"):
            experiment.region(name).grid  # noqa: B018  raises where the box is no whole number of cells
    with _told(f"{path}: [splits]"):
        _require_windows(experiment)


def _require_rungs(experiment: Experiment, path: Path) -> None:
    known = (*LADDERS[experiment.kind], *ASKED_FOR.get(experiment.kind, ()))
    for name in experiment.ladder:
        if name not in known:
            raise unknown(f"rung of {experiment.kind}", name, known, ConfigError, where=f"{path}: ladder")


def _require_measures(experiment: Experiment, path: Path) -> None:
    """What is measured, and how movies are scaled, makes sense of what the experiment is on."""
    spec, movies = experiment.evaluation, experiment.movies
    for key, given, kind in (("measures", spec.measures, "movies"), ("areas", spec.areas, "fields")):
        if given and experiment.kind != kind:
            raise ConfigError(
                f"{path}: [evaluation] {key} are of {kind}, and the experiment is of {experiment.kind}",
                remedy=f"leave {key} out of [evaluation]",
                key=key,
            )
    if movies is not None:
        units = experiment.make_movie_source().units
        with _told(f"{path}: [evaluation]"):
            require_groups(spec.measures, units)
        if movies.windows.scaling == "decibel":
            with _told(f"{path}: [movies] windows"):
                require_rain(units)


def _require_published(experiment: Experiment, path: Path) -> None:
    """What others have published is of models of the experiment."""
    published = experiment.records.published if experiment.records else {}
    for measure, figures in published.items():
        for name in figures:
            if name not in experiment.candidates:
                where = f"{path}: [records] published {measure}"
                raise unknown(
                    "model of the experiment", name, experiment.candidates, ConfigError, where=where
                )


def _require_candidate(experiment: Experiment, name: str, table: dict[str, Any], where: str) -> None:
    model = str(table.get("name", name))
    kind = config_of(model)
    known = KINDS[experiment.kind]
    if model not in known:
        raise unknown(f"model of {experiment.kind}", model, known, ConfigError, where=where)
    try:
        candidate = experiment.candidate(name, table)
        _require_loss(experiment, candidate)
    except ValidationError as error:
        about = TrainingSpec if error.title == TrainingSpec.__name__ else kind
        raise explained(error, about, where=where) from error
    if experiment.movies is not None:
        require_learnable(model, candidate.config, candidate.training, experiment.movies.windows)


def _require_loss(experiment: Experiment, candidate: Candidate) -> None:
    """Labels are learned by their cross-entropy, and values by an error."""
    known = LOSSES_OF[experiment.kind]
    if candidate.training.loss not in known:
        raise ConfigError(
            f"the loss {candidate.training.loss!r} is none of {experiment.kind}",
            remedy=f"set loss of [training] to one of {', '.join(known)}",
            key="loss",
        )
    if experiment.collection is not None and candidate.training.stacking is not None:
        raise ConfigError(
            f"{experiment.kind} are not stacked", remedy="leave stacking out of [training]", key="stacking"
        )


def _require_windows(experiment: Experiment) -> None:
    """Every rung can use the windows; every split, less its guard gap, has room for one, as far as dates tell."""
    if experiment.collection is not None:
        return
    windows, given = experiment.of_time[1], experiment.days_or_parts
    if experiment.station is None and (windows.sampling, windows.first_lead) != (1, 1):
        raise ConfigError(
            "fields are forecast daily, from lead 1 on",
            remedy="leave sampling and first_lead of [windows] out",
        )
    step = ONE_DAY if experiment.station is None else STEP
    for name in experiment.rungs:
        RUNGS[name].require_windows(windows, step)
    if isinstance(given, Fractions):
        return
    length = guard_days(windows, step)
    splits = given.guarded(length)
    for name in ("train", "validation", "test"):
        split: TimeRange = getattr(splits, name)
        days = (split.end - split.start).days + 1
        if days < length:
            raise ConfigError(
                f"no window of {windows.history} + {windows.horizon} {'days' if step == ONE_DAY else 'samples'} fits "
                f"into the {days} days of {name} ({split}, without its guard gap)",
                remedy=f"widen {name}, or shorten [windows] history or horizon",
                split=name,
            )


@contextmanager
def _told(where: str) -> Iterator[None]:
    """Say of an error where in the file its cause is."""
    try:
        yield
    except IsothermError as error:
        message = error.message if error.message.startswith(where) else f"{where}: {error.message}"
        raise ConfigError(message, remedy=error.remedy, **{**error.fields, "where": where}) from error

"""The composition root: an experiment's TOML file becomes frozen, closed specs here and nowhere else."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from flows.explain import explained
from flows.settings import Settings
from models.base import config_of
from models.card import current_model
from models.recipe import Recipe
from models.specs import TrainingSpec
from pipeline import sources
from pipeline.climatology import ClimatologySpec
from pipeline.errors import ConfigError, IsothermError, NotFoundError
from pipeline.evaluation.specs import EvaluationSpec
from pipeline.forecasts import LADDER, RUNGS
from pipeline.naming import unknown
from pipeline.quality.base import Limits
from pipeline.regrid import Region, RegridSpec
from pipeline.sources.base import Source
from pipeline.splits import Splits
from pipeline.types import Box, Spec, TimeRange
from pipeline.windows import WindowSpec
from pipeline.workspace import Workspace


class Period(Spec):
    """The days wanted; to the newest there is where `end` is not given."""

    start: dt.date
    end: dt.date | None = None

    def until(self, today: dt.date) -> TimeRange:
        """The period with its end."""
        return TimeRange(start=self.start, end=self.end or max(today, self.start))


class RegionTable(Box):
    """A sea of the experiment: a box in degrees, and what people call it."""

    title: str = ""


class Simulation(Spec):
    """The embedded mirror's ocean: it is served on loopback while the experiment runs."""

    seed: int = 0
    first_day: dt.date
    today: dt.date


def _known_rungs(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in RUNGS:
            raise unknown("rung", name, RUNGS, ConfigError)
    return names


NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def _usable_name(name: str) -> str:
    """Experiments and regions name folders, groups and addresses."""
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} cannot be a name",
            remedy="write letters, digits, '-', '_' and '.', and begin with a letter or digit",
        )
    return name


Name = Annotated[str, AfterValidator(_usable_name)]


class Experiment(Spec):
    """One experiment, as its TOML file says it; the file's name is the experiment's."""

    name: Name
    title: str
    description: str = ""
    source: dict[str, Any]
    """`name` of an entry of SOURCES, and what its configuration takes."""
    simulation: Simulation | None = None
    period: Period
    regions: Annotated[dict[Name, RegionTable], Field(min_length=1)]
    grid: RegridSpec
    quality: Limits = Limits()
    splits: Splits
    windows: WindowSpec
    climatology: ClimatologySpec = ClimatologySpec()
    ladder: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_known_rungs)] = LADDER
    model: dict[str, Any]
    """`name` of an entry of MODELS, and what its configuration takes."""
    training: TrainingSpec = TrainingSpec()
    evaluation: EvaluationSpec = EvaluationSpec()

    def region(self, name: str) -> Region:
        """The box and grid of one of the regions."""
        table = self.regions[name]
        return Region(box=Box(latitude=table.latitude, longitude=table.longitude), regrid=self.grid)

    @property
    def model_name(self) -> str:
        """The model's name in MODELS."""
        return str(self.model["name"])

    def model_config_spec(self) -> Spec:
        """The model's own configuration."""
        table = {key: value for key, value in self.model.items() if key != "name"}
        return config_of(self.model_name)(**table)

    def make_source(self, **changes: Any) -> Source:
        """The source; `changes` replace keys of its configuration."""
        table = {key: value for key, value in self.source.items() if key != "name"}
        return sources.source(str(self.source["name"]), **{**table, **changes})

    def replaced(self, **tables: Any) -> Self:
        """The same experiment with other values in place, such as `source=`."""
        return self.model_copy(update=tables)


class Job(BaseModel):
    """An experiment in a workspace: what every step is given. It can be pickled and sent to any worker."""

    model_config = {"frozen": True, "arbitrary_types_allowed": True}

    experiment: Experiment
    settings: Settings

    @property
    def workspace(self) -> Workspace:
        """The paths."""
        return Workspace(self.settings.workspace)

    def recipe(self, region: str) -> Recipe:
        """What the region's model is made by."""
        experiment = self.experiment
        return Recipe(
            experiment=experiment.name,
            region=region,
            model=experiment.model_name,
            config=experiment.model_config_spec(),
            training=experiment.training,
            splits=experiment.splits,
            windows=experiment.windows,
            climatology=experiment.climatology,
        )

    def cube_snapshot(self) -> str:
        """The newest snapshot of the cube; NotFoundError where nothing was ingested."""
        return self._newest(self.workspace.cube(self.experiment.name), "has no days yet", "ingest")

    def archive_snapshot(self) -> str:
        """The newest snapshot of the forecast archive; NotFoundError where nothing was forecast."""
        return self._newest(self.workspace.archive(self.experiment.name), "has no forecasts yet", "forecast")

    def model_id(self, region: str) -> str:
        """The region's newest model; NotFoundError where none was trained."""
        return current_model(self.workspace.models(self.experiment.name, region))

    def _newest(self, store: Path, complaint: str, command: str) -> str:
        from pipeline.store import repository

        name = self.experiment.name
        if not repository.exists(store):
            raise NotFoundError(
                f"the experiment {name!r} {complaint} in the workspace {self.workspace.root}",
                remedy=f"run `isotherm {command} {name}` first",
                path=str(store),
            )
        return repository.newest(store)


def experiment_names(folder: Path) -> list[str]:
    """The experiments that there are, sorted."""
    return sorted(path.stem for path in folder.glob("*.toml"))


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
    """Refuse what only the chosen source, model, grid and windows can judge."""
    for table in ("source", "model"):
        if not isinstance(getattr(experiment, table).get("name"), str):
            raise ConfigError(
                f"{path}: [{table}] has no key 'name'", remedy=f'add name = "…" to [{table}]', path=str(path)
            )
    with _told(f"{path}: [source]"):
        experiment.make_source()
    with _told(f"{path}: [model]"):
        try:
            experiment.model_config_spec()
        except ValidationError as error:
            raise explained(error, config_of(experiment.model_name), where=f"{path}: [model]") from error
    for name in experiment.regions:
        with _told(f"{path}: [regions.{name}]"):
            experiment.region(name).grid  # noqa: B018  raises where the box is no whole number of cells
    with _told(f"{path}: [splits]"):
        _require_windows(experiment)


def _require_windows(experiment: Experiment) -> None:
    """Every split, less its guard gap, has room for a window."""
    windows = experiment.windows
    splits = experiment.splits.guarded(windows.length)
    for name in ("train", "validation", "test"):
        split: TimeRange = getattr(splits, name)
        days = (split.end - split.start).days + 1
        if days < windows.length:
            raise ConfigError(
                f"no window of {windows.history} + {windows.horizon} days fits into the {days} days of {name} "
                f"({split}, without its guard gap)",
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

"""The composition root: an experiment's TOML file becomes frozen, closed specs here and nowhere else."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from flows.kinds import require_tables
from flows.operations import Operations
from models.base import config_of
from models.specs import EncodingSpec, TrainingSpec
from pipeline import sources
from pipeline.climatology import ClimatologySpec
from pipeline.errors import ConfigError
from pipeline.evaluation.specs import EvaluationSpec
from pipeline.forecasts import LADDERS, RUNGS
from pipeline.forecasts.base import Kind
from pipeline.naming import unknown
from pipeline.quality.base import Limits
from pipeline.records.steps import StepSpec
from pipeline.regrid import Region, RegridSpec
from pipeline.sources.base import RecordSource, SeriesSource, Source
from pipeline.sources.policy import FetchPolicy
from pipeline.splits import Fractions, Splits
from pipeline.types import Box, Protocol, Spec, TimeRange
from pipeline.windows import WindowSpec


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
    """The embedded mirror's ocean or weather: it is served on loopback while the experiment runs."""

    seed: int = 0
    first_day: dt.date
    today: dt.date


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


class StationTable(Spec):
    """The station of the experiment, and what of its record is learned from and forecast."""

    name: Name
    title: str = ""
    target: str
    """The variable that is forecast."""
    variables: tuple[str, ...] = ()
    """Those that the models see; the source's usual ones where not given."""
    protocol: Protocol = "clean"
    wind_components: bool = True
    """Wind eastward and northward in place of speed and direction."""
    time_features: bool = False
    """Hour and season as points on circles, beside the variables."""
    encoding: EncodingSpec = EncodingSpec()


class RecordsTable(Spec):
    """The labelled records of the experiment, and how they become sequences."""

    name: Name
    title: str = ""
    steps: StepSpec = StepSpec()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model of the experiment: its name in MODELS, its own configuration, and how it is trained."""

    model: str
    config: Spec
    training: TrainingSpec


def _known_rungs(names: tuple[str, ...]) -> tuple[str, ...]:
    known = {rung for rungs in LADDERS.values() for rung in rungs} | {*RUNGS}
    for name in names:
        if name not in known:
            raise unknown("rung", name, known, ConfigError)
    return names


def _kind_of_splits(given: Any) -> str:
    """Parts are numbers, dates are tables."""
    values = given.values() if isinstance(given, dict) else ()
    parts = isinstance(given, Fractions) or any(isinstance(each, (int, float)) for each in values)
    return "<parts>" if parts else "<dates>"


class Experiment(Spec):
    """One experiment, as its TOML file says it; the file's name is the experiment's."""

    name: Name
    title: str
    description: str = ""
    source: dict[str, Any]
    """`name` of an entry of SOURCES, and what its configuration takes."""
    fetch: FetchPolicy = FetchPolicy()
    simulation: Simulation | None = None
    period: Period | None = None
    """Of an experiment on fields or on a series, with `windows`."""
    regions: dict[Name, RegionTable] = Field(default_factory=dict)
    """Of an experiment on fields, with `grid`."""
    grid: RegridSpec | None = None
    station: StationTable | None = None
    """Of an experiment on a series, in place of `regions` and `grid`."""
    records: RecordsTable | None = None
    """Of an experiment on labelled records, in place of all of these."""
    quality: Limits = Limits()
    splits: Annotated[
        Annotated[Splits, Tag("<dates>")] | Annotated[Fractions, Tag("<parts>")],
        Discriminator(_kind_of_splits),
    ]
    windows: WindowSpec | None = None
    climatology: ClimatologySpec = ClimatologySpec()
    ladder: Annotated[tuple[str, ...], AfterValidator(_known_rungs)] = ()
    """The usual rungs of fields or of stations where not given."""
    model: dict[str, Any] = Field(default_factory=dict)
    """`name` of an entry of MODELS, and what its configuration takes."""
    models: dict[Name, dict[str, Any]] = Field(default_factory=dict)
    """In place of `model`: several by name, each with the same keys, and `training` where it differs."""
    training: TrainingSpec = TrainingSpec()
    evaluation: EvaluationSpec = EvaluationSpec()
    operations: Operations = Operations()

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.station is not None:
            if self.regions or self.grid is not None:
                raise ConfigError(
                    "[station] and [regions] are of different experiments", remedy="keep one of them"
                )
        elif self.records is None and not self.regions:
            raise ConfigError("it has neither [regions] nor a [station]", remedy="name what is forecast")
        elif self.records is None and self.grid is None:
            raise ConfigError("[regions] need a [grid]", remedy="add [grid] with a resolution")
        require_tables(self)
        if bool(self.model) == bool(self.models):
            raise ConfigError("it needs either [model] or [models]", remedy="keep or add one of them")
        return self

    @property
    def of_time(self) -> tuple[Period, WindowSpec]:
        """Its period and windows.

        Raises
        ------
        ConfigError
            It is of records, which have neither.
        """
        if self.period is None or self.windows is None:
            raise ConfigError(
                f"the experiment {self.name!r} is of labelled records, which have no days to go along",
                remedy="of records there are `isotherm run`, `ingest`, `train`, `evaluate` and `report`",
            )
        return self.period, self.windows

    def region(self, name: str) -> Region:
        """The box and grid of one of the regions."""
        table = self.regions[name]
        assert self.grid is not None
        return Region(box=Box(latitude=table.latitude, longitude=table.longitude), regrid=self.grid)

    @property
    def places(self) -> dict[str, str]:
        """The regions, the station, or the records: titles by name."""
        if self.records is not None:
            return {self.records.name: self.records.title or self.records.name}
        if self.station is not None:
            return {self.station.name: self.station.title or self.station.name}
        return {name: table.title or name for name, table in self.regions.items()}

    @property
    def today(self) -> dt.date:
        """The simulation's, or really today, UTC."""
        return self.simulation.today if self.simulation else dt.datetime.now(dt.UTC).date()

    @property
    def kind(self) -> Kind:
        """What the record is of."""
        if self.records is not None:
            return "records"
        return "fields" if self.station is None else "series"

    @property
    def rungs(self) -> tuple[str, ...]:
        """The ladder that models are judged by."""
        return self.ladder or LADDERS[self.kind]

    @property
    def candidates(self) -> dict[str, Candidate]:
        """The models by name.

        Raises
        ------
        ConfigError, ValidationError
            There is no such model, or its configuration is refused.
        """
        tables = self.models or {str(self.model.get("name", "model")): self.model}
        return {name: self.candidate(name, table) for name, table in tables.items()}

    def candidate(self, name: str, table: Mapping[str, Any]) -> Candidate:
        """The model that a table describes."""
        model = str(table.get("name", name))
        own = {key: value for key, value in table.items() if key not in ("name", "training")}
        changed = {**self.training.model_dump(exclude_unset=True), **table.get("training", {})}
        return Candidate(model, config_of(model)(**own), TrainingSpec(**changed))

    def make_source(self, **changes: Any) -> Source:
        """The source of fields; `changes` replace keys of its configuration."""
        made = sources.source(self.source_name, **self._source_keys(changes))
        if hasattr(made, "decode_records"):
            raise ConfigError(
                f"{self.source_name} has labelled records, not fields",
                remedy="replace [regions] and [grid] by [records], or name another source",
            )
        if hasattr(made, "quantities"):
            raise ConfigError(
                f"{self.source_name} has the series of a station, not fields",
                remedy="replace [regions] and [grid] by [station], or name another source",
            )
        return made

    def make_series_source(self, **changes: Any) -> SeriesSource:
        """The source of a station; `changes` replace keys of its configuration."""
        return sources.series_source(self.source_name, **self._source_keys(changes))

    def make_record_source(self, **changes: Any) -> RecordSource:
        """The source of labelled records; `changes` replace keys of its configuration."""
        return sources.record_source(self.source_name, **self._source_keys(changes))

    @property
    def source_name(self) -> str:
        """In SOURCES."""
        return str(self.source["name"])

    def sourced(self, **changes: Any) -> Self:
        """The same experiment with other values of its source, which are refused where they cannot be used."""
        make: dict[Kind, Callable[..., object]] = {
            "fields": self.make_source,
            "series": self.make_series_source,
            "records": self.make_record_source,
        }
        make[self.kind](**changes)
        return self.model_copy(update={"source": {**self.source, **changes}})

    def _source_keys(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        table = {key: value for key, value in self.source.items() if key != "name"}
        return {**table, **changes}

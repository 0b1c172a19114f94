"""The composition root: an experiment's TOML file becomes frozen, closed specs here and nowhere else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from flows.kinds import no_calendar, require_tables
from flows.operations import Operations
from flows.tables import MoviesTable, Name, Period, RecordsTable, RegionTable, Simulation, StationTable
from models.base import config_of
from models.specs import TrainingSpec
from pipeline import sources
from pipeline.climatology import ClimatologySpec
from pipeline.errors import ConfigError
from pipeline.evaluation.specs import EvaluationSpec
from pipeline.forecasts import ASKED_FOR, LADDERS, RUNGS
from pipeline.forecasts.base import Kind
from pipeline.naming import unknown
from pipeline.quality.base import Limits
from pipeline.regrid import Region, RegridSpec
from pipeline.sources.base import MovieSource, RecordSource, SeriesSource, Source
from pipeline.sources.policy import FetchPolicy
from pipeline.splits import Fractions, GivenSplits, Numbers, Splits
from pipeline.types import Box, Spec
from pipeline.windows import WindowSpec


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model of the experiment: its name in MODELS, its own configuration, and how it is trained."""

    model: str
    config: Spec
    training: TrainingSpec


def _known_rungs(names: tuple[str, ...]) -> tuple[str, ...]:
    known = {rung for kinds in (LADDERS, ASKED_FOR) for rungs in kinds.values() for rung in rungs} | {*RUNGS}
    for name in names:
        if name not in known:
            raise unknown("rung", name, known, ConfigError)
    return names


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
    movies: MoviesTable | None = None
    """Of an experiment on movies, likewise."""
    quality: Limits = Limits()
    splits: GivenSplits
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
            It is of records or movies, which have neither.
        """
        if self.period is None or self.windows is None:
            raise no_calendar(self)
        return self.period, self.windows

    @property
    def days_or_parts(self) -> Splits | Fractions:
        """Its splits; those of fields and stations are not by number."""
        if isinstance(self.splits, Numbers):
            raise no_calendar(self)
        return self.splits

    def region(self, name: str) -> Region:
        """The box and grid of one of the regions."""
        table = self.regions[name]
        assert self.grid is not None
        return Region(box=Box(latitude=table.latitude, longitude=table.longitude), regrid=self.grid)

    @property
    def places(self) -> dict[str, str]:
        """The regions, the station, the records or the movies: titles by name."""
        one = self.collection or self.station
        if one is not None:
            return {one.name: one.title or one.name}
        return {name: table.title or name for name, table in self.regions.items()}

    @property
    def today(self) -> dt.date:
        """The simulation's, or really today, UTC."""
        return self.simulation.today if self.simulation else dt.datetime.now(dt.UTC).date()

    @property
    def collection(self) -> RecordsTable | MoviesTable | None:
        """What has no calendar, if the experiment is on such."""
        return self.records or self.movies

    @property
    def kind(self) -> Kind:
        """What the record is of."""
        if self.collection is not None:
            if self.records is None:
                return "movies"
            return "texts" if self.records.words else "records"
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
        others = {
            "decode_records": ("labelled records", "records"),
            "decode_movies": ("movies", "movies"),
            "quantities": ("the series of a station", "station"),
        }
        for mark, (what, table) in others.items():
            if hasattr(made, mark):
                raise ConfigError(
                    f"{self.source_name} has {what}, not fields",
                    remedy=f"replace [regions] and [grid] by [{table}], or name another source",
                )
        return made

    def make_series_source(self, **changes: Any) -> SeriesSource:
        """The source of a station; `changes` replace keys of its configuration."""
        return sources.series_source(self.source_name, **self._source_keys(changes))

    def make_record_source(self, **changes: Any) -> RecordSource:
        """The source of labelled records; `changes` replace keys of its configuration."""
        made = sources.record_source(self.source_name, **self._source_keys(changes))
        if made.kind != self.kind:
            raise ConfigError(
                f"{self.source_name} has {made.kind}, and the experiment is of {self.kind}",
                remedy="give [records] words = {}"
                if made.kind == "texts"
                else "leave words out of [records]",
                key="words",
            )
        return made

    def make_movie_source(self, **changes: Any) -> MovieSource:
        """The source of movies; `changes` replace keys of its configuration."""
        return sources.movie_source(self.source_name, **self._source_keys(changes))

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
            "texts": self.make_record_source,
            "movies": self.make_movie_source,
        }
        make[self.kind](**changes)
        return self.model_copy(update={"source": {**self.source, **changes}})

    def _source_keys(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        table = {key: value for key, value in self.source.items() if key != "name"}
        return {**table, **changes}

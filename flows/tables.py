"""The tables of an experiment's file that say what it is on: regions, a station, labelled records or movies."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from models.specs import EncodingSpec
from pipeline.errors import ConfigError
from pipeline.movies.published import PublishedCurve
from pipeline.movies.windows import MovieSpec
from pipeline.records.steps import StepSpec
from pipeline.records.words import WordSpec
from pipeline.types import Box, Protocol, Spec, TimeRange


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


Measure = Literal["accuracy", "precision", "recall", "f1"]
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


class CollectionTable(Spec):
    """What has no calendar: its name in paths, and the one that people read."""

    name: Name
    title: str = ""


class RecordsTable(CollectionTable):
    """The labelled records of the experiment, and how they become sequences."""

    steps: StepSpec = StepSpec()
    """Of records of measurements."""
    words: WordSpec | None = None
    """Of texts, in place of `steps`."""
    published: dict[Measure, dict[Name, Annotated[float, Field(ge=0, le=1)]]] = Field(default_factory=dict)
    """What others have published, by measure and model; the report shows it beside."""

    @property
    def spec(self) -> StepSpec | WordSpec:
        """How they become sequences."""
        return self.words or self.steps


class MoviesTable(CollectionTable):
    """The movies of the experiment, and how they are cut and learned from."""

    windows: MovieSpec
    published: PublishedCurve | None = None

    @property
    def spec(self) -> MovieSpec:
        """How they are cut."""
        return self.windows

"""Where a record is read from: small specs that travel to any worker, and read there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from pipeline.location import Location
from pipeline.types import Protocol as HowRead
from pipeline.types import Spec

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.forecasts.base import AnyRecord, Record
    from pipeline.forecasts.series import SeriesRecord
    from pipeline.movies.base import MovieSet
    from pipeline.records.base import RecordSet
    from pipeline.records.texts import TextSet


class Reading(Protocol):
    """What training, forecasting and scoring read their record by."""

    @property
    def path(self) -> Path:
        """The repository."""
        ...

    @property
    def region(self) -> str:
        """The region or station, which names the models, forecasts and scores."""
        ...

    def read(self, snapshot: str | None) -> AnyRecord:
        """The whole record as of a snapshot, or the newest."""
        ...

    def model_dump(self, *, mode: str, exclude: set[str]) -> dict[str, Any]:
        """What it says, by name."""
        ...


class CubeReading(Spec):
    """A region of a cube; without the values of preliminary days where `final_only`."""

    path: Location
    region: str
    final_only: bool = False

    def read(self, snapshot: str | None) -> Record:
        """See `pipeline.store.reader.read_record`."""
        from pipeline.store.reader import read_record

        return read_record(self.path, self.region, snapshot=snapshot, final_only=self.final_only)


class SeriesReading(Spec):
    """A station, and what of its record is wanted; without preliminary values where `final_only`."""

    path: Location
    region: str
    target: str
    variables: tuple[str, ...] = ()
    protocol: HowRead = "clean"
    wind_components: bool = True
    time_features: bool = False
    final_only: bool = False

    def read(self, snapshot: str | None) -> SeriesRecord:
        """See `pipeline.store.series_reader.read_series`."""
        from pipeline.store.series_reader import read_series

        return read_series(
            self.path,
            self.region,
            target=self.target,
            variables=self.variables,
            protocol=self.protocol,
            wind_components=self.wind_components,
            time_features=self.time_features,
            snapshot=snapshot,
            final_only=self.final_only,
        )


class RecordsReading(Spec):
    """Labelled records or texts; `region` is what the experiment calls them."""

    path: Location
    region: str

    def read(self, snapshot: str | None) -> RecordSet | TextSet:
        """See `pipeline.store.records_reader.read_records`."""
        from pipeline.store.records_reader import read_records

        return read_records(self.path, self.region, snapshot=snapshot)


class MoviesReading(Spec):
    """Movies; `region` is what the experiment calls them."""

    path: Location
    region: str

    def read(self, snapshot: str | None) -> MovieSet:
        """See `pipeline.store.movies_reader.read_movies`."""
        from pipeline.store.movies_reader import read_movies

        return read_movies(self.path, self.region, snapshot=snapshot)


CollectionReading = RecordsReading | MoviesReading
COLLECTION_READINGS: dict[str, type[RecordsReading | MoviesReading]] = {
    "records": RecordsReading,
    "texts": RecordsReading,
    "movies": MoviesReading,
}
"""By kind."""

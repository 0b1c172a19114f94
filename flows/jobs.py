"""The job that every step is given: an experiment in a workspace."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from flows.experiments import Experiment
from flows.kinds import require_kind
from flows.settings import Settings
from models.card import ModelCard
from models.champions import champion_models
from models.recipe import Recipe, said
from models.specs import EncodingSpec
from pipeline.errors import ConfigError, NotFoundError
from pipeline.evaluation.collection import CollectionStanding
from pipeline.evaluation.standing import Standing
from pipeline.partition import guard_days
from pipeline.splits import AnySplits, Fractions, Splits, judged, recent
from pipeline.store.readings import (
    COLLECTION_READINGS,
    CollectionReading,
    CubeReading,
    Reading,
    SeriesReading,
)
from pipeline.types import Status
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from models.recipe import Collection


class Job(BaseModel):
    """An experiment in a workspace: what every step is given. It can be pickled and sent to any worker."""

    model_config = {"frozen": True, "arbitrary_types_allowed": True}

    experiment: Experiment
    settings: Settings

    @property
    def workspace(self) -> Workspace:
        """The paths."""
        return Workspace(self.settings.workspace, self.settings.here)

    @property
    def today(self) -> dt.date:
        """The day that it is, UTC: as the settings say, the simulation's, or really."""
        return self.settings.today or self.experiment.today

    def reading(self, place: str, *, final_only: bool = False) -> Reading:
        """Where the record of a region or of the station is read from; preliminary values are left out if asked."""
        path = self.workspace.cube(self.experiment.name)
        station = self.experiment.station
        if station is None:
            return CubeReading(path=path, region=place, final_only=final_only)
        return SeriesReading(
            path=path,
            region=place,
            target=station.target,
            variables=station.variables,
            protocol=station.protocol,
            wind_components=station.wind_components,
            time_features=station.time_features,
            final_only=final_only,
        )

    def any_reading(self, place: str, *, final_only: bool = False) -> Reading | CollectionReading:
        """As `reading`, or of labelled records or movies where they are read from."""
        kind = COLLECTION_READINGS.get(self.experiment.kind)
        if kind is None:
            return self.reading(place, final_only=final_only)
        return kind(path=self.workspace.cube(self.experiment.name), region=place)

    def recipe(self, place: str, name: str, splits: AnySplits | None = None) -> Recipe:
        """What the model called `name` is made by; on other splits than the experiment's where they are given."""
        experiment = self.experiment
        candidate = experiment.candidates[name]
        return Recipe(
            experiment=experiment.name,
            region=place,
            name=name,
            model=candidate.model,
            config=candidate.config,
            training=candidate.training,
            splits=splits or experiment.splits,
            windows=experiment.collection.spec if experiment.collection else experiment.of_time[1],
            climatology=experiment.climatology,
            encoding=experiment.station.encoding if experiment.station else EncodingSpec(),
        )

    def recipes(self, place: str, splits: AnySplits | None = None) -> list[Recipe]:
        """What each model of the experiment is made by."""
        return [self.recipe(place, name, splits) for name in self.experiment.candidates]

    def said(self, place: str) -> str:
        """Hash of what the experiment says of its models, see `models.recipe.said`."""
        return said(self.recipes(place), self.any_reading(place))

    def judged_splits(self, place: str, snapshot: str) -> Splits | Fractions:
        """The splits by which the champion is judged, see `pipeline.splits.judged`.

        Those of the experiment where its rows are counted as published, and of a model that an earlier version trained:
        it was trained by them.

        Raises
        ------
        NotFoundError
            None was trained.
        """
        from pipeline.store.state import last_day

        experiment = self.experiment
        learned = ModelCard.read(next(iter(self.models(place).values()))).learned
        published = experiment.station is not None and experiment.station.protocol == "as-published"
        if learned is None or published:
            return experiment.days_or_parts
        store = self.workspace.cube(experiment.name)
        return judged(experiment.days_or_parts, learned, last_day(store, snapshot=snapshot))

    def recent_splits(self, place: str, snapshot: str) -> Splits:
        """The splits by which a challenger is trained: they end at the newest final day, see `pipeline.splits.recent`.

        Raises
        ------
        ConfigError
            The record is too short for them, or its rows are counted as published.
        NotFoundError
            No day is final yet.
        """
        from pipeline.store.state import last_day

        name, station = self.experiment.name, self.experiment.station
        if station is not None and station.protocol == "as-published":
            raise ConfigError(
                f"the experiment {name!r} counts the rows of a record as it was published, which does not grow",
                remedy="train it with `isotherm train`, or retrain an experiment whose protocol is 'clean'",
            )
        last = last_day(self.workspace.cube(name), snapshot=snapshot, least=Status.FINAL)
        record = self.reading(place, final_only=True).read(snapshot)
        days = guard_days(self.experiment.of_time[1], record.time[1] - record.time[0])
        return recent(self.experiment.days_or_parts, record.time, last, days)

    def judged_recipe(self, place: str, snapshot: str) -> Recipe:
        """By what the champion is asked for forecasts and judged: of any of its models, on `judged_splits`."""
        return self.recipes(place, self.judged_splits(place, snapshot))[0]

    def cube_snapshot(self) -> str:
        """The newest snapshot of the cube; NotFoundError where nothing was ingested."""
        return self._newest(self.workspace.cube(self.experiment.name), "has no days yet", "ingest")

    def archive_snapshot(self) -> str:
        """The newest snapshot of the forecast archive; NotFoundError where nothing was forecast."""
        return self._newest(self.workspace.archive(self.experiment.name), "has no forecasts yet", "forecast")

    def models(self, place: str) -> dict[str, Path]:
        """The folders of the newest models by name, the best first; NotFoundError where none was trained."""
        folder = self.workspace.models(self.experiment.name, place)
        return {name: folder / model_id for name, model_id in champion_models(folder).items()}

    def own_models(self, place: str, record: Collection) -> dict[str, Path]:
        """As `models`, of labelled records or movies: where all were trained as the experiment says it, on this record.

        Others may have been trained on what the experiment now calls test, or for other windows.

        Raises
        ------
        ConfigError
            A model was trained with another experiment or other data.
        NotFoundError
            None was trained.
        """
        held = self.models(place)
        for name, folder in held.items():
            if name not in self.experiment.candidates or self.recipe(place, name).key(record) != folder.name:
                raise ConfigError(
                    f"the model {folder.name} was not trained with the experiment and the data as they are now",
                    remedy=f"run `isotherm train {self.experiment.name}` first",
                    model=folder.name,
                )
        return held

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


def require_inputs(job: Job, step: str) -> None:
    """Refuse a step whose inputs are not there yet, before anything is started for it.

    Raises
    ------
    NotFoundError
        Its remedy is the command that makes what is lacking.
    """
    require_kind(job.experiment, step)
    if step in {"train", "retrain", "forecast", "evaluate"}:
        job.cube_snapshot()
    for region in job.experiment.places:
        if step in {"forecast", "evaluate", "daily"}:
            job.models(region)
        if step in {"report", "publish"}:
            scores = job.workspace.scores(job.experiment.name, region)
            (Standing if job.experiment.collection is None else CollectionStanding).read(scores)
    if step == "evaluate" and job.experiment.collection is None:
        job.archive_snapshot()

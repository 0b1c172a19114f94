"""From the words of a command or a deployment to the job that every step is given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from glob import iglob
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel

from flows.experiments import Experiment
from flows.kinds import require_kind
from flows.loading import load_experiment
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

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


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


@contextmanager
def job_for(
    experiment: str,
    *,
    workspace: Path | str | None = None,
    from_files: tuple[str, ...] = (),
    mirror: str | None = None,
    embedded: bool = True,
) -> Iterator[Job]:
    """The job of an experiment; an `embedded` mirror, if it has one, serves while the context is open.

    Parameters
    ----------
    experiment
        A name, or the path of a TOML file.
    from_files
        Globs of local files to take instead of what the experiment names.
    mirror
        The address of an Isotherm mirror to take instead of the public ones.

    Raises
    ------
    NotFoundError, ConfigError
        The experiment cannot be used.
    WorkspaceError
        The workspace cannot be used.
    """
    if from_files and mirror is not None:
        raise ConfigError(
            "--from-files and --mirror say two things of where the files are", remedy="give one of them"
        )
    settings = Settings.load(workspace=workspace)
    chosen = load_experiment(experiment, settings.experiments)
    opened = Workspace.open(settings.workspace, settings.here)
    settings = settings.model_copy(update={"workspace": opened.root})
    if from_files:
        yield Job(experiment=chosen.sourced(files=_matching(from_files)), settings=settings)
    elif mirror is not None:
        addresses = mirror_addresses(mirror, chosen.source_name)
        yield Job(experiment=chosen.sourced(addresses=addresses), settings=settings)
    elif chosen.simulation is not None and embedded:
        with _simulated(chosen, settings.today) as sourced:
            yield Job(experiment=sourced, settings=_near(settings))
    else:
        yield Job(experiment=chosen, settings=settings)


def _near(settings: Settings) -> Settings:
    """Without a cluster of other machines, from where an embedded mirror cannot be reached."""
    there = urlsplit(settings.dask_address or "").hostname
    return settings if there in LOOPBACK else settings.model_copy(update={"dask_address": None})


@contextmanager
def _simulated(experiment: Experiment, today: dt.date | None) -> Iterator[Experiment]:
    """The experiment with its files on a mirror that serves its simulation meanwhile, as of `today` if given."""
    from pipeline.mirror import Mirror, SimulatedOcean, SimulatedWeather

    asked = experiment.simulation
    assert asked is not None
    asked = asked.model_copy(update={"today": today or asked.today})
    mirror_addresses("http://", experiment.source_name)
    if experiment.station is None:
        ocean = SimulatedOcean(seed=asked.seed, first=asked.first_day, today=asked.today)
        with Mirror(ocean=ocean) as serving:
            yield experiment.sourced(addresses=serving.addresses_of(experiment.source_name))
    else:
        weather = SimulatedWeather(seed=asked.seed, first=asked.first_day, today=asked.today)
        with Mirror(weather=weather) as serving:
            addresses = serving.addresses_of(experiment.source_name)
            # The station has no index: which of its files there are follows from the day.
            yield experiment.sourced(addresses=addresses, today=asked.today)


def mirror_addresses(url: str, source: str) -> dict[str, str]:
    """The base address of the likeness of each of a source's public mirrors on an Isotherm mirror at `url`.

    Raises
    ------
    ConfigError
        It is no address, or such a mirror has nothing of the source.
    """
    from pipeline.mirror.server import PREFIXES_BY_SOURCE

    if source not in PREFIXES_BY_SOURCE:
        raise ConfigError(
            f"an Isotherm mirror has nothing of {source}",
            remedy="name files with --from-files, where it has any",
        )
    if not url.startswith(("http://", "https://")):
        raise ConfigError(
            f"the mirror {url!r} is no address", remedy="write it as `isotherm mirror` does: http://HOST:PORT"
        )

    return {name: f"{url.rstrip('/')}/{prefix}" for name, prefix in PREFIXES_BY_SOURCE[source].items()}


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


def _matching(globs: tuple[str, ...]) -> tuple[str, ...]:
    """The globs, absolute, so that they mean the same wherever a worker runs."""
    found = tuple(str(Path(pattern).expanduser().absolute()) for pattern in globs)
    for given, pattern in zip(globs, found, strict=True):
        if next(iglob(pattern, recursive=True), None) is None:  # noqa: PTH207
            raise ConfigError(
                f"no file matches {given!r}",
                remedy="correct the path or glob; quote globs, so that the shell leaves them alone",
                given=given,
            )
    return found

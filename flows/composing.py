"""From the words of a command or a deployment to the job that they ask for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from glob import iglob
from pathlib import Path
from urllib.parse import urlsplit

from flows.experiments import Experiment
from flows.jobs import Job
from flows.loading import load_experiment
from flows.settings import Settings
from pipeline.errors import ConfigError
from pipeline.workspace import Workspace

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


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

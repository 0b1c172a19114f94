"""From the words of a command or a deployment to the job that every step is given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.settings import Experiment, Job, Settings, load_experiment
from pipeline.workspace import Workspace


@contextmanager
def job_for(
    experiment: str,
    *,
    workspace: Path | None = None,
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
    settings = Settings.load(workspace=workspace)
    chosen = load_experiment(experiment, settings.experiments)
    settings = settings.model_copy(update={"workspace": Workspace.open(settings.workspace).root})
    if from_files:
        yield Job(experiment=_sourced(chosen, files=from_files), settings=settings)
    elif mirror is not None:
        yield Job(experiment=_sourced(chosen, addresses=mirror_addresses(mirror)), settings=settings)
    elif chosen.simulation is not None and embedded:
        from pipeline.mirror import Mirror, SimulatedOcean

        simulated = chosen.simulation
        ocean = SimulatedOcean(seed=simulated.seed, first=simulated.first_day, today=simulated.today)
        with Mirror(ocean=ocean) as serving:
            yield Job(experiment=_sourced(chosen, addresses=serving.addresses), settings=settings)
    else:
        yield Job(experiment=chosen, settings=settings)


def mirror_addresses(url: str) -> dict[str, str]:
    """The base address of each public mirror's likeness on an Isotherm mirror at `url`."""
    from pipeline.mirror.server import PREFIXES

    return {name: f"{url.rstrip('/')}/{prefix}" for name, prefix in PREFIXES.items()}


def _sourced(experiment: Experiment, **changes: object) -> Experiment:
    experiment.make_source(**changes)
    return experiment.replaced(source={**experiment.source, **changes})

"""From the words of a command or a deployment to the job that every step is given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from glob import iglob
from pathlib import Path

from flows.experiments import Experiment, Job, load_experiment
from flows.settings import Settings
from pipeline.errors import ConfigError
from pipeline.evaluation.standing import Standing
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
    if from_files and mirror is not None:
        raise ConfigError(
            "--from-files and --mirror say two things of where the files are", remedy="give one of them"
        )
    settings = Settings.load(workspace=workspace)
    chosen = load_experiment(experiment, settings.experiments)
    settings = settings.model_copy(update={"workspace": Workspace.open(settings.workspace).root})
    if from_files:
        yield Job(experiment=_sourced(chosen, files=_matching(from_files)), settings=settings)
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
    """The base address of each public mirror's likeness on an Isotherm mirror at `url`.

    Raises
    ------
    ConfigError
        It is no address.
    """
    from pipeline.mirror.server import PREFIXES

    if not url.startswith(("http://", "https://")):
        raise ConfigError(
            f"the mirror {url!r} is no address", remedy="write it as `isotherm mirror` does: http://HOST:PORT"
        )

    return {name: f"{url.rstrip('/')}/{prefix}" for name, prefix in PREFIXES.items()}


def require_inputs(job: Job, step: str) -> None:
    """Refuse a step whose inputs are not there yet, before anything is started for it.

    Raises
    ------
    NotFoundError
        Its remedy is the command that makes what is lacking.
    """
    if step in {"train", "forecast", "evaluate"}:
        job.cube_snapshot()
    for region in job.experiment.regions:
        if step in {"forecast", "evaluate"}:
            job.model_id(region)
        if step in {"report", "publish"}:
            Standing.read(job.workspace.scores(job.experiment.name, region))
    if step == "evaluate":
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


def _sourced(experiment: Experiment, **changes: object) -> Experiment:
    experiment.make_source(**changes)
    return experiment.replaced(source={**experiment.source, **changes})

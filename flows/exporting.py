"""Movies written out for other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def export(experiment: str, folder: Path, *, workspace: str | None = None, heading: bool = True) -> int:
    """Write the ingested movies of an experiment as numbered tables below a new folder; how many there are.

    Raises
    ------
    ConfigError
        The experiment is not of movies.
    NotFoundError
        Nothing was ingested.
    StoreError
        As `pipeline.movies.numbered_csv.write_all`.
    """
    from flows.composing import job_for
    from pipeline.movies.numbered_csv import write_all
    from pipeline.store.readings import MoviesReading

    with job_for(experiment, workspace=workspace, embedded=False) as job:
        movies = job.experiment.movies
        if movies is None:
            raise ConfigError(
                f"the experiment {job.experiment.name!r} is not of movies, and numbered tables are of nothing else",
                remedy="open its store with xarray; docs/store.md tells how",
                experiment=job.experiment.name,
            )
        snapshot = job.cube_snapshot()
        reading = MoviesReading(path=job.workspace.cube(job.experiment.name), region=movies.name)
        return write_all(folder, reading.read(snapshot), heading=heading)

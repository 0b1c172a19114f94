"""Ingestion: list, compare with the store, then fetch, check and commit: shards of days, or a station's files."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from pipeline.ingestion.gather import Gathering
from pipeline.ingestion.job import IngestJob, IngestResult, MapFunction, Problem, Refused
from pipeline.ingestion.plan import Plan, Shard, make_plan
from pipeline.ingestion.series import ingest_series
from pipeline.ingestion.series_job import SeriesJob
from pipeline.sources.fetch import Fetcher
from pipeline.store import repository, writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.types import TimeRange

__all__ = [
    "IngestJob",
    "IngestResult",
    "Plan",
    "Problem",
    "Refused",
    "SeriesJob",
    "Shard",
    "ingest",
    "ingest_series",
    "ingest_shard",
    "plan",
]


def plan(job: IngestJob, period: TimeRange) -> Plan:
    """Make the cube if there is none, list the mirrors, and keep what differs.

    Raises
    ------
    FetchError
        No mirror could be listed.
    GridError, StoreError
        A region cannot be gridded, or is in the cube otherwise.
    """
    grids = {name: region.grid for name, region in job.regions.items()}
    attributes = {
        name: {f"regrid_{key}": value for key, value in region.regrid.model_dump().items()}
        for name, region in job.regions.items()
    }
    if repository.exists(job.cube):
        # Before the plan: a region that is new to the cube wants every day.
        writer.create_cube(job.cube, grids, period.start, attributes=attributes)
    with Fetcher(job.policy) as fetcher:
        made = make_plan(job.source, job.regions, job.cube, period, fetcher.read, recheck=job.recheck)
    writer.create_cube(job.cube, grids, period.start, attributes=attributes)
    return made


def ingest(
    job: IngestJob,
    period: TimeRange,
    *,
    map_fn: MapFunction = map,
    progress: Callable[[Shard, IngestResult], None] | None = None,
) -> IngestResult:
    """Plan and ingest shard after shard, one in memory at a time.

    Raises
    ------
    FetchError, GridError, StoreError, DiskFullError
        As `plan` and `ingest_shard`; what was committed before is kept.
    """
    made = plan(job, period)
    total = IngestResult(gaps=made.gaps, problems=made.problems)
    with Fetcher(job.policy) as fetcher:
        for shard in made.shards:
            result = ingest_shard(job, shard, map_fn=map_fn, fetcher=fetcher)
            total += result
            if progress is not None:
                progress(shard, result)
    return total


def ingest_shard(
    job: IngestJob, shard: Shard, *, map_fn: MapFunction = map, fetcher: Fetcher | None = None
) -> IngestResult:
    """Write one shard of days in one commit; what a mirror cannot give is asked of the next.

    Parameters
    ----------
    fetcher
        One that is open, to be shared between shards; else the shard opens its own.

    Returns
    -------
    IngestResult
        Refused granules are in quarantine; days that no mirror could give are its `gaps`.

    Raises
    ------
    GridError
        A region holds no ocean.
    StoreError, DiskFullError
        The cube is as it was before the shard.
    """
    run = Gathering(job, shard, map_fn)
    with nullcontext(fetcher) if fetcher is not None else Fetcher(job.policy) as fetcher:
        run.attempt(fetcher, shard.granules)
        for mirror in job.source.mirrors:
            if not run.left:
                break
            run.attempt(fetcher, run.list_again(fetcher, mirror))
    return run.commit()

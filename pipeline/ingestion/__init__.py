"""Ingestion: list, compare with the store, then fetch, check and commit: shards of days, or a station's files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.ingestion.batch import ingest_batch
from pipeline.ingestion.gather import gather
from pipeline.ingestion.job import IngestJob, IngestResult, Problem, Refused, Spread
from pipeline.ingestion.plan import Plan, Shard, batches, make_plan
from pipeline.ingestion.refusals import keep_aside
from pipeline.ingestion.seam import Seam
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
    "Spread",
    "batches",
    "ingest",
    "ingest_batch",
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
            result = ingest_shard(job, shard, fetcher=fetcher)
            total += result
            if progress is not None:
                progress(shard, result)
    return total


def ingest_shard(job: IngestJob, shard: Shard, *, fetcher: Fetcher | None = None) -> IngestResult:
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
    run = gather(job, shard, Seam.read(job.cube, shard.wanted[0]), fetcher=fetcher)
    keep_aside(job, run.refusals)
    snapshot = writer.write(job.cube, run.batch(), source_grid=run.known) if run.days else None
    return run.result + IngestResult(snapshot=snapshot)

"""Many shards in one commit: workers gather and write them, each by itself, and what was compared is made sure of.

Gathering in parallel, a shard does not know the day before its first, which another worker is at. It is compared with
what the cube held before; where the true day before would have given other findings, the shard is gathered again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import GridError, MovedError, StoreError
from pipeline.ingestion.gather import gather
from pipeline.ingestion.job import IngestJob, IngestResult
from pipeline.ingestion.refusals import Refusal, keep_aside
from pipeline.ingestion.seam import Seam
from pipeline.quality import inspect
from pipeline.quality.base import Context
from pipeline.sources.fetch import Fetcher
from pipeline.sources.policy import FetchPolicy
from pipeline.store import cooperative, repository
from pipeline.types import SST_UNITS, Field

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.grid import Grid
    from pipeline.ingestion.job import Spread
    from pipeline.ingestion.plan import Shard

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class ShardWork:
    """All that a worker needs to do one shard; it can be pickled.

    Parameters
    ----------
    base
        The snapshot of the cube that is written to.
    last
        The last day of the batch.
    seam
        What lies before the shard; as the cube has it where None.
    """

    job: IngestJob
    shard: Shard
    base: str
    last: dt.date
    seam: Seam | None = None


@dataclass(frozen=True, slots=True)
class ShardDone:
    """A shard that a worker did, and what it was compared with.

    Parameters
    ----------
    seam
        What the worker took for what lies before.
    known, ocean
        The grid of the files and the ocean's cells, as they were found.
    opening
        Each field of the shard's first day that was looked at, by region.
    closing
        What lies before the next shard: the last day that was kept, and its fields.
    part
        What was written; None where nothing was.
    error
        The shard could not be done with this seam.
    """

    seam: Seam
    known: Grid | None = None
    ocean: Mapping[str, NDArray[np.bool_]] | None = None
    opening: tuple[Mapping[str, NDArray[np.float32]], ...] = ()
    closing: tuple[np.datetime64 | None, Mapping[str, NDArray[np.float32]]] = (None, {})
    part: cooperative.Part | None = None
    result: IngestResult = field(default_factory=IngestResult)
    refusals: tuple[Refusal, ...] = ()
    error: GridError | None = None


def ingest_batch(
    job: IngestJob,
    shards: Sequence[Shard],
    *,
    spread: Spread = map,
    at_once: int = 1,
    progress: Callable[[Shard], None] | None = None,
) -> IngestResult:
    """Write `shards` in one commit; the cube and the findings are those of `ingest_shard` for one after another.

    Parameters
    ----------
    spread
        Calls a function of the work for each shard, here or elsewhere; workers need the folders of the job.
    at_once
        How many shards are done at once; they share what the policy allows to ask of a host.
    progress
        Told of each shard when it is done.

    Raises
    ------
    GridError
        A region holds no ocean.
    StoreError, DiskFullError
        The cube is as it was before the batch.
    """
    policy = job.policy or FetchPolicy()
    _fetch_shared(job, shards)
    theirs = replace(job, policy=policy.shared_by(min(at_once, len(shards))))
    for _ in range(_ATTEMPTS):
        base = repository.newest(job.cube)
        work = [ShardWork(theirs, shard, base, shards[-1].wanted[-1]) for shard in shards]
        try:
            done = _all_done(work, spread, progress)
            keep_aside(job, (refusal for each in done for refusal in each.refusals))
            return sum((each.result for each in done), IngestResult()) + IngestResult(
                snapshot=_commit(job, done, base)
            )
        except MovedError:
            continue
    raise StoreError(
        f"another writer came first at {job.cube}, {_ATTEMPTS} times in a row",
        remedy="let one process at a time write to a store",
        path=str(job.cube),
    )


def do_shard(work: ShardWork) -> ShardDone:
    """Gather a shard and write its values into a fork of the cube's session.

    Raises
    ------
    MovedError
        Another writer committed meanwhile.
    DiskFullError
        There is no space.
    """
    job, shard = work.job, work.shard
    seam = work.seam or Seam.read(job.cube, shard.wanted[0], work.base)
    try:
        run = gather(job, shard, seam, snapshot=work.base)
    except GridError as error:
        return ShardDone(seam, error=error)
    part: cooperative.Part | None = None
    closing: tuple[np.datetime64 | None, dict[str, NDArray[np.float32]]] = (None, {})
    if run.days:
        batch = run.batch()
        part = cooperative.write_part(job.cube, batch, base=work.base, last=work.last)
        closing = (batch.days[-1], {name: fields[-1].copy() for name, fields in batch.values.items()})
    opening, refusals = tuple(run.opening), tuple(run.refusals)
    return ShardDone(seam, run.known, run.ocean, opening, closing, part, run.result, refusals)


def _all_done(
    work: list[ShardWork], spread: Spread, progress: Callable[[Shard], None] | None
) -> list[ShardDone]:
    """Every shard, done with what truly lies before it."""
    done: list[ShardDone] = []
    for asked, first in zip(work, spread(do_shard, work), strict=True):
        each = first
        seam = _true_seam(each.seam, done)
        if not _would_be_same(each, seam, asked):
            (each,) = spread(do_shard, [replace(asked, seam=seam)])
        if each.error is not None:
            raise each.error
        done.append(each)
        if progress is not None:
            progress(asked.shard)
    return done


def _true_seam(held: Seam, before: Sequence[ShardDone]) -> Seam:
    """What the cube would hold before a shard if the shards `before` it were committed."""
    known = held.known or next((each.known for each in before if each.part is not None), None)
    day, values = next((each.closing for each in reversed(before) if each.closing[0] is not None), (None, {}))
    if day is None or (held.day is not None and held.day > day):
        return replace(held, known=known)
    return Seam(known, day, values)


def _would_be_same(done: ShardDone, seam: Seam, work: ShardWork) -> bool:
    """Whether the shard would have been gathered in the same way after `seam`."""
    if seam.day == done.seam.day and seam.values is done.seam.values and seam.known == done.seam.known:
        return True
    if done.error is not None or (seam.known is not None and seam.known != done.known):
        return False
    before = seam.ocean
    if any(name not in before or (cells != before[name]).any() for name, cells in (done.ocean or {}).items()):
        return False
    return not any(_jumps(work, fields, each) for fields in done.opening for each in (seam, done.seam))


def _jumps(work: ShardWork, fields: Mapping[str, NDArray[np.float32]], seam: Seam) -> bool:
    """Whether the first day is told to be far from the day before."""
    first = np.datetime64(work.shard.wanted[0], "D")
    if seam.day is None or seam.day != first - np.timedelta64(1, "D"):
        return False
    for name, values in fields.items():
        grid = work.job.regions[name].grid
        opened = Field(
            values[None],
            np.array([first]),
            grid.latitude,
            grid.longitude,
            SST_UNITS,
            work.shard.granules[0].status,
        )
        context = Context(work.shard.granules[0], work.job.limits, previous=seam.values[name])
        if inspect(opened, context, only=("jump",)):
            return True
    return False


def _commit(job: IngestJob, done: list[ShardDone], base: str) -> str | None:
    parts = [each.part for each in done if each.part is not None]
    if not parts:
        return None
    known = next(each.known for each in done if each.part is not None)
    return cooperative.commit(job.cube, parts, base=base, source_grid=known)


def _fetch_shared(job: IngestJob, shards: Sequence[Shard]) -> None:
    """Fetch the files that several shards have days of, so that workers do not fetch them at the same time."""
    counts = Counter(url for shard in shards for url in {granule.url for granule in shard.granules})
    granules = {granule.url: granule for shard in shards for granule in shard.granules}
    shared = [granule for url, granule in granules.items() if counts[url] > 1 and "://" in url]
    if shared:
        with Fetcher(job.policy) as fetcher:
            for _ in fetcher.fetch(shared, job.cache):
                """What fails, a worker asks for again, and tells of."""

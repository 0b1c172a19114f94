"""One shard: its days gathered from mirror after mirror."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import FetchError, GranuleError, VanishedError
from pipeline.grid import require_ocean
from pipeline.ingestion.granules import BY_REGION, Processed, Work, process, refusal
from pipeline.ingestion.job import IngestJob, IngestResult, Problem, Refused
from pipeline.ingestion.plan import Shard, differs, enclosing_box, pieces, restrict
from pipeline.ingestion.refusals import Refusal
from pipeline.quality import inspect
from pipeline.quality.base import Context, Finding
from pipeline.quarantine import Reason
from pipeline.sources.base import FetchFailure
from pipeline.sources.fetch import Fetcher
from pipeline.store import writer
from pipeline.store.state import read_state
from pipeline.types import SST_UNITS, Field, Status, TimeRange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from pipeline.ingestion.seam import Seam
    from pipeline.sources.base import Granule
    from pipeline.types import Box


def gather(
    job: IngestJob, shard: Shard, seam: Seam, *, snapshot: str | None = None, fetcher: Fetcher | None = None
) -> Gathering:
    """Fetch, check and regrid the days of `shard`; what a mirror cannot give is asked of the next.

    Parameters
    ----------
    snapshot
        Of the cube, with which listings are compared; the newest where None.
    fetcher
        One that is open; else the shard opens its own.

    Raises
    ------
    GridError
        A region holds no ocean.
    """
    run = Gathering(job, shard, seam, snapshot)
    with nullcontext(fetcher) if fetcher is not None else Fetcher(job.policy) as fetcher:
        run.attempt(fetcher, shard.granules)
        for mirror in job.source.mirrors:
            if not run.left:
                break
            run.attempt(fetcher, run.list_again(fetcher, mirror))
    return run


class Gathering:
    """The days of one shard, while they come from mirror after mirror."""

    def __init__(self, job: IngestJob, shard: Shard, seam: Seam, snapshot: str | None = None) -> None:
        self.job, self.shard, self.seam, self.snapshot = job, shard, seam, snapshot
        self.box: Box = enclosing_box(job.regions.values())
        self.known = seam.known
        self.left = set(shard.wanted)
        self.tried: set[tuple[str, str, dt.date]] = set()
        self.days: dict[dt.date, tuple[Processed, int]] = {}
        self.refusals: list[Refusal] = []
        self.opening: list[Mapping[str, NDArray[np.float32]]] = []
        """Every field of the shard's first day that was looked at, whatever came of it."""
        self.ocean = seam.ocean
        self._found = IngestResult()

    def list_again(self, fetcher: Fetcher, mirror: str) -> tuple[Granule, ...]:
        """What `mirror` has of the days that are left and has not been tried for yet."""
        span = TimeRange(start=min(self.left), end=max(self.left))
        try:
            listed = self.job.source.list_granules(mirror, span, self.box, fetcher.read)
        except (FetchError, GranuleError) as error:
            self._add(problems=(Problem(mirror=mirror, what="listing", message=error.message),))
            return ()
        state = read_state(self.job.cube, self.snapshot)
        fresh = []
        for granule in listed:
            days = tuple(
                day
                for day in granule.days
                if day in self.left
                and (mirror, granule.url, day) not in self.tried
                and differs(state, day, granule)
            )
            fresh += [replace(granule, days=days)] if days else []
        return restrict(fresh, self.left)

    def attempt(self, fetcher: Fetcher, granules: Iterable[Granule]) -> None:
        """Fetch and process `granules`, and keep the days that pass."""
        parts = pieces(list(granules), self.box)
        self.tried |= {(g.mirror, g.url, day) for g in parts for day in g.days}
        done = [process(work) for work in self._fetched(fetcher, parts)]
        self._settle_grid(done)
        for each in sorted((d for d in done if len(d.days)), key=lambda d: d.days[0]):
            self._keep(each)
        for each in done:
            self._warn(each.findings)
            self._refuse(each, [f for f in each.findings if f.severity == "refuse"])

    @property
    def result(self) -> IngestResult:
        """What became of the days, were they written now."""
        status = Counter(each.status for each, _ in self.days.values())
        missing = tuple(sorted(self.left))
        return self._found + IngestResult(
            final=status[Status.FINAL],
            preliminary=status[Status.PRELIMINARY],
            gaps=tuple(day for day in missing if day in self.shard.lacking),
            stale=tuple(day for day in missing if day not in self.shard.lacking),
        )

    def batch(self) -> writer.DayBatch:
        """The days, to be written."""
        days = sorted(self.days)
        chosen = [self.days[day] for day in days]
        granules = [each.fetched.granule for each, _ in chosen]
        return writer.DayBatch(
            np.array(days, "datetime64[D]"),
            np.array([each.status for each, _ in chosen], np.int8),
            tuple(each.fetched.sha256 for each, _ in chosen),
            tuple(granule.url for granule in granules),
            tuple(granule.version for granule in granules),
            {name: np.stack([e.values[name][i] for e, i in chosen]) for name in self.job.regions}
            if chosen
            else {},
        )

    def _fetched(self, fetcher: Fetcher, parts: list[Granule]) -> Iterator[Work]:
        job = self.job
        for got in fetcher.fetch(parts, job.cache):
            if isinstance(got, FetchFailure):
                self._lost(got)
            else:
                yield Work(job.source, got, self.box, job.regions, job.limits, self.known)

    def _lost(self, failure: FetchFailure) -> None:
        granule, error = failure.granule, failure.error
        if isinstance(error, GranuleError):
            self._set_aside(None, granule, [refusal(error)])
        elif isinstance(error, VanishedError):
            self._add(vanished=(granule.url,))
        else:
            problem = Problem(mirror=granule.mirror, what=granule.url, message=error.message)
            self._add(problems=(problem,))

    def _settle_grid(self, done: list[Processed]) -> None:
        """The grid that most of the first files have is the cube's source grid from then on."""
        grids = Counter(each.grid for each in done if each.grid is not None)
        if self.known is not None or not grids:
            return
        self.known = grids.most_common(1)[0][0]
        for place, each in enumerate(done):
            if each.grid not in (None, self.known):
                work = Work(
                    self.job.source, each.fetched, self.box, self.job.regions, self.job.limits, self.known
                )
                done[place] = process(work)

    def _keep(self, each: Processed) -> None:
        refused = []
        for item, day in enumerate(each.days.tolist()):
            if day not in self.left:
                continue
            findings = self._inspect(each, item)
            if any(finding.severity == "refuse" for finding in findings):
                refused += findings
                continue
            self._warn(findings)
            self.left.discard(day)
            self.days[day] = each, item
            for name, values in each.values.items():
                self.ocean.setdefault(name, np.isfinite(values[item]))
                require_ocean(self.job.regions[name].grid, self.ocean[name], name)
        self._refuse(each, refused)

    def _inspect(self, each: Processed, item: int) -> list[Finding]:
        """The checks that compare a day with the one before, region by region."""
        findings = []
        if each.days[item] == np.datetime64(self.shard.wanted[0], "D"):
            self.opening.append({name: values[item] for name, values in each.values.items()})
        for name, values in each.values.items():
            grid = self.job.regions[name].grid
            day = each.days[item : item + 1]
            values_of_day = values[item : item + 1]
            context = Context(
                replace(each.fetched.granule, days=tuple(day.tolist())),
                self.job.limits,
                ocean=self.ocean.get(name),
                previous=self._previous(name, day[0]),
            )
            if context.ocean is None and not np.isfinite(values_of_day).any():
                require_ocean(grid, np.isfinite(values_of_day[0]), name)
            field = Field(values_of_day, day, grid.latitude, grid.longitude, SST_UNITS, each.status)
            findings += [
                replace(finding, message=f"{name}: {finding.message}")
                for finding in inspect(field, context, only=BY_REGION)
            ]
        return findings

    def _previous(self, region: str, day: np.datetime64) -> NDArray[np.float32] | None:
        yesterday = day.astype("datetime64[D]") - np.timedelta64(1, "D")
        kept = self.days.get(yesterday.astype(dt.date))
        if kept is not None:
            return np.asarray(kept[0].values[region][kept[1]])
        return self.seam.values.get(region) if self.seam.day == yesterday else None

    def _warn(self, findings: Iterable[Finding]) -> None:
        warnings = tuple(_reason(finding) for finding in findings if finding.severity == "warn")
        if warnings:
            self._add(warnings=warnings)

    def _refuse(self, each: Processed, findings: list[Finding]) -> None:
        if findings:
            self._set_aside(each.fetched.path, each.fetched.granule, findings)

    def _set_aside(self, path: Path | None, granule: Granule, findings: list[Finding]) -> None:
        self.refusals.append(Refusal(path, granule, tuple(findings)))
        refused = Refused(
            mirror=granule.mirror,
            url=granule.url,
            days=granule.days,
            findings=tuple(_reason(finding) for finding in findings),
        )
        self._add(refused=(refused,))

    def _add(self, **found: Any) -> None:
        self._found += IngestResult(**found)


def _reason(finding: Finding) -> Reason:
    return Reason(check=finding.check, severity=finding.severity, day=finding.day, message=finding.message)

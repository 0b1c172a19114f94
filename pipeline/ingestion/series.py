"""Ingestion of a station: list, compare with its store, then fetch, check and commit file after file."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import FetchError, GranuleError, VanishedError
from pipeline.ingestion.granules import refusal
from pipeline.ingestion.job import IngestResult, Problem, Refused
from pipeline.quarantine import Reason, quarantine
from pipeline.sources.base import FetchFailure
from pipeline.sources.fetch import Fetcher
from pipeline.store import repository, series_writer
from pipeline.store.series_files import read_entries
from pipeline.store.series_merge import clean_rows
from pipeline.store.series_schema import day_of, day_status, series_group
from pipeline.types import Status, TimeRange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import zarr

    from pipeline.ingestion.series_job import SeriesJob
    from pipeline.quality.base import Finding
    from pipeline.sources.base import Fetched, Granule
    from pipeline.store.series_files import Entry
    from pipeline.types import Table

    Progress = Callable[[Granule, IngestResult], None]


def ingest_series(job: SeriesJob, period: TimeRange, *, progress: Progress | None = None) -> IngestResult:
    """Bring the store of a station up to date, one commit a file; a second time nothing is done.

    Days that one mirror does not list or cannot give are asked of the next. A file is wanted when the store lacks
    it or days of it, when it was preliminary and is not any longer, or when its address has another version; one
    that has no version is fetched anew where its content has changed, while it grows and when it is rechecked.

    Parameters
    ----------
    progress
        Told of each file, and what became of it.

    Returns
    -------
    IngestResult
        `final` and `preliminary` count the days of which a step was added or changed. `gaps` are the days of
        files that could not be had, and `stale` those of them that the store holds from before. Days of which
        the files themselves have nothing are part of the record, and are told by the store's state.

    Raises
    ------
    FetchError
        No mirror could be listed, or nothing at all be had.
    StoreError, DiskFullError
        What was committed before is kept.
    """
    run = _Run(job, period)
    with Fetcher(job.policy) as fetcher:
        for mirror in job.source.mirrors:
            if not run.left:
                break
            run.attempt(fetcher, run.listed(fetcher, mirror), progress)
    return run.ended()


class _Run:
    """The days of a period, while their files come from mirror after mirror."""

    def __init__(self, job: SeriesJob, period: TimeRange) -> None:
        self.job, self.period = job, period
        self.left: set[dt.date] = set(period.days().tolist())
        self.lost: set[dt.date] = set()
        self.reached = False
        self.failures: list[FetchError | GranuleError] = []
        self.urls: set[str] = set()
        self.result = IngestResult()

    def listed(self, fetcher: Fetcher, mirror: str) -> list[Granule]:
        """What of `mirror` the store lacks of the days that are left."""
        span = TimeRange(start=min(self.left), end=max(self.left))
        try:
            granules = self.job.source.list_granules(mirror, span, fetcher.read)
        except (FetchError, GranuleError) as error:
            self.failures.append(error)
            self._add(problems=(Problem(mirror=mirror, what="listing", message=error.message),))
            return []
        entries, wanted, settled = _entries(self.job), [], set()
        recheck = self.job.recheck
        oldest = None if recheck is None else self.period.end - dt.timedelta(recheck)
        self.urls = {granule.url for granule in granules}
        for granule in granules:
            mine = replace(granule, days=tuple(day for day in granule.days if day in self.left))
            found = differing(mine, entries, oldest) if mine.days else None
            if found is not None:
                wanted.append(found)
            else:
                self.reached |= bool(mine.days)
                settled |= set(mine.days)
        self.left -= settled
        return wanted

    def attempt(self, fetcher: Fetcher, granules: Sequence[Granule], progress: Progress | None) -> None:
        """Fetch `granules`, and write those that pass."""
        job, done = self.job, set()
        complaint = job.source.content_complaint
        for got in fetcher.fetch(granules, job.cache, complaint=complaint):
            before = self.result
            self.result = IngestResult()
            kept = self._failed(got) if isinstance(got, FetchFailure) else self._keep(got)
            done |= set(got.granule.days) if kept else set()
            result, self.result = self.result, before + self.result
            if progress is not None:
                progress(got.granule, result)
        self.left -= done

    def ended(self) -> IngestResult:
        """What became of all, with the days that are missing."""
        if self.failures and not self.reached:
            raise _nothing_had(self.failures, self.result.problems)
        lost = self.lost & self.left
        held = _held_days(self.job)
        self._add(gaps=tuple(sorted(lost - held)), stale=tuple(sorted(lost & held)))
        return self.result

    def _keep(self, got: Fetched) -> bool:
        granule = got.granule
        self.reached = True
        for entry in _entries(self.job):
            if entry.sha256 == got.sha256 and entry.url != granule.url:
                if entry.url in self.urls:
                    return True
                granule = replace(
                    granule,
                    days=tuple(sorted({*entry.days, *granule.days})),
                    status=max(entry.status, granule.status),
                )
        try:
            table = self.job.source.decode(got.path, granule)
            if not len(table.time):
                return True
            _, findings = clean_rows(table, granule.url)
            rows = series_writer.FileRows(_reached(granule, table), got.sha256, table)
            written = series_writer.write(self.job.store, self.job.station, rows, self.job.source.quantities)
        except GranuleError as error:
            self._refuse(got.path, granule, [refusal(error)])
            return False
        if written.snapshot is not None:
            self._add(
                snapshot=written.snapshot,
                final=written.final,
                preliminary=written.preliminary,
                warnings=_reasons([*findings, *written.findings]),
            )
        return True

    def _failed(self, failure: FetchFailure) -> bool:
        granule, error = failure.granule, failure.error
        if isinstance(error, GranuleError):
            self._refuse(None, granule, [refusal(error)])
            return False
        if isinstance(error, VanishedError):
            self.reached = True
            self._add(vanished=(granule.url,))
            if granule.status == Status.PRELIMINARY:
                # The file of a period that has only begun may not be there yet.
                return False
        else:
            if isinstance(error, FetchError):
                self.failures.append(error)
            problem = Problem(mirror=granule.mirror, what=granule.url, message=error.message)
            self._add(problems=(problem,))
        self.lost |= set(granule.days)
        return False

    def _refuse(self, path: Path | None, granule: Granule, findings: list[Finding]) -> None:
        self.reached = True
        quarantine(path, granule, findings, self.job.quarantine)
        if path is not None and path.is_relative_to(self.job.cache):
            # A file that was refused must be asked for again, and not be taken from the cache.
            path.unlink(missing_ok=True)
        refused = Refused(
            mirror=granule.mirror, url=granule.url, days=granule.days, findings=_reasons(findings)
        )
        self._add(refused=(refused,))
        self.lost |= set(granule.days)

    def _add(self, **found: Any) -> None:
        self.result += IngestResult(**found)


def differing(granule: Granule, entries: Iterable[Entry], oldest: dt.date | None = None) -> Granule | None:
    """`granule` with the days to be asked of it, or None where it would change nothing.

    A closed file without a version may have been corrected in place, which only its content tells: it is asked for
    again, conditionally, where it reaches the day `oldest`, or that is None. Days that another mirror gave in the
    same status are not asked again; those that this file gave before are, since it takes the place of what it was.
    """
    held = next((entry for entry in entries if entry.url == granule.url), None)
    covered = {
        day
        for entry in entries
        if entry.mirror != granule.mirror and entry.status >= granule.status
        for day in entry.days
    }
    days = set(granule.days) - covered
    if held is not None:
        if granule.status < held.status:
            return None
        settled = granule.status == Status.FINAL and oldest is not None and held.days[-1] < oldest
        same = granule.version == held.version if granule.version else settled
        if same and granule.status == held.status and days <= set(held.days):
            return None
        days |= set(held.days)
    return replace(granule, days=tuple(sorted(days))) if days else None


def _group(job: SeriesJob) -> zarr.Group | None:
    """The station's group, if anything was ever written."""
    if not repository.exists(job.store):
        return None
    session = repository.read_session(job.store)
    with repository.translated(job.store):
        root = repository.read_root(session)
        return series_group(root, job.station.name) if any(root.groups()) else None


def _entries(job: SeriesJob) -> list[Entry]:
    group = _group(job)
    return [] if group is None else read_entries(group)


def _held_days(job: SeriesJob) -> set[dt.date]:
    """Days with a value."""
    group = _group(job)
    if group is None:
        return set()
    days, status = day_status(group)
    return set(days[status != Status.MISSING].tolist())


def _reached(granule: Granule, table: Table) -> Granule:
    """The granule with the days that its file has reached, where it still grows."""
    if granule.status == Status.FINAL:
        return granule
    last = day_of(table.time.max())
    return replace(granule, days=tuple(day for day in granule.days if np.datetime64(day) <= last))


def _reasons(findings: Iterable[Finding]) -> tuple[Reason, ...]:
    return tuple(
        Reason(check=finding.check, severity=finding.severity, day=finding.day, message=finding.message)
        for finding in findings
    )


def _nothing_had(
    failures: Sequence[FetchError | GranuleError], problems: Iterable[Problem]
) -> FetchError | GranuleError:
    if len(failures) == 1:
        return failures[0]
    first = {problem.mirror: problem.message for problem in reversed(tuple(problems))}
    said = "; ".join(f"{mirror}: {message}" for mirror, message in reversed(first.items()))
    return FetchError(
        f"no mirror can give anything: {said}",
        remedy="check the network, name a mirror with --mirror, or give local files with --from-files",
        mirrors=sorted(first),
    )

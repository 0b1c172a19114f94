"""Ingestion of what has no calendar: all files are fetched, decoded together and committed at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import Field

from pipeline.errors import FetchError, GranuleError, VanishedError
from pipeline.ingestion.job import Problem
from pipeline.records.base import Exclusion
from pipeline.sources.base import Fetched, FetchFailure
from pipeline.sources.fetch import Fetcher
from pipeline.types import Spec

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.sources.base import CollectionSource
    from pipeline.sources.policy import FetchPolicy

AnySource = TypeVar("AnySource", bound="CollectionSource")


@dataclass(frozen=True, slots=True)
class CollectionJob(Generic[AnySource]):
    """What is ingested, from where, to where; it can be pickled."""

    source: AnySource
    name: str
    store: Path
    cache: Path
    policy: FetchPolicy | None = None


class CollectionIngested(Spec):
    """What the store of records or movies holds after an ingestion."""

    snapshot: str | None = None
    """Of the commit; None where the store held the same already."""
    excluded: dict[str, int] = Field(default_factory=dict)
    """What was left out, by what is wrong with it."""
    problems: tuple[Problem, ...] = ()

    @property
    def what(self) -> str:
        """What the store holds, as people are told."""
        raise NotImplementedError

    @property
    def gaps(self) -> tuple[dt.date, ...]:
        """There are no days that could lack."""
        return ()

    @property
    def lines(self) -> list[str]:
        """As people are told."""
        done = f"ingested {self.what}" if self.snapshot else f"the store holds {self.what} already"
        reasons = ", ".join(f"{many} {check}" for check, many in self.excluded.items())
        left_out = f", {sum(self.excluded.values())} left out: {reasons}" if reasons else ""
        return [done + left_out, *(f"  {each.mirror}: {each.message}" for each in self.problems)]


@dataclass(frozen=True, slots=True)
class Haul:
    """All that was fetched: the files, those that are left out, and what was wrong with the mirrors asked before."""

    files: list[Fetched]
    exclusions: tuple[Exclusion, ...] = ()
    problems: tuple[Problem, ...] = ()


def fetch_all(job: CollectionJob[AnySource], *, may_lack: bool = False) -> Haul:
    """All files of the first mirror that has them.

    Parameters
    ----------
    may_lack
        Whether a file that is gone, or is not what it should be, is left out, as long as there are others. What fails
        for the moment leaves nothing out: the next mirror is asked.

    Raises
    ------
    FetchError, GranuleError
        None has them.
    """
    problems: list[Problem] = []
    failed: FetchError | GranuleError | None = None
    with Fetcher(job.policy) as fetcher:
        for mirror in job.source.mirrors:
            try:
                granules = job.source.list_granules(mirror, fetcher.read)
            except (FetchError, GranuleError) as error:
                problems.append(Problem(mirror=mirror, what="listing", message=error.message))
                failed = failed or error
                continue
            complaint = job.source.content_complaint
            results = list(fetcher.fetch(granules, job.cache, complaint=complaint))
            files = [each for each in results if isinstance(each, Fetched)]
            failures = [each for each in results if isinstance(each, FetchFailure)]
            if not failures or (may_lack and files and all(map(_is_lasting, failures))):
                return Haul(files, tuple(map(_left_out, failures)), tuple(problems))
            for each in failures:
                problems.append(Problem(mirror=mirror, what=each.granule.url, message=each.error.message))
                if failed is None and isinstance(each.error, FetchError | GranuleError):
                    failed = each.error
    if failed is not None:
        raise failed
    told = "; ".join(each.message for each in problems)
    raise FetchError(f"the files could not be had: {told}", remedy="name them with --from-files")


def _is_lasting(failure: FetchFailure) -> bool:
    """Whether the file itself is to blame, and not how it was asked for."""
    return isinstance(failure.error, GranuleError | VanishedError)


def _left_out(failure: FetchFailure) -> Exclusion:
    name = failure.granule.name
    check = str(failure.error.fields.get("check", "gone"))
    return Exclusion(record=name, check=check, file=name, message=failure.error.message)


def by_check(exclusions: Sequence[Exclusion]) -> dict[str, int]:
    """How many were left out, by what is wrong with them."""
    return dict(Counter(each.check for each in exclusions))


def require_any(ids: Sequence[str], exclusions: Sequence[Exclusion], what: str) -> None:
    """Refuse a collection of which nothing is left.

    Raises
    ------
    GranuleError
        There are no `ids`.
    """
    if not ids:
        told = f", the first {exclusions[0].record}: {exclusions[0].told}" if exclusions else ""
        raise GranuleError(
            f"no {what} could be used; {len(exclusions)} were left out{told}",
            remedy="correct the files",
            check="structure",
        )

"""What is asked of an ingestion, and what became of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from pipeline.quality.base import Limits
from pipeline.quarantine import Reason
from pipeline.types import Spec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from pipeline.regrid import Region
    from pipeline.sources.base import Source
    from pipeline.sources.policy import FetchPolicy


A = TypeVar("A")
B = TypeVar("B")


class Spread(Protocol):
    """Does work here or elsewhere: `map`, a thread pool's, a Dask cluster's. Results keep their order."""

    def __call__(self, function: Callable[[A], B], work: Iterable[A], /) -> Iterable[B]:
        """Apply `function` to each."""
        ...


@dataclass(frozen=True, slots=True)
class IngestJob:
    """What is ingested, from where, to where; it can be pickled."""

    source: Source
    regions: Mapping[str, Region]
    cube: Path
    cache: Path
    quarantine: Path
    limits: Limits = field(default_factory=Limits)
    policy: FetchPolicy | None = None
    recheck: int | None = None
    """Of how many newest days finals are listed again; of all where None."""


class Problem(Spec):
    """What a mirror could not give, and why."""

    mirror: str
    what: str
    """An address, or `listing`."""
    message: str


class Refused(Spec):
    """A granule that the checks refused, whole or some of its days."""

    mirror: str
    url: str
    days: tuple[dt.date, ...]
    findings: tuple[Reason, ...]


class IngestResult(Spec):
    """What became of the days; results of shards add up."""

    snapshot: str | None = None
    """Of the last commit."""
    final: int = 0
    preliminary: int = 0
    """Days written."""
    gaps: tuple[dt.date, ...] = ()
    """Days that the cube lacks though they were wanted, or that no mirror lists."""
    stale: tuple[dt.date, ...] = ()
    """Days that the cube holds and that should have been replaced."""
    refused: tuple[Refused, ...] = ()
    vanished: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Reason, ...] = ()

    @property
    def written(self) -> int:
        """Days."""
        return self.final + self.preliminary

    def __add__(self, other: IngestResult) -> IngestResult:
        return IngestResult(
            snapshot=other.snapshot or self.snapshot,
            final=self.final + other.final,
            preliminary=self.preliminary + other.preliminary,
            gaps=tuple(sorted({*self.gaps, *other.gaps})),
            stale=tuple(sorted({*self.stale, *other.stale})),
            refused=self.refused + other.refused,
            vanished=self.vanished + other.vanished,
            problems=self.problems + other.problems,
            warnings=self.warnings + other.warnings,
        )

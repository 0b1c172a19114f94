"""Runs that did a part: one region's failure does not keep the others from their forecasts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pipeline.errors import DiskFullError, IsothermError

Result = TypeVar("Result")


class PartialError(IsothermError):
    """Some of a run could not be done; `fields["done"]` is what came of the rest."""


class RegionsError(PartialError):
    """Some regions failed; the others are done."""


@dataclass
class Regions:
    """The regions of a run that are still well, and what went wrong with the others."""

    names: list[str]
    failed: dict[str, IsothermError] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Iterable[str]) -> Regions:
        """All regions, none failed yet."""
        return cls(list(names))

    def each(self, work: Callable[[str], Result]) -> dict[str, Result]:
        """Do `work` for every region that is well; a region whose work fails is left out from then on.

        Raises
        ------
        IsothermError
            That of the only region, that of the last one that was well, or a full disk.
        """
        done: dict[str, Result] = {}
        for name in list(self.names):
            try:
                done[name] = work(name)
            except DiskFullError:
                raise
            except IsothermError as error:
                self.names.remove(name)
                self.failed[name] = error
                if not self.names:
                    raise
        return done

    def settle(self, done: Any) -> None:
        """Say at the end of a run which regions failed.

        Raises
        ------
        RegionsError
            Some did; it carries what was `done`.
        """
        if not self.failed:
            return
        told = "; ".join(f"{name}: {error.message}" for name, error in self.failed.items())
        first = next(iter(self.failed.values()))
        raise RegionsError(
            f"{len(self.failed)} of {len(self.failed) + len(self.names)} regions failed: {told}",
            remedy=f"{first.remedy}; the other regions are done"
            if first.remedy
            else "the other regions are done",
            done=done,
            regions=sorted(self.failed),
        )

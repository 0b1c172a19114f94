"""What a report on movies is made from, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.naming import symbol
from pipeline.reports.collection_inputs import CollectionInputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.evaluation.movies import MoviesVerdict
    from pipeline.movies.published import PublishedCurve
    from pipeline.movies.windows import MovieSpec
    from pipeline.store.movies_reader import MoviesSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class MoviesInputs(CollectionInputs):
    """The movies of an experiment.

    Parameters
    ----------
    scores
        As `pipeline.evaluation.movie_dataset.movies_dataset` gives them.
    data
        What the store holds, and what was left out.
    windows
        How movies are cut and learned from.
    short
        By split, the movies that are too short for a window.
    published
        The course of a training to be drawn beside ours.
    """

    verdict: MoviesVerdict
    data: MoviesSummary
    windows: MovieSpec
    short: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    published: PublishedCurve | None = None

    def ahead(self, lead: int) -> str:
        """`3 pictures ahead`, or `15 min ahead` where pictures have times."""
        seconds = int(self.scores.attrs["step_seconds"]) * lead
        if not seconds:
            return f"{lead} picture{'' if lead == 1 else 's'} ahead"
        for size, unit in ((86_400, "day"), (3_600, "h"), (60, "min")):
            if seconds % size == 0:
                return f"{seconds // size} {unit}{'s' if unit == 'day' and seconds > size else ''} ahead"
        return f"{seconds} s ahead"

    @property
    def units(self) -> str:
        """Of errors and values, with a space before; nothing where they have none."""
        return f" {symbol(str(self.scores.attrs['units']))}".rstrip()

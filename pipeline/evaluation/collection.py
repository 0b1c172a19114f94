"""What the newest scores of records or of movies say: what both kinds of standings have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict

from pipeline.evaluation.kept import keep, read_kept
from pipeline.evaluation.standing import FILE, Judged

if TYPE_CHECKING:
    from pathlib import Path


class CollectionVerdict(BaseModel):
    """A model against the best rung of its ladder, on the same records or windows."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="strings")

    region: str
    model: str
    best_rung: str
    promoted: bool
    confidence: float
    sentence: str

    @property
    def row(self) -> dict[str, float | str]:
        """The figures of a table, by their names."""
        return {"best baseline": self.best_rung}


class CollectionStanding(BaseModel):
    """The newest scores, beside the scores themselves."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="strings")

    kind: str
    experiment: str
    region: str
    scores_version: str
    verdict: CollectionVerdict
    judged: Judged
    others: tuple[Judged, ...] = ()
    ladder: tuple[str, ...]
    cube_snapshot: str

    @property
    def forecaster(self) -> str:
        """Who is to be trusted: the model if it was promoted, else the best rung."""
        return self.verdict.model if self.verdict.promoted else self.verdict.best_rung

    def write(self, folder: Path) -> None:
        """Make it the newest in the scores' folder."""
        keep(self, folder / FILE)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The newest of the scores' folder.

        Raises
        ------
        NotFoundError
            There was no evaluation.
        """
        place = f"{folder.name!r}"
        return read_kept(cls, folder / FILE, place=place, lacking="scores", command="evaluate")

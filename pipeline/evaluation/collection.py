"""What the newest scores of records or of movies say: what both kinds of standings have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict

from pipeline.errors import NotFoundError
from pipeline.evaluation.standing import FILE, Judged
from pipeline.publish.product import write_text

if TYPE_CHECKING:
    from pathlib import Path


class CollectionVerdict(BaseModel):
    """A model against the best rung of its ladder, on the same records or windows."""

    model_config = ConfigDict(frozen=True, extra="ignore")

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

    model_config = ConfigDict(frozen=True, extra="ignore")

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
        write_text(folder / FILE, self.model_dump_json(indent=1))

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The newest of the scores' folder.

        Raises
        ------
        NotFoundError
            There was no evaluation.
        """
        path = folder / FILE
        if not path.is_file():
            raise NotFoundError(
                f"{folder.name!r} of experiment {folder.parent.name!r} has no scores yet",
                remedy=f"run `isotherm evaluate {folder.parent.name}` first",
                path=str(path),
            )
        return cls.model_validate_json(path.read_text(encoding="utf-8"))

"""What a region's newest scores say, and what they were made from: the link between scoring and publishing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from pipeline.evaluation.kept import keep, read_kept
from pipeline.evaluation.verdict import Verdict
from pipeline.splits import Fractions, Splits
from pipeline.windows import WindowSpec

if TYPE_CHECKING:
    from pathlib import Path

FILE = "standing.json"


class Judged(BaseModel):
    """The model that was judged; the hashes are of its card and of what was fitted beside it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    id: str
    card_sha256: str
    fitted_sha256: str

    def provenance(self, experiment: str, region: str, **snapshots: str) -> dict[str, str]:
        """What its scores say of what they were made from."""
        return {"experiment": experiment, "region": region, "model_id": self.id, **snapshots}


class Standing(BaseModel):
    """The newest scores of a region, beside the scores themselves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    experiment: str
    region: str
    scores_version: str
    verdict: Verdict
    judged: Judged
    others: tuple[Judged, ...] = ()
    """Scored beside it."""
    ladder: tuple[str, ...]
    cube_snapshot: str
    archive_snapshot: str
    windows: WindowSpec
    given: Splits | Fractions
    """As the experiment says it."""
    splits: Splits
    """In whole days, with their guard gaps."""
    stride: int = 1
    """Of the test windows, every so many were scored."""

    @property
    def forecaster(self) -> str:
        """Whose forecasts are published: the model's if it was promoted, else the best rung's."""
        return self.verdict.model if self.verdict.promoted else self.verdict.best_rung

    def write(self, folder: Path) -> None:
        """Make it the newest in the region's scores folder."""
        keep(self, folder / FILE)

    @classmethod
    def read(cls, folder: Path) -> Standing:
        """The newest of the region's scores folder.

        Raises
        ------
        NotFoundError
            The region has not been evaluated.
        """
        place = f"region {folder.name!r}"
        return read_kept(cls, folder / FILE, place=place, lacking="scores", command="evaluate")

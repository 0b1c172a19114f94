"""What a retraining is pinned to, so that one that was killed goes on from the same data on another day."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.publish.product import write_once, write_text
from pipeline.splits import Splits

if TYPE_CHECKING:
    from pathlib import Path

FILE = "retraining.json"
GIVEN_UP = dt.timedelta(days=14)
"""After which a retraining that nobody finished is begun anew, on newer data."""


class Pinned(BaseModel):
    """A retraining that is not finished."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cube_snapshot: str
    splits: Splits
    """Of the challenger, without guard gaps where they come from parts."""
    recipe_sha256: str
    """What the experiment said, see `models.recipe.said`."""
    begun_at: dt.datetime

    def holds(self, recipe_sha256: str, now: dt.datetime) -> bool:
        """Whether it is still worth finishing: the experiment says the same, and it was not begun too long ago."""
        return self.recipe_sha256 == recipe_sha256 and now - self.begun_at < GIVEN_UP


def find_pinned(folder: Path) -> Pinned | None:
    """The retraining of the region whose models lie in `folder` that is not finished, if there is one."""
    try:
        return Pinned.model_validate_json((folder / FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValidationError):
        return None


def pin(folder: Path, wanted: Pinned) -> Pinned:
    """What to train on: `wanted`, or what another retraining of the same recipe was pinned to and has not finished."""
    text = wanted.model_dump_json(indent=1) + "\n"
    if write_once(folder / FILE, text):
        return wanted
    held = find_pinned(folder)
    if held is not None and held.holds(wanted.recipe_sha256, wanted.begun_at):
        return held
    write_text(folder / FILE, text)
    return wanted


def unpin(folder: Path, done: Pinned) -> None:
    """The retraining is finished."""
    if find_pinned(folder) == done:
        (folder / FILE).unlink(missing_ok=True)

"""What is told of scores in a file beside them, of which there is the newest alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pipeline.errors import NotFoundError
from pipeline.publish.product import write_text

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel

Told = TypeVar("Told", bound="BaseModel")


def keep(told: BaseModel, path: Path) -> None:
    """Make it the newest."""
    write_text(path, told.model_dump_json(indent=1))


def read_kept(kind: type[Told], path: Path, *, place: str, lacking: str, command: str) -> Told:
    """The newest, in the scores' folder of a place of an experiment.

    Raises
    ------
    NotFoundError
        There is none; what the `place` is lacking is made by the `command`.
    """
    if not path.is_file():
        experiment = path.parent.parent.name
        raise NotFoundError(
            f"{place} of experiment {experiment!r} has no {lacking} yet",
            remedy=f"run `isotherm {command} {experiment}` first",
            path=str(path),
        )
    return kind.model_validate_json(path.read_text(encoding="utf-8"))

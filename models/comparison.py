"""Champion against challenger: what is written down of it. Nothing here loads Keras."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import StoreError
from pipeline.evaluation.specs import EvaluationSpec
from pipeline.evaluation.verdict import Verdict
from pipeline.publish.product import write_once

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "comparisons"


class Comparison(BaseModel):
    """How a challenger did against the champion on windows that neither has seen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    experiment: str
    region: str
    champion: str
    """Its id, as that of the challenger."""
    challenger: str
    models: dict[str, str]
    """Ids by name: the challenger, and those that were trained with it."""
    cube_snapshot: str
    spec: EvaluationSpec
    first_init: dt.datetime | None
    last_init: dt.datetime | None
    """Of the windows; a station's are in its own time."""
    windows: int
    verdict: Verdict | None
    """The challenger as the model, the champion as the only rung; None where the windows were too few."""
    sentence: str
    compared_at: dt.datetime
    isotherm_version: str

    @property
    def promoted(self) -> bool:
        """The challenger is better, and the whole interval says so."""
        return self.verdict is not None and self.verdict.promoted

    @property
    def id(self) -> str:
        """Named by what was compared, on what and how: the same again is the same record."""
        return comparison_id(self.champion, self.challenger, self.cube_snapshot, self.spec)

    def write(self, folder: Path) -> None:
        """Keep it beside the models of `folder`; one that is there is left alone."""
        write_once(_path(folder, self.id), self.model_dump_json(indent=1) + "\n")


def comparison_id(champion: str, challenger: str, snapshot: str, spec: EvaluationSpec) -> str:
    """See `Comparison.id`."""
    told = [champion, challenger, snapshot, spec.model_dump(mode="json")]
    return f"{challenger}-{hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12]}"


def find_comparison(folder: Path, name: str) -> Comparison | None:
    """The record of the id `name` beside the models of `folder`, if there is one.

    Raises
    ------
    StoreError
        It cannot be read.
    """
    path = _path(folder, name)
    return _read(path) if path.is_file() else None


def comparisons(folder: Path) -> list[Comparison]:
    """All records beside the models of `folder`, the newest first.

    Raises
    ------
    StoreError
        One cannot be read.
    """
    found = [_read(path) for path in (folder / FOLDER).glob("[!.]*.json")]
    return sorted(found, key=lambda each: each.compared_at, reverse=True)


def _read(path: Path) -> Comparison:
    try:
        return Comparison.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise StoreError(
            f"{path} is no comparison of models: {error.errors()[0]['msg']}",
            remedy="restore the file from a backup, or remove it: the next retraining compares again",
            path=str(path),
        ) from error


def _path(folder: Path, name: str) -> Path:
    return folder / FOLDER / f"{name}.json"

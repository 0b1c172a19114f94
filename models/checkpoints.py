"""Checkpoints that a killed training goes on from, exactly where it was."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import keras

STATE = "state.json"
NEWEST = "newest.weights.h5"
BEST = "best.weights.h5"


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The newest and the best epoch of one training, in one folder.

    An epoch is written beside its place and renamed into it, so that a kill leaves the epoch before.
    """

    folder: Path

    def save(self, model: keras.Model, state: dict[str, Any], *, best: bool) -> None:
        """Keep the model's weights, its optimizer's variables and `state`; the old ones go when the new are whole."""
        beside = self.folder.with_name(self.folder.name + ".writing")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        model.save_weights(beside / NEWEST)
        if best:
            shutil.copyfile(beside / NEWEST, beside / BEST)
        elif (self.folder / BEST).exists():
            shutil.copyfile(self.folder / BEST, beside / BEST)
        (beside / STATE).write_text(json.dumps(state))
        before = self.folder.with_name(self.folder.name + ".before")
        shutil.rmtree(before, ignore_errors=True)
        if self.folder.exists():
            self.folder.rename(before)
        beside.rename(self.folder)
        shutil.rmtree(before, ignore_errors=True)

    def resume(self, model: keras.Model) -> dict[str, Any] | None:
        """Load the newest epoch into `model` and return its state; None where there is none."""
        before = self.folder.with_name(self.folder.name + ".before")
        if not (self.folder / STATE).exists() and (before / STATE).exists():
            before.rename(self.folder)
        if not (self.folder / STATE).exists():
            return None
        model.load_weights(self.folder / NEWEST)
        state: dict[str, Any] = json.loads((self.folder / STATE).read_text())
        return state

    def load_best(self, model: keras.Model) -> None:
        """Load the best epoch's weights."""
        model.load_weights(self.folder / BEST)

    def clear(self) -> None:
        """Remove the folder once the trained model is kept elsewhere."""
        shutil.rmtree(self.folder, ignore_errors=True)

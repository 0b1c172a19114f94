"""Checkpoints that a killed training goes on from, exactly where it was."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import IsothermError
from pipeline.store.repository import translated

if TYPE_CHECKING:
    from pathlib import Path

    import keras

    from models.claims import Claim

STATE = "state.json"
NEWEST = "newest.weights.h5"
BEST = "best.npz"


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The newest and the best epoch of one training, in one folder.

    An epoch is written beside its place and renamed into it, so that a kill leaves the epoch before. With a claim,
    nothing is written once another worker has taken over.
    """

    folder: Path
    claim: Claim | None = None

    def save(self, model: keras.Model, state: dict[str, Any], best_weights: list[Any] | None = None) -> None:
        """Keep the weights, the optimizer's variables and `state`; the old ones go when the new are whole.

        Parameters
        ----------
        best_weights
            The model's weights where this epoch is the best so far; those kept before stay where it is None.

        Raises
        ------
        DiskFullError
            There is no space; the epoch before is kept.
        StoreError
            Another worker has taken over.
        """
        if self.claim is not None:
            self.claim.require()
        beside, before = self._beside, self._before
        shutil.rmtree(beside, ignore_errors=True)
        try:
            with translated(self.folder):
                beside.mkdir(parents=True)
                self._write(beside, model, state, best_weights)
        except IsothermError:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        shutil.rmtree(before, ignore_errors=True)
        if self.folder.exists():
            self.folder.rename(before)
        beside.rename(self.folder)
        shutil.rmtree(before, ignore_errors=True)

    def resume(self, model: keras.Model) -> dict[str, Any] | None:
        """Load the newest epoch into `model` and return its state; None where there is none."""
        if not (self.folder / STATE).exists() and (self._before / STATE).exists():
            self._before.rename(self.folder)
        if not (self.folder / STATE).exists():
            return None
        model.load_weights(self.folder / NEWEST)
        state: dict[str, Any] = json.loads((self.folder / STATE).read_text())
        return state

    def load_best(self, model: keras.Model) -> None:
        """Load the best epoch's weights."""
        with np.load(self.folder / BEST, allow_pickle=False) as stored:
            model.set_weights([stored[str(place)] for place in range(len(stored.files))])

    def clear(self) -> None:
        """Remove the checkpoints once the trained model is kept elsewhere."""
        for folder in (self._before, self._beside, self.folder):
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def _beside(self) -> Path:
        return self.folder.with_name(self.folder.name + ".writing")

    @property
    def _before(self) -> Path:
        return self.folder.with_name(self.folder.name + ".before")

    def _write(
        self, folder: Path, model: keras.Model, state: dict[str, Any], best_weights: list[Any] | None
    ) -> None:
        model.save_weights(folder / NEWEST)
        if best_weights is not None:
            np.savez(folder / BEST, **{str(place): weight for place, weight in enumerate(best_weights)})
        elif (self.folder / BEST).exists():
            shutil.copyfile(self.folder / BEST, folder / BEST)
        (folder / STATE).write_text(json.dumps(state))

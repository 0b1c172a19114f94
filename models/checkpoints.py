"""Checkpoints that a killed training goes on from, exactly where it was."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from pipeline.errors import IsothermError
from pipeline.location import is_remote
from pipeline.store.repository import translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    import keras

    from models.claims import Claim
    from pipeline.s3 import S3Path

STATE = "state.json"
NEWEST = "newest.weights.h5"
BEST = "best.npz"


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The newest and the best epoch of one training, in one folder.

    An epoch is written beside its place and renamed into it, so that a kill leaves the epoch before. With a claim,
    nothing is written once another worker has taken over.

    Parameters
    ----------
    packed
        An object on S3 that holds the same, and from which any machine goes on; what the folder holds then is
        this process's own.
    """

    folder: Path
    claim: Claim | None = None
    packed: S3Path | None = None

    @classmethod
    @contextmanager
    def at(cls, place: Path, claim: Claim | None = None) -> Iterator[Self]:
        """Those of the training that keeps itself at `place`, which may be on S3."""
        if not is_remote(place):
            yield cls(place, claim)
            return
        with tempfile.TemporaryDirectory(prefix="isotherm-") as scratch:
            yield cls(Path(scratch) / "training", claim, place.with_name(f"{place.name}.zip"))

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
        if self.packed is not None:
            self.packed.write_bytes(self._pack())

    def resume(self, model: keras.Model) -> dict[str, Any] | None:
        """Load the newest epoch into `model` and return its state; None where there is none."""
        if self.packed is not None and self.packed.is_file():
            self._unpack(self.packed.read_bytes())
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
        if self.packed is not None:
            self.packed.unlink()
        for folder in (self._before, self._beside, self.folder):
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def _beside(self) -> Path:
        return self.folder.with_name(self.folder.name + ".writing")

    @property
    def _before(self) -> Path:
        return self.folder.with_name(self.folder.name + ".before")

    def _pack(self) -> bytes:
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as archive:
            for path in sorted(self.folder.iterdir()):
                archive.write(path, path.name)
        return held.getvalue()

    def _unpack(self, content: bytes) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in {STATE, NEWEST, BEST} & {*archive.namelist()}:
                (self.folder / name).write_bytes(archive.read(name))

    def _write(
        self, folder: Path, model: keras.Model, state: dict[str, Any], best_weights: list[Any] | None
    ) -> None:
        model.save_weights(folder / NEWEST)
        if best_weights is not None:
            np.savez(folder / BEST, **{str(place): weight for place, weight in enumerate(best_weights)})
        elif (self.folder / BEST).exists():
            shutil.copyfile(self.folder / BEST, folder / BEST)
        (folder / STATE).write_text(json.dumps(state))

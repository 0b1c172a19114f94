"""What every rung of the ladder shares: a fitted state of a handful of arrays, and its hash."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import NotFittedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.windows import WindowSpec

    Array = NDArray[Any]


class Fitted(ABC):
    """A forecaster whose whole fitted state is a handful of arrays."""

    name: str
    arrays: dict[str, Array]

    @classmethod
    def require_windows(cls, windows: WindowSpec, step: np.timedelta64) -> None:
        """Refuse windows, on an axis of this step, that it cannot forecast from; most rungs can from any.

        Raises
        ------
        WindowError
            It cannot.
        """
        del windows, step

    @abstractmethod
    def state(self) -> dict[str, Array]:
        """Everything that was fitted, as arrays that `restore` takes."""

    @property
    @abstractmethod
    def sample_shape(self) -> tuple[int, ...]:
        """The axes of one history that it was fitted on."""

    @property
    def sha256(self) -> str:
        """The hash of everything that was fitted."""
        digest = hashlib.sha256()
        for key, value in sorted(self.state().items()):
            digest.update(key.encode())
            digest.update(np.ascontiguousarray(value).tobytes())
        return digest.hexdigest()

    @property
    def id(self) -> str:
        """The name and the beginning of the hash."""
        return f"{self.name}-{self.sha256[:12]}"

    def _require_fitted(self) -> None:
        if not hasattr(self, "arrays"):
            raise NotFittedError(f"{self.name} is used before it is fitted", remedy="call fit first")

    def _require(self, history: NDArray[np.float32], init_time: NDArray[np.datetime64]) -> None:
        self._require_fitted()
        expected = self.sample_shape
        if history.shape[1:] != expected:
            raise NotFittedError(
                f"{self.name} was fitted on histories of shape {expected} and got {history.shape[1:]}",
                remedy="forecast on the grid and with the history that it was fitted on",
                expected=expected,
                got=history.shape[1:],
            )
        if init_time.shape != history.shape[:1]:
            raise NotFittedError(
                f"{self.name} got {len(history)} histories and init times of shape {init_time.shape}",
                remedy="give each history the time of its last step",
            )

"""The ladder of movies: what is forecast of pictures without a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from pipeline.errors import ConfigError
from pipeline.movies.decibels import to_decibels
from pipeline.naming import unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.movies.base import MovieSet
    from pipeline.movies.windows import MovieWindows

    Array = NDArray[np.float32]


class MovieRung(Protocol):
    """What every entry of RUNGS offers."""

    name: str

    def fit(self, record: MovieSet, windows: MovieWindows) -> Self:
        """Fit on the training windows alone."""
        ...

    def predict(self, history: Array, horizon: int) -> Array:
        """float32 (window, horizon, y, x), of histories (window, history, y, x), all in the units of the pictures.

        NaN in a history is not known. A forecast has a value in every cell: all are judged where the truth is known.
        """
        ...


@dataclass
class Persistence:
    """The last picture stays; a cell that it lacks is as the nearest known one."""

    name: str = "persistence"

    def fit(self, record: MovieSet, windows: MovieWindows) -> Self:
        """Nothing is fitted."""
        del record, windows
        return self

    def predict(self, history: Array, horizon: int) -> Array:
        """See `MovieRung`."""
        # SciPy is not for those who only look.
        from pipeline.movies.motion import filled

        last = np.stack([filled(each) for each in history[:, -1]])
        return np.repeat(last[:, None], horizon, axis=1)


@dataclass
class OpticalFlow:
    """The last picture moves on as its optical flow says, see `pipeline.movies.motion`.

    Rain moves as it does in decibels, where the windows are scaled so. Of a cell that nothing is known of, the forecast
    is what the nearest known ones bring.
    """

    name: str = "optical-flow"
    _decibel: bool = False

    def fit(self, record: MovieSet, windows: MovieWindows) -> Self:
        """Nothing is fitted."""
        del record
        self._decibel = windows.spec.scaling == "decibel"
        return self

    def predict(self, history: Array, horizon: int) -> Array:
        """See `MovieRung`."""
        # SciPy and scikit-image are not for those who only look.
        from pipeline.movies.motion import extrapolated

        recent = history[:, -2:]
        scaled = to_decibels(recent) if self._decibel else recent
        return np.stack([extrapolated(*each, horizon) for each in zip(recent, scaled, strict=True)])


RUNGS: dict[str, type[MovieRung]] = {
    "persistence": Persistence,
    "optical-flow": OpticalFlow,
}


def fitted(names: Sequence[str], record: MovieSet, windows: MovieWindows) -> list[MovieRung]:
    """These rungs, fitted on the training windows.

    Raises
    ------
    ConfigError
        There is no such rung of movies.
    """
    for name in names:
        if name not in RUNGS:
            raise unknown("rung of movies", name, RUNGS, ConfigError)
    return [RUNGS[name]().fit(record, windows) for name in names]

"""Work that is killed at a moment of its progress."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.training import Training

Progress = Callable[[int, int, str], None]


class Killed(BaseException):
    """What no `except Exception` catches."""


def killing(moment: str) -> Progress:
    """Progress that ends the work as soon as its note begins with `moment`."""

    def progress(_done: int, _total: int, note: str) -> None:
        if note.startswith(moment):
            raise Killed

    return progress


def require_resumed_alike(train: Callable[[Path, Progress], Training], folder: Path, moment: str) -> None:
    """Assert that a training which is killed at `moment` and goes on ends as one that was not.

    Its weights are equal to the bit; the losses of the killed epoch are summed in another order.
    """
    whole = train(folder / "whole", quiet)
    with pytest.raises(Killed):
        train(folder / "killed", killing(moment))
    resumed = train(folder / "killed", quiet)
    for one, other in zip(resumed.model.weights, whole.model.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(resumed.history, whole.history, strict=True):
        assert one.keys() == other.keys()
        assert all(one[name] == pytest.approx(other[name], rel=1e-6) for name in one if name != "seconds")


def quiet(_done: int, _total: int, _note: str) -> None:
    """Progress that nobody looks at."""

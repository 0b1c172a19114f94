"""Stacking: the average of a network's forecast and the seasonal naive one, weighted lead by lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from pipeline.errors import NotFittedError
from pipeline.forecasts.seasonal_naive import SeasonalNaive

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Stacking:
    """Weights between a network and seasonal naive: stacked generalisation (Wolpert 1992, Neural Networks 5, 241–259).

    Parameters
    ----------
    weights
        float32 (lead_time,), in [0, 1]: how much the network counts; seasonal naive counts the rest.
    seasonal
        The seasonal naive rung of the same windows.
    """

    weights: Array
    seasonal: SeasonalNaive

    def base(self, base: Array, history: Array, init_time: NDArray[np.datetime64]) -> Array:
        """What a network that is weighted corrects (sample, lead_time, 1, 1), in the target's units.

        Parameters
        ----------
        base
            float32 (sample, lead_time, 1, 1), in the target's units: what it corrects by itself.
        history
            float32 (sample, history, variable), in the variables' units.
        init_time
            datetime64[ns] (sample,).
        """
        weights = self.weights[:, None, None]
        return weights * base + (1 - weights) * self.seasonal.predict(history, init_time)

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything, as arrays that `restore` takes."""
        return {"weights": self.weights} | self.seasonal.state()

    @classmethod
    def restore(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """The stacking that `state` was taken from."""
        rung = {key: value for key, value in state.items() if key != "weights"}
        return cls(state["weights"], SeasonalNaive.restore(rung))


def stacking_weights(network: Array, other: Array, truth: Array) -> Array:
    """The weights in [0, 1] of a network beside another forecast that leave the least squared error.

    Breiman (1996), Stacked regressions, Machine Learning 24, 49–64: the forecasts are out of fold, the weights are
    not negative, and here they sum to one.

    Parameters
    ----------
    network, other, truth
        float32 (sample, lead_time), in one unit.

    Returns
    -------
    NDArray
        float32 (lead_time,); one where the forecasts never differ.

    Raises
    ------
    NotFittedError
        A value is missing.
    """
    apart = network.astype(np.float64) - other
    moment, power = np.sum(apart * (truth - other), axis=0), np.sum(apart**2, axis=0)
    if not np.isfinite(moment + power).all():
        raise NotFittedError(
            "stacking weights cannot be fitted: an out-of-fold forecast or its truth is not a number",
            remedy="lower learning_rate, or see that the record holds no absurd values",
        )
    weights = np.divide(moment, power, out=np.ones_like(moment), where=power > 0)
    return np.clip(weights, 0, 1).astype(np.float32)

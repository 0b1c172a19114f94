"""What a model of fields sees: standardised anomalies, the base forecast, and constants of place and season."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from models.base import FieldShape
from pipeline.climatology import HarmonicClimatology
from pipeline.forecasts.blend import Blend
from pipeline.scaling import AnomalyScaling

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from models.datasets import FieldSamples
    from models.recipe import Recipe
    from pipeline.forecasts.base import Record
    from pipeline.windows import Windows, WindowSpec

    Array = NDArray[np.float32]

CONSTANTS = 5
BASE = "base.npz"
CLIMATOLOGY = "climatology.npz"
SCALING = "scaling.npz"
DAYS_PER_YEAR = 365.2425


@dataclass(frozen=True, slots=True)
class FieldEncoder:
    """The exact pair between fields in degree_Celsius and what a model takes and gives.

    Parameters
    ----------
    ocean
        bool (latitude, longitude).
    step
        One step of the time axis.
    """

    ocean: NDArray[np.bool_]
    step: np.timedelta64
    spec: WindowSpec
    scaling: AnomalyScaling
    base: Blend

    @classmethod
    def fit(cls, record: Record, recipe: Recipe, *, snapshot: str) -> Self:
        """Fit climatology, scaling and base forecast on the training times.

        Raises
        ------
        WindowError, ConfigError, NotFittedError
            The record is too short for the splits, the windows or the climatology.
        """
        parted = recipe.parted(record)
        climatology = HarmonicClimatology.fit(
            record.values, record.time, recipe.climatology, within=parted.splits.train, snapshot=snapshot
        )
        scaling = AnomalyScaling.fit(record, climatology)
        base = Blend().fit(record, parted.windows("train"), climatology)
        return cls(record.ocean, parted.step, recipe.windows, scaling, base)

    @property
    def climatology(self) -> HarmonicClimatology:
        """What rungs are fitted with."""
        return self.scaling.climatology

    @property
    def sha256(self) -> str:
        """The hash of all that was fitted."""
        parts = [self.base.sha256, self.climatology.sha256, repr(self.scaling.deviation)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def save(self, folder: Path) -> None:
        """Write into the model's folder."""
        np.savez(folder / BASE, **self.base.state())
        self.climatology.save(folder / CLIMATOLOGY)
        np.savez(
            folder / SCALING,
            deviation=np.array(self.scaling.deviation),
            ocean=self.ocean,
            step=np.array(self.step / np.timedelta64(1, "ns")).astype(np.int64),
        )

    @classmethod
    def load(cls, folder: Path, spec: WindowSpec) -> Self:
        """Read what `save` wrote."""
        with np.load(folder / BASE, allow_pickle=False) as stored:
            base = Blend.restore(dict(stored))
        with np.load(folder / SCALING, allow_pickle=False) as stored:
            held: dict[str, Any] = dict(stored)
        scaling = AnomalyScaling(HarmonicClimatology.load(folder / CLIMATOLOGY), float(held["deviation"]))
        return cls(held["ocean"], np.timedelta64(int(held["step"]), "ns"), spec, scaling, base)

    def samples(self, record: Record, windows: Windows) -> FieldSamples:
        """The samples of these windows."""
        from models.datasets import FieldSamples

        return FieldSamples(record, windows, self)

    @property
    def shape(self) -> FieldShape:
        """What a model must take and give."""
        return FieldShape(*self.ocean.shape, self.spec.history, self.spec.horizon, CONSTANTS)

    def inputs(self, history: Array, init_time: NDArray[np.datetime64]) -> tuple[dict[str, Array], Array]:
        """Model inputs (sample, latitude, longitude, …) of histories (sample, history, latitude, longitude).

        The second result is the base forecast (sample, lead_time, latitude, longitude) that the model corrects.
        """
        past = init_time[:, None] + np.arange(1 - self.spec.history, 1) * self.step
        leads = init_time[:, None] + np.arange(1, self.spec.horizon + 1) * self.step
        base = self.base.predict(history, init_time)
        return {
            "history": self._channels(self.scaling.encode(history, past)),
            "base": self._channels(self.scaling.encode(base, leads)),
            "constants": self._constants(init_time),
        }, base

    def target(self, truth: Array, base: Array) -> Array:
        """What the base leaves over, in units of its deviation at each lead; zero on land."""
        return self._channels((truth - base) / self.base.deviation[:, None, None])

    def forecast(self, correction: Array, base: Array) -> Array:
        """The inverse of `target`: the forecast (sample, lead_time, latitude, longitude), NaN on land."""
        return base + correction.transpose(0, 3, 1, 2) * self.base.deviation[:, None, None]

    def _channels(self, fields: Array) -> Array:
        """(sample, n, latitude, longitude) to (sample, latitude, longitude, n), zero on land."""
        return np.where(self.ocean[..., None], fields.transpose(0, 2, 3, 1), np.float32(0))

    def _constants(self, init_time: NDArray[np.datetime64]) -> Array:
        """Ocean, northing, easting, and the time of the year as a point on a circle."""
        height, width = self.ocean.shape
        north, east = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
        days = (init_time - init_time.astype("datetime64[Y]")) / np.timedelta64(1, "D")
        angle = (days * (2 * np.pi / DAYS_PER_YEAR))[:, None, None]
        channels = np.broadcast_arrays(self.ocean, north, east, np.cos(angle), np.sin(angle))
        return np.stack(channels, axis=-1).astype(np.float32)

"""What a model of a station sees and gives: standardised variables in, what a base forecast leaves over out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from models.base import SeriesShape
from models.samples import SeriesSamples, departed
from models.specs import EncodingSpec
from models.stacking import Stacking
from pipeline.climatology import HarmonicClimatology
from pipeline.errors import NotFittedError
from pipeline.forecasts.linear import Linear
from pipeline.windows import Windows

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from models.recipe import Recipe
    from pipeline.forecasts.series import SeriesRecord
    from pipeline.windows import WindowSpec

    Array = NDArray[np.float32]

CLIMATOLOGY = "climatology.npz"
BASE = "base.npz"
SCALING = "scaling.npz"
STACKING = "stacking.npz"
AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class SeriesEncoder:
    """The exact pair between a station's values in their units and what a model takes and gives.

    Parameters
    ----------
    spec
        Of the windows.
    encoding
        What inputs and targets are taken relative to.
    target
        The column that is forecast.
    mean, deviation
        float32 (history, variable), in the variables' units, by which inputs are standardised: of the training
        part, or of the departures in the training windows.
    level
        The target's mean over the training part.
    left
        float32 (lead_time,): the deviation of what the base leaves over in training, in the target's units.
    base
        The fitted linear forecast, where that is the base.
    climatology
        Of the target, for the rungs and the scores.
    stacking
        What a trained model's forecast is averaged with; it takes no part in training.
    """

    spec: WindowSpec
    encoding: EncodingSpec
    target: int
    mean: Array
    deviation: Array
    level: float
    left: Array
    base: Linear | None
    climatology: HarmonicClimatology
    stacking: Stacking | None = None

    @classmethod
    def fit(cls, record: SeriesRecord, recipe: Recipe, *, snapshot: str) -> Self:
        """Fit on the training part alone.

        Raises
        ------
        WindowError, ConfigError, NotFittedError
            The record is too short for the splits and windows, or a variable never varies.
        """
        parted = recipe.parted(record)
        training = parted.windows("train")
        rows = record.values[parted.inside("train") & record.usable].astype(np.float64)
        mean, deviation = rows.mean(axis=0), rows.std(axis=0)
        _require_varied(record, deviation)
        encoding = recipe.encoding
        level = float(mean[record.target_index])
        if encoding.departures:
            mean, deviation = _departures(record, training)
        base = Linear().fit(record, training, None) if encoding.base == "linear" else None
        climatology = HarmonicClimatology.fit(
            record.target_values,
            record.time,
            recipe.climatology,
            within=parted.splits.train,
            snapshot=snapshot,
        )
        draft = cls(
            recipe.windows,
            encoding,
            record.target_index,
            *(
                np.broadcast_to(each, (recipe.windows.history, len(record.variables))).astype(np.float32)
                for each in (mean, deviation)
            ),
            level,
            np.ones(len(recipe.windows.leads), np.float32),
            base,
            climatology,
        )
        errors = record.truth(training)[..., 0, 0] - draft.base_forecast(record, training)
        left = errors.astype(np.float64).std(axis=0)
        return replace(draft, left=np.where(left > 0, left, 1).astype(np.float32))

    @property
    def shape(self) -> SeriesShape:
        """What a model must take and give."""
        return SeriesShape(*self.mean.shape, len(self.spec.leads))

    @property
    def sha256(self) -> str:
        """The hash of all that was fitted."""
        digest = hashlib.sha256(self.climatology.sha256.encode())
        for part in (self.mean, self.deviation, self.left):
            digest.update(np.ascontiguousarray(part).tobytes())
        if self.base is not None:
            digest.update(self.base.sha256.encode())
        if self.stacking is not None:
            digest.update(self.stacking.weights.tobytes())
        return digest.hexdigest()

    def samples(self, record: SeriesRecord, windows: Windows) -> SeriesSamples:
        """The samples of these windows: scaled once for the whole record, since windows overlap."""
        relative = self.encoding.departures
        return SeriesSamples(
            record.values if relative else (record.values - self.mean[-1]) / self.deviation[-1],
            record.values[:, self.target],
            windows,
            departures=(self.mean, self.deviation) if relative else None,
            base=self.base_forecast(record, windows),
            deviation=self.left,
        )

    def base_forecast(self, record: SeriesRecord, windows: Windows) -> Array:
        """float32 (sample, lead_time) in the target's units: what a model corrects."""
        if self.base is None:
            return self._simple(record.values[windows.init, self.target])
        parts = []
        for first in range(0, len(windows), AT_ONCE):
            some = slice(first, first + AT_ONCE)
            part = Windows(windows.spec, windows.init[some], windows.init_time[some])
            parts.append(self.base.predict(record.history(part), part.init_time)[..., 0, 0])
        return np.concatenate(parts)

    def inputs(self, history: Array, init_time: NDArray[np.datetime64]) -> tuple[dict[str, Array], Array]:
        """The model's input of histories (sample, history, variable), and the base (sample, lead_time, 1, 1)."""
        if history.shape[1:] != self.mean.shape:
            raise NotFittedError(
                f"the model was fitted on histories of shape {self.mean.shape} and got {history.shape[1:]}",
                remedy="forecast with the variables and the history that it was fitted on",
            )
        if self.encoding.departures:
            scaled = departed(history, self.mean, self.deviation)
        else:
            scaled = (history - self.mean) / self.deviation
        if self.base is not None:
            base = self.base.predict(history, init_time)
        else:
            base = self._simple(history[:, -1, self.target])[..., None, None]
        if self.stacking is not None:
            base = self.stacking.base(base, history, init_time)
        return {"history": scaled}, base

    def forecast(self, output: Array, base: Array) -> Array:
        """The forecast (sample, lead_time, 1, 1) that a model's output (sample, lead_time) means."""
        scale = self.left if self.stacking is None else self.left * self.stacking.weights
        return base + (output * scale)[..., None, None]

    def save(self, folder: Path) -> None:
        """Write into the model's folder."""
        self.climatology.save(folder / CLIMATOLOGY)
        if self.base is not None:
            np.savez(folder / BASE, **self.base.state())
        if self.stacking is not None:
            np.savez(folder / STACKING, **self.stacking.state())
        np.savez(
            folder / SCALING,
            mean=self.mean,
            deviation=self.deviation,
            level=np.array(self.level),
            left=self.left,
            target=np.array(self.target),
            encoding=np.array(self.encoding.model_dump_json()),
        )

    @classmethod
    def load(cls, folder: Path, spec: WindowSpec) -> Self:
        """Read what `save` wrote."""
        with np.load(folder / SCALING, allow_pickle=False) as stored:
            held: dict[str, Any] = dict(stored)
        base = stacking = None
        if (folder / BASE).exists():
            with np.load(folder / BASE, allow_pickle=False) as stored:
                base = Linear.restore(dict(stored))
        if (folder / STACKING).exists():
            with np.load(folder / STACKING, allow_pickle=False) as stored:
                stacking = Stacking.restore(dict(stored))
        return cls(
            spec,
            EncodingSpec.model_validate_json(str(held["encoding"])),
            int(held["target"]),
            held["mean"],
            held["deviation"],
            float(held["level"]),
            held["left"],
            base,
            HarmonicClimatology.load(folder / CLIMATOLOGY),
            stacking,
        )

    def _simple(self, last: Array) -> Array:
        """The last value, or the training mean, at every lead."""
        at_init = last if self.encoding.base == "naive" else np.full_like(last, self.level)
        return np.repeat(at_init[:, None], len(self.spec.leads), axis=1)


def _departures(record: SeriesRecord, training: Windows) -> tuple[NDArray[Any], NDArray[Any]]:
    """Mean and deviation (history, variable) over training windows, some thousands of them, evenly spread."""
    some = training.thinned(-(-len(training) // AT_ONCE))
    history = record.history(some).astype(np.float64)
    history[:, :-1] -= history[:, -1:]
    mean, deviation = history.mean(axis=0), history.std(axis=0)
    return mean, np.where(deviation > 0, deviation, 1)


def _require_varied(record: SeriesRecord, deviation: NDArray[np.float64]) -> None:
    still = [
        variable.name for variable, each in zip(record.variables, deviation, strict=True) if not each > 0
    ]
    if still:
        raise NotFittedError(
            f"{', '.join(still)} never varies in the training part, and cannot be scaled",
            remedy="leave it out of [station] variables, or widen the training part",
            variables=still,
        )

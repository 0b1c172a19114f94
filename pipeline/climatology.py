"""A harmonic climatology: the mean and the first harmonics of the year, and of the day, at every cell."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import NonNegativeInt

from pipeline.errors import NotFittedError
from pipeline.types import Spec, TimeRange

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

DAYS_PER_YEAR = 365.2425
EPOCH = np.datetime64("2000-01-01", "ns")
NANOSECONDS_PER_DAY = 86_400e9


class ClimatologySpec(Spec):
    """Harmonics of the year and of the day beside the mean: 1 is a sine wave, 3 follow a sea's skewed season."""

    harmonics: NonNegativeInt = 3
    daily_harmonics: NonNegativeInt = 0
    """For records of steps shorter than a day."""


@dataclass(frozen=True, slots=True)
class HarmonicClimatology:
    """Least-squares harmonics of the tropical year, fitted on training times only.

    The daily climatology of Narapusetty, DelSole & Tippett (2009), doi:10.1175/2009JCLI2944.1, who show that
    a few harmonics estimate it better than means over calendar days do.

    Parameters
    ----------
    coefficients
        float64 (1 + 2 × harmonics, …): the mean, then cosine and sine of each harmonic of the year and of each
        of the day, in the data's units.
    fitted_on
        The training times.
    snapshot
        The store snapshot that the values came from.
    """

    coefficients: NDArray[np.float64]
    fitted_on: TimeRange
    snapshot: str
    daily: int = 0
    """How many of the harmonics are of the day."""

    @classmethod
    def fit(
        cls,
        values: NDArray[np.floating],
        time: NDArray[np.datetime64],
        spec: ClimatologySpec,
        *,
        within: TimeRange,
        snapshot: str = "",
    ) -> HarmonicClimatology:
        """Fit on the steps of `values` (time, …) that lie `within`; steps with a gap are left out whole.

        Cells without any value get NaN.

        Raises
        ------
        NotFittedError
            Fewer training steps than a year has days.
        """
        day = time.astype("datetime64[D]")
        inside = (day >= np.datetime64(within.start)) & (day <= np.datetime64(within.end))
        flat = values[inside].reshape(int(inside.sum()), -1)
        finite = np.isfinite(flat)
        whole = finite[:, finite.any(axis=0)].all(axis=1) if finite.any() else np.zeros(len(flat), bool)
        span = np.ptp(day[inside][whole]) / np.timedelta64(1, "D") if whole.any() else 0
        if not whole.any() or (spec.harmonics and span < 364):
            raise NotFittedError(
                f"a climatology needs a year of whole training days; {within} holds {int(whole.sum())}",
                remedy="ingest more days or widen the training split",
                days=int(whole.sum()),
            )
        design = harmonics(time[inside][whole], spec.harmonics, spec.daily_harmonics)
        solved = np.linalg.lstsq(design, flat[whole].astype(np.float64), rcond=None)[0]
        solved[:, ~finite.any(axis=0)] = np.nan
        return cls(solved.reshape(-1, *values.shape[1:]), within, snapshot, spec.daily_harmonics)

    def at(self, time: NDArray[np.datetime64]) -> NDArray[np.float32]:
        """The climatology (*time.shape, …) at any times, in the data's units."""
        count = (len(self.coefficients) - 1) // 2 - self.daily
        return np.tensordot(harmonics(time, count, self.daily), self.coefficients, axes=1).astype(np.float32)

    @property
    def sha256(self) -> str:
        """The hash of what was fitted."""
        return hashlib.sha256(np.ascontiguousarray(self.coefficients).tobytes()).hexdigest()

    def save(self, path: Path) -> None:
        """Write to an `.npz` file."""
        np.savez(
            path,
            coefficients=self.coefficients,
            fitted_on=np.array([str(self.fitted_on.start), str(self.fitted_on.end)]),
            snapshot=np.array(self.snapshot),
            daily=np.array(self.daily),
        )

    @classmethod
    def load(cls, path: Path) -> HarmonicClimatology:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            start, end = (str(day) for day in stored["fitted_on"])
            fitted_on = TimeRange.model_validate({"start": start, "end": end})
            return cls(stored["coefficients"], fitted_on, str(stored["snapshot"]), int(stored["daily"]))


def harmonics(time: NDArray[np.datetime64], count: int, daily: int = 0) -> NDArray[np.float64]:
    """The design matrix (*time.shape, 1 + 2 × (count + daily)): one, then cosine and sine of each harmonic."""
    days = (time.astype("datetime64[ns]") - EPOCH).astype(np.int64) / NANOSECONDS_PER_DAY
    cycles = np.concatenate([np.arange(1, count + 1) / DAYS_PER_YEAR, np.arange(1.0, daily + 1)])
    angle = 2 * np.pi * days[..., None] * cycles
    waves = np.stack([np.cos(angle), np.sin(angle)], axis=-1).reshape(*time.shape, 2 * len(cycles))
    return np.concatenate([np.ones((*time.shape, 1)), waves], axis=-1)

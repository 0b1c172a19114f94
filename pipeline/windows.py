"""Windows are an index: an init time, its history and its leads; samples are read by slicing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from pydantic import PositiveInt, model_validator

from pipeline.errors import WindowError
from pipeline.types import Spec, TimeRange

if TYPE_CHECKING:
    from numpy.typing import NDArray


class WindowSpec(Spec):
    """The shape of a window, counted in samples.

    Parameters
    ----------
    history
        Samples up to and including `init_time`.
    horizon
        The last lead.
    stride
        Steps of the time axis between windows.
    sampling
        Steps of the time axis between the samples of a window: 6 takes hourly ones of a 10-minute axis.
    first_lead
        The first lead; the horizon itself where only that is forecast.
    """

    history: PositiveInt
    horizon: PositiveInt
    stride: PositiveInt = 1
    sampling: PositiveInt = 1
    first_lead: PositiveInt = 1

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.first_lead > self.horizon:
            raise ValueError(f"first_lead {self.first_lead} lies beyond the horizon {self.horizon}")
        return self

    @property
    def leads(self) -> NDArray[np.int64]:
        """int64 (lead_time,): the leads, in samples."""
        return np.arange(self.first_lead, self.horizon + 1)

    @property
    def length(self) -> int:
        """Steps of the time axis from the first of the history to the last lead, at whole samples."""
        return (self.history + self.horizon) * self.sampling

    @property
    def past(self) -> NDArray[np.int64]:
        """int64 (history,): steps from `init_time` to each sample of the history, oldest first, the last zero."""
        return np.arange(1 - self.history, 1) * self.sampling

    @property
    def ahead(self) -> NDArray[np.int64]:
        """int64 (lead_time,): steps from `init_time` to each lead."""
        return self.leads * self.sampling

    def lead_time(self, step: np.timedelta64) -> NDArray[np.timedelta64]:
        """timedelta64[ns] (lead_time,) on an axis of `step`."""
        return (self.ahead * step).astype("timedelta64[ns]")


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of one split.

    Parameters
    ----------
    spec
        Their common shape.
    init
        int64 (sample,): positions on the time axis of each window's last history step, ascending.
    init_time
        datetime64[ns] (sample,): the times at these positions.
    """

    spec: WindowSpec
    init: NDArray[np.int64]
    init_time: NDArray[np.datetime64]

    def __len__(self) -> int:
        return len(self.init)

    def thinned(self, stride: int) -> Windows:
        """Every `stride`-th window."""
        return Windows(self.spec, self.init[::stride], self.init_time[::stride])

    def history_index(self) -> NDArray[np.int64]:
        """int64 (sample, history): positions of the history, oldest first."""
        return self.init[:, None] + self.spec.past

    def horizon_index(self) -> NDArray[np.int64]:
        """int64 (sample, lead_time): positions of the leads."""
        return self.init[:, None] + self.spec.ahead


def find_windows(
    time: NDArray[np.datetime64], usable: NDArray[np.bool_], within: TimeRange, spec: WindowSpec
) -> Windows:
    """All windows of which every sample and lead lies `within` the split and is `usable`.

    Parameters
    ----------
    time
        datetime64 (time,), ascending with one constant step.
    usable
        bool (time,): False at gaps and at steps that failed their checks.

    Raises
    ------
    WindowError
        The time axis is uneven, or no window fits.
    """
    _require_even(time)
    day = time.astype("datetime64[D]")
    inside = usable & (day >= np.datetime64(within.start)) & (day <= np.datetime64(within.end))
    init = whole_windows(inside, spec)
    if not len(init):
        raise WindowError(
            f"no window of {spec.history} + {spec.horizon} {_samples(spec)} fits into {within}: "
            f"the record has {int(inside.sum())} usable steps there",
            remedy="shorten history or horizon, widen the split, or ingest the missing times",
            history=spec.history,
            horizon=spec.horizon,
            usable=int(inside.sum()),
        )
    init = init[:: spec.stride]
    return Windows(spec, init, time[init])


def whole_windows(usable: NDArray[np.bool_], spec: WindowSpec) -> NDArray[np.int64]:
    """int64 (sample,): the positions from which a whole window, every sample and lead, is usable."""
    first, last = spec.past[0], spec.ahead[-1]
    init = np.arange(-first, max(-first, len(usable) - last))
    good = np.ones(len(init), bool)
    for offset in (*spec.past, *spec.ahead):
        good &= usable[init + offset]
    return np.asarray(init[good])


def newest_init(time: NDArray[np.datetime64], usable: NDArray[np.bool_], spec: WindowSpec) -> int:
    """Position of the newest step whose whole history is usable.

    Raises
    ------
    WindowError
        No step has one.
    """
    _require_even(time)
    init = np.arange(-spec.past[0], len(time))
    good = np.ones(len(init), bool)
    for offset in spec.past:
        good &= usable[init + offset]
    newest = int(init[good][-1]) if good.any() else -1
    if newest < 0:
        raise WindowError(
            f"nowhere are {spec.history} usable {_samples(spec)} in a row, which a forecast needs as its history",
            remedy="ingest the missing times or shorten the history",
            history=spec.history,
        )
    return newest


def _samples(spec: WindowSpec) -> str:
    return "steps" if spec.sampling == 1 else f"samples, {spec.sampling} steps apart,"


def _require_even(time: NDArray[np.datetime64]) -> None:
    steps: NDArray[Any] = np.diff(time)
    if len(steps) and (steps[0] <= np.timedelta64(0) or np.any(steps != steps[0])):
        raise WindowError(
            "the time axis does not ascend by one constant step",
            remedy="windows are counted in steps; give missing times a place on the axis, marked as missing",
        )

"""Windows are an index: an init day, its history and its horizon; samples are read by slicing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import PositiveInt

from pipeline.errors import WindowError
from pipeline.types import Spec, TimeRange

if TYPE_CHECKING:
    from numpy.typing import NDArray


class WindowSpec(Spec):
    """Steps up to and including `init_time` (history), after it (horizon), between windows (stride)."""

    history: PositiveInt
    horizon: PositiveInt
    stride: PositiveInt = 1

    @property
    def length(self) -> int:
        """Steps from the first of the history to the last of the horizon."""
        return self.history + self.horizon


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

    def history_index(self) -> NDArray[np.int64]:
        """int64 (sample, history): positions of the history, oldest first."""
        return self.init[:, None] + np.arange(1 - self.spec.history, 1)

    def horizon_index(self) -> NDArray[np.int64]:
        """int64 (sample, lead_time): positions of lead 1 … horizon."""
        return self.init[:, None] + np.arange(1, self.spec.horizon + 1)


def find_windows(
    time: NDArray[np.datetime64], usable: NDArray[np.bool_], within: TimeRange, spec: WindowSpec
) -> Windows:
    """All windows of which every step lies `within` the split and is `usable`.

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
    bad = np.concatenate([[0], np.cumsum(~inside)])
    first = np.arange(max(0, len(time) - spec.length + 1))
    first = first[bad[first + spec.length] == bad[first]] if len(first) else first
    if not len(first):
        raise WindowError(
            f"no window of {spec.history} + {spec.horizon} steps fits into {within}: "
            f"the record has {int(inside.sum())} usable steps there",
            remedy="shorten history or horizon, widen the split, or ingest the missing days",
            history=spec.history,
            horizon=spec.horizon,
            usable=int(inside.sum()),
        )
    init = (first + spec.history - 1)[:: spec.stride].astype(np.int64)
    return Windows(spec, init, time[init])


def newest_init(time: NDArray[np.datetime64], usable: NDArray[np.bool_], spec: WindowSpec) -> int:
    """Position of the newest step whose whole history is usable.

    Raises
    ------
    WindowError
        No step has one.
    """
    _require_even(time)
    run = 0
    newest = -1
    for position, good in enumerate(usable):
        run = run + 1 if good else 0
        if run >= spec.history:
            newest = position
    if newest < 0:
        raise WindowError(
            f"nowhere are {spec.history} usable steps in a row, which a forecast needs as its history",
            remedy="ingest the missing days or shorten the history",
            history=spec.history,
        )
    return newest


def _require_even(time: NDArray[np.datetime64]) -> None:
    steps: NDArray[Any] = np.diff(time)
    if len(steps) and (steps[0] <= np.timedelta64(0) or np.any(steps != steps[0])):
        raise WindowError(
            "the time axis does not ascend by one constant step",
            remedy="windows are counted in steps; give missing times a place on the axis, marked as missing",
        )

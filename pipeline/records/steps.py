"""Records cut into steps: what was measured in each, what is known by then, and how long since.

Nothing of this is stored: it is derived from the flat measurements when they are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field, NonNegativeInt, PositiveInt

from pipeline.errors import ConfigError
from pipeline.types import Spec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.records.base import RecordSet

    Index = NDArray[np.int64]

Alignment = Literal["end", "start", "equal"]


class StepSpec(Spec):
    """How records become sequences, and which of them are for what.

    Parameters
    ----------
    step
        Minutes of a step: it holds what was measured after its beginning and until its end, and the first also what
        was known at the beginning of the record. `events` makes each time at which anything was measured a step.
    alignment
        Where sequences lie in a batch that is longer than they are: with their last steps at its `end`, or with their
        first at its `start`. Under `equal` only sequences of equal length meet in a batch, and none is padded.
    padding
        Share of the steps of batches that may be padding, at most.
    split_seed
        Of the order in which records are dealt to training, validation and test.
    """

    step: PositiveInt | Literal["events"] = 60
    alignment: Alignment = "end"
    padding: Annotated[float, Field(gt=0, lt=1)] = 0.1
    split_seed: NonNegativeInt = 0


@dataclass(frozen=True, slots=True)
class Steps:
    """Records as sequences, one after another; `series` are in the order of `RecordSet.series`.

    Parameters
    ----------
    offset
        int64 (record + 1,): the steps of record `i` are those from `offset[i]` to before `offset[i + 1]`.
    time
        float32 (step,): minutes from the beginning of the record to the end of the step.
    values
        float32 (step, series): of what was measured in the step, the mean, or the sum of what adds up; else the last
        before; NaN where nothing was measured yet.
    mask
        bool (step, series): whether it was measured in the step.
    since
        float32 (step, series): minutes since the step in which it was last measured; infinite before the first.
    count
        float32 (step,): how many measurements the step holds.
    """

    offset: Index
    time: NDArray[np.float32]
    values: NDArray[np.float32]
    mask: NDArray[np.bool_]
    since: NDArray[np.float32]
    count: NDArray[np.float32]


def lengths(records: RecordSet, spec: StepSpec) -> Index:
    """int64 (record,): steps of each record to its last measurement.

    Raises
    ------
    ConfigError
        A record holds no measurement of a series that can be.
    """
    at, of = _measurements(records, np.arange(len(records)))
    found = np.zeros(len(records), np.int64)
    if isinstance(spec.step, int):
        np.maximum.at(found, of, _step_of(records.time[at], spec.step) + 1)
    else:
        found += np.bincount(of[_begins(of, records.time[at])], minlength=len(records))
    _require_steps(records, np.arange(len(records)), found)
    return found


def derive(records: RecordSet, spec: StepSpec, chosen: Index) -> Steps:
    """The steps of the `chosen` records, in this order.

    Raises
    ------
    ConfigError
        One of them holds no measurement of a series that can be.
    """
    at, of = _measurements(records, chosen)
    minute = records.time[at]
    if isinstance(spec.step, int):
        step = _step_of(minute, spec.step)
        long = np.zeros(len(chosen), np.int64)
        np.maximum.at(long, of, step + 1)
        offset = np.concatenate([[0], np.cumsum(long)])
        slot = offset[of] + step
        row = np.arange(offset[-1])
        time = (row - np.repeat(offset[:-1], long) + 1.0) * spec.step
    else:
        begins = _begins(of, minute)
        slot = np.cumsum(begins) - 1
        offset = np.concatenate([[0], np.cumsum(np.bincount(of[begins], minlength=len(chosen)))])
        time = minute[begins].astype(np.float64)
    _require_steps(records, chosen, np.diff(offset))
    series = np.array(records.series)
    place = np.full(len(records.parameters), -1)
    place[series] = np.arange(len(series))
    shape = (int(offset[-1]), len(series))
    cell = slot * shape[1] + place[records.parameter[at]]
    count = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    total = np.bincount(cell, weights=records.value[at], minlength=shape[0] * shape[1]).reshape(shape)
    adds = np.array([records.parameters[each].total for each in series], bool)
    mask = count > 0
    measured = np.where(mask, total / np.where(adds | ~mask, 1, count), np.nan)
    values, since = _carried(measured, mask, time, np.repeat(offset[:-1], np.diff(offset)))
    return Steps(
        offset=offset,
        time=time.astype(np.float32),
        values=values.astype(np.float32),
        mask=mask,
        since=since.astype(np.float32),
        count=count.sum(axis=1).astype(np.float32),
    )


def _require_steps(records: RecordSet, chosen: Index, many: Index) -> None:
    empty = np.flatnonzero(many == 0)
    if len(empty):
        first = records.ids[int(chosen[empty[0]])]
        raise ConfigError(
            f"record {first} holds no measurement that can be",
            remedy="leave it out of the files",
            record=first,
        )


def described(records: RecordSet, chosen: Index) -> NDArray[np.float32]:
    """float32 (record, static): the descriptors of the chosen records, NaN where they are unknown."""
    place = np.full(len(records.parameters), -1)
    place[list(records.statics)] = np.arange(len(records.statics))
    at, of = _spans(records, chosen)
    column = place[records.parameter[at]]
    found = np.full((len(chosen), len(records.statics)), np.nan, np.float32)
    known = column >= 0
    found[of[known], column[known]] = records.value[at[known]]
    return found


def _carried(
    measured: NDArray[np.float64], mask: NDArray[np.bool_], time: NDArray[np.float64], first: Index
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What is known at each step, and how long since; a record begins at step `first` (step,)."""
    row = np.arange(len(mask))
    last = np.maximum.accumulate(np.where(mask, row[:, None], -1), axis=0)
    known = last >= first[:, None]
    last = np.where(known, last, 0)
    values = np.where(known, np.take_along_axis(measured, last, axis=0) if len(row) else measured, np.nan)
    return values, np.where(known, time[:, None] - time[last], np.inf)


def _spans(records: RecordSet, chosen: Index) -> tuple[Index, Index]:
    """Places of the measurements of the chosen records, and of which of these each is."""
    start, size = records.offset[chosen], np.diff(records.offset)[chosen]
    of = np.repeat(np.arange(len(chosen)), size)
    ends = np.cumsum(size)
    at = np.arange(len(of)) + np.repeat(start - (ends - size), size)
    return at, of


def _measurements(records: RecordSet, chosen: Index) -> tuple[Index, Index]:
    """As `_spans`, of series alone."""
    at, of = _spans(records, chosen)
    static = np.array([each.static for each in records.parameters], bool)
    kept = ~static[records.parameter[at]]
    return at[kept], of[kept]


def _step_of(minute: NDArray[np.int32], step: int) -> Index:
    return np.asarray(np.maximum(-(-minute.astype(np.int64) // step) - 1, 0))


def _begins(of: Index, minute: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Where a measurement is the first of its record or of its time."""
    return np.asarray((np.diff(of, prepend=-1) != 0) | (np.diff(minute, prepend=-1) != 0))

"""What a forecast was made from: the status of every day of its history, a letter a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.store import repository, schema
from pipeline.store.series_schema import day_status, is_series
from pipeline.types import Status

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from pipeline.windows import Windows

LETTERS = {Status.MISSING: "M", Status.PRELIMINARY: "P", Status.FINAL: "F"}
_STATUS = {letter: status for status, letter in LETTERS.items()}
_DAY = np.timedelta64(1, "D")


def stamps(path: Path, region: str, snapshot: str, windows: Windows, step: np.timedelta64) -> NDArray[Any]:
    """Text (init_time,): a letter of LETTERS for each day from the first of the history to that of `init_time`.

    Raises
    ------
    NotFoundError, StoreError
        The store at `path` has no such snapshot or region.
    """
    session = repository.read_session(path, snapshot)
    with repository.translated(path):
        group = schema.region_group(repository.read_root(session), region)
        if is_series(group):
            days, status = day_status(group)
        else:
            status = schema.status_of(group)
            days = schema.origin(group) + np.arange(len(status))
    letters = np.array([LETTERS[Status(int(each))] for each in status])
    last = (windows.init_time.astype("datetime64[D]") - days[0]) // _DAY
    reach = (windows.spec.past[0] * step).astype("timedelta64[ns]")
    first = ((windows.init_time + reach).astype("datetime64[D]") - days[0]) // _DAY
    told = ["".join(letters[begin : end + 1]) for begin, end in zip(first, last, strict=True)]
    return np.array(told, dtype=object)


def read_stamp(stamp: str, init_time: np.datetime64) -> tuple[NDArray[np.datetime64], NDArray[np.int8]]:
    """The days of a stamp, datetime64[D] (input_time,), and their status, int8 (input_time,)."""
    last = init_time.astype("datetime64[D]")
    days = last - np.arange(len(stamp) - 1, -1, -1)
    return days, np.array([_STATUS[letter] for letter in stamp], np.int8)

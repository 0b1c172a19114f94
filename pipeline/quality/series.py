"""The checks of a station's table: repeated and descending stamps, stamps off the step, values that cannot be.

A finding tells how many rows it is of, never one row alone: a file may have thousands.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import GranuleError
from pipeline.quality.base import Finding
from pipeline.types import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

SENTINEL = -9999.0
STEP = np.timedelta64(600, "s")
SHOWN = 5

LIMITS: dict[str, tuple[float, float]] = {
    "air_pressure": (850, 1080),
    "air_temperature": (-50, 50),
    "potential_temperature": (220, 330),
    "dew_point_temperature": (-60, 40),
    "relative_humidity": (0, 105),
    "saturation_vapor_pressure": (0, 130),
    "vapor_pressure": (0, 75),
    "vapor_pressure_deficit": (-1, 130),
    "specific_humidity": (0, 50),
    "water_vapor_concentration": (0, 80),
    "air_density": (900, 1700),
    "wind_speed": (0, 75),
    "wind_gust": (0, 110),
    "wind_direction": (0, 360),
    "precipitation": (0, 60),
    "precipitation_duration": (0, 600),
    "shortwave_radiation": (-20, 1500),
    "photosynthetic_radiation": (-20, 3500),
    "photosynthetic_radiation_maximum": (-20, 5000),
    "logger_temperature": (-50, 90),
    "carbon_dioxide": (250, 2500),
}
"""Variable → lowest and highest value of ten minutes that a station in middle latitudes may report."""


def inspect_table(table: Table, path: str) -> tuple[Table, list[Finding]]:
    """The table with every stamp once, ascending and on the step, and what was found; its values are untouched.

    Raises
    ------
    GranuleError
        As `require_order`.
    """
    table, repeated = settle_duplicates(table)
    require_order(table, path)
    table, off = on_step(table)
    return table, repeated + off


def settle_duplicates(table: Table) -> tuple[Table, list[Finding]]:
    """The table without repeated stamps: of equal rows the first is kept, of rows that differ none.

    What repeats may stand anywhere in the file, as where two files that overlap were put together. NaN equals NaN.
    """
    order = np.argsort(table.time, kind="stable")
    time, values = table.time[order], table.values[order]
    repeats = time[1:] == time[:-1]
    if not repeats.any():
        return table, []
    same = ((values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1]))).all(axis=1)
    group = np.concatenate([[0], np.cumsum(~repeats)])
    conflicting = np.zeros(group[-1] + 1, bool)
    conflicting[group[1:][repeats & ~same]] = True
    first = np.concatenate([[True], ~repeats])
    refused = conflicting[group]
    kept = np.sort(order[first & ~refused])
    findings = []
    equal = np.sort(order[~first & ~refused])
    if equal.size:
        findings.append(
            Finding(
                "duplicates",
                "warn",
                _day(table, equal[0]),
                f"{_counted(equal, 'row repeats', 'rows repeat')} an earlier one and "
                f"{_are(equal)} dropped: {_lines(table, equal)}",
            )
        )
    if refused.any():
        rows = np.sort(order[refused])
        count = int(np.count_nonzero(conflicting))
        findings.append(
            Finding(
                "duplicates",
                "warn",
                _day(table, rows[0]),
                f"{count} {'stamp has' if count == 1 else 'stamps have'} rows that differ, of which none is "
                f"taken: {_lines(table, rows)} ({_stamps(table, rows)})",
            )
        )
    return _rows(table, kept), findings


def order_complaints(table: Table) -> list[Finding]:
    """What refuses a file whose stamps do not ascend; empty where they do. Settle the repeated ones first."""
    back = np.flatnonzero(np.diff(table.time) <= np.timedelta64(0, "s")) + 1
    if not back.size:
        return []
    row = back[0]
    message = (
        f"line {table.line[row]}: time goes back from {_spelled(table.time[row - 1])} to "
        f"{_spelled(table.time[row])}"
    )
    if back.size > 1:
        message += f", and {back.size - 1} times more"
    return [Finding("order", "refuse", None, message)]


def require_order(table: Table, path: str) -> None:
    """Refuse a file whose stamps do not ascend.

    Raises
    ------
    GranuleError
        `check == "order"`, with `path` and `line`.
    """
    complaints = order_complaints(table)
    if complaints:
        back = int(np.flatnonzero(np.diff(table.time) <= np.timedelta64(0, "s"))[0]) + 1
        raise GranuleError(
            f"{path.rpartition('/')[2]}, {complaints[0].message}",
            remedy="sort the file by time, or fetch it again",
            path=path,
            check="order",
            line=int(table.line[back]),
        )


def on_step(table: Table, step: np.timedelta64 = STEP) -> tuple[Table, list[Finding]]:
    """The rows whose stamps lie on whole steps from midnight; the others are dropped and told."""
    off = np.flatnonzero((table.time - table.time.astype("datetime64[D]")) % step != np.timedelta64(0, "s"))
    if not off.size:
        return table, []
    message = (
        f"{_counted(off, 'stamp lies', 'stamps lie')} off the step of {step // np.timedelta64(60, 's')} minutes "
        f"and {_are(off)} dropped: "
        f"{_lines(table, off)} ({_stamps(table, off)})"
    )
    kept = np.setdiff1d(np.arange(len(table.time)), off)
    return _rows(table, kept), [Finding("step", "warn", _day(table, off[0]), message)]


def cleaned(table: Table) -> tuple[Table, list[Finding]]:
    """The table with NaN for sentinels and for what lies outside LIMITS; one finding a variable and reason."""
    values = table.values.copy()
    findings = []
    for place, variable in enumerate(table.variables):
        column = values[:, place]
        sentinel = column == SENTINEL
        low, high = LIMITS.get(variable, (-np.inf, np.inf))
        outside = ((column < low) | (column > high)) & ~sentinel
        for bad, words in ((sentinel, f"{SENTINEL:g}"), (outside, f"outside {low:g}…{high:g}")):
            rows = np.flatnonzero(bad)
            if rows.size:
                check = "sentinel" if bad is sentinel else "range"
                count = _counted(rows, "value is", "values are")
                message = f"{variable}: {count} {words} and taken as missing: {_lines(table, rows)}"
                findings.append(Finding(check, "warn", _day(table, rows[0]), message))
        column[sentinel | outside] = np.nan
    return replace(table, values=values), findings


def _rows(table: Table, kept: NDArray[np.intp]) -> Table:
    return Table(table.time[kept], table.values[kept], table.variables, table.line[kept])


def _day(table: Table, row: Any) -> Any:
    return table.time[row].astype("datetime64[D]").item()


def _counted(rows: NDArray[np.intp], one: str, several: str) -> str:
    return f"{rows.size} {one if rows.size == 1 else several}"


def _are(rows: NDArray[np.intp]) -> str:
    return "is" if rows.size == 1 else "are"


def _lines(table: Table, rows: NDArray[np.intp]) -> str:
    shown = ", ".join(str(number) for number in table.line[rows[:SHOWN]])
    return f"{'line' if rows.size == 1 else 'lines'} {shown}{'…' if rows.size > SHOWN else ''}"


def _stamps(table: Table, rows: NDArray[np.intp]) -> str:
    stamps = np.unique(table.time[rows])
    return ", ".join(map(_spelled, stamps[:SHOWN])) + ("…" if stamps.size > SHOWN else "")


def _spelled(time: np.datetime64) -> str:
    return str(time.astype("datetime64[s]")).replace("T", " ")

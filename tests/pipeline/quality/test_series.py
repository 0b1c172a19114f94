"""The checks of a station's table, against a plain reading of what they say."""

import pickle
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import GranuleError
from pipeline.quality.series import (
    LIMITS,
    cleaned,
    inspect_table,
    on_step,
    order_complaints,
    require_order,
    settle_duplicates,
)
from pipeline.sources.jena_columns import QUANTITIES
from pipeline.types import Table

START = np.datetime64("2010-07-01T00:10:00")
NAMES = ("air_temperature", "wind_speed")
rows = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from([0.0, 1.0, float("nan")]), st.sampled_from([0.0, -9999.0])),
    max_size=14,
)


def table(numbers: list[int], values: list[tuple[float, float]]) -> Table:
    time = START + np.array(numbers, int) * np.timedelta64(600, "s")
    return Table(time, np.array(values, float).reshape(-1, 2), NAMES, np.arange(2, len(numbers) + 2))


def ascending(numbers: list[int]) -> Table:
    return table(numbers, [(float(number), 1.0) for number in numbers])


@given(rows=rows)
def test_equal_rows_are_kept_once_and_differing_ones_never(rows: list[tuple[int, float, float]]) -> None:
    made = table([number for number, *_ in rows], [(a, b) for _, a, b in rows])
    seen: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for line, (number, *values) in enumerate(rows, start=2):
        seen[number].append((line, repr(values)))
    kept = sorted(each[0][0] for each in seen.values() if len({values for _, values in each}) == 1)
    settled, findings = settle_duplicates(made)
    assert settled.line.tolist() == kept
    np.testing.assert_array_equal(settled.values, made.values[np.array(kept, int) - 2])
    np.testing.assert_array_equal(settled.time, made.time[np.array(kept, int) - 2])
    assert bool(findings) == (len(kept) < len(rows))
    again, nothing = settle_duplicates(settled)
    assert not nothing
    np.testing.assert_array_equal(again.line, settled.line)


def test_what_is_said_of_repeated_stamps() -> None:
    made = table([0, 1, 1, 2, 2, 2, 3], [(0, 0), (1, 0), (1, 0), (2, 0), (2, 1), (2, 0), (3, 0)])
    _, (equal, conflict) = settle_duplicates(made)
    assert equal.message == "1 row repeats an earlier one and is dropped: line 4"
    assert "1 stamp has rows that differ" in conflict.message
    assert "lines 5, 6, 7 (2010-07-01 00:30:00)" in conflict.message
    assert {equal.severity, conflict.severity} == {"warn"}
    assert str(equal.day) == "2010-07-01"


def test_overlapping_blocks_are_no_disorder() -> None:
    """As where two files of the station were put together, and the second began before the first had ended."""
    settled, findings = inspect_table(ascending([*range(10), *range(6, 14)]), "a.csv")
    assert settled.line.tolist() == [*range(2, 12), *range(16, 20)]
    assert [finding.check for finding in findings] == ["duplicates"]


@given(numbers=st.lists(st.integers(0, 50), unique=True, max_size=12))
def test_descending_time_is_refused_with_its_line(numbers: list[int]) -> None:
    made = ascending(numbers)
    back = [place for place in range(1, len(numbers)) if numbers[place] < numbers[place - 1]]
    assert bool(order_complaints(made)) == bool(back)
    if not back:
        inspect_table(made, "folder/a.csv")
        return
    with pytest.raises(GranuleError) as caught:
        inspect_table(made, "folder/a.csv")
    fields = pickle.loads(pickle.dumps(caught.value)).fields
    assert fields == {"path": "folder/a.csv", "check": "order", "line": back[0] + 2}
    assert f"a.csv, line {back[0] + 2}: time goes back from 2010-07-" in caught.value.message
    assert order_complaints(made)[0].severity == "refuse"


def test_a_repeated_stamp_that_is_not_settled_is_disorder() -> None:
    with pytest.raises(GranuleError, match="line 3"):
        require_order(ascending([1, 1]), "a.csv")


def test_stamps_off_the_step_are_dropped_and_told() -> None:
    made = ascending([0, 1, 2])
    made.time[1] += np.timedelta64(7, "s")
    kept, (finding,) = on_step(made)
    assert kept.line.tolist() == [2, 4]
    assert (
        finding.message
        == "1 stamp lies off the step of 10 minutes and is dropped: line 3 (2010-07-01 00:20:07)"
    )
    assert on_step(kept) == (kept, [])
    assert not len(on_step(ascending([]))[0].time)


@given(
    values=st.lists(
        st.tuples(st.floats(-100, 100) | st.just(-9999.0), st.floats(-5, 200) | st.just(float("nan"))),
        max_size=30,
    )
)
def test_only_what_can_be_stays(values: list[tuple[float, float]]) -> None:
    made = table(list(range(len(values))), values)
    before = made.values.copy()
    clean, findings = cleaned(made)
    np.testing.assert_array_equal(made.values, before)
    for place, name in enumerate(NAMES):
        low, high = LIMITS[name]
        possible = (before[:, place] >= low) & (before[:, place] <= high)
        np.testing.assert_array_equal(np.isfinite(clean.values[:, place]), possible)
        np.testing.assert_array_equal(clean.values[possible, place], before[possible, place])
    counted = sum(int(finding.message.split(": ")[1].split()[0]) for finding in findings)
    assert counted == np.isnan(clean.values).sum() - np.isnan(before).sum()
    assert len(findings) <= 2 * len(NAMES)
    assert cleaned(clean)[1] == []


def test_every_variable_has_limits_that_the_sentinel_breaks() -> None:
    assert LIMITS.keys() == QUANTITIES.keys()
    assert all(-9999 < low < high for low, high in LIMITS.values())


def test_findings_do_not_grow_with_the_rows() -> None:
    made = replace(ascending(list(range(5000))), values=np.full((5000, 2), -9999.0))
    _, findings = cleaned(made)
    assert [finding.check for finding in findings] == ["sentinel", "sentinel"]
    assert findings[0].message == (
        "air_temperature: 5000 values are -9999 and taken as missing: lines 2, 3, 4, 5, 6…"
    )

"""Writing days into the group of one region: what becomes of each, then its values, then its columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import StoreError
from pipeline.store import schema
from pipeline.store.revisions import measure
from pipeline.store.state import CubeState, group_state
from pipeline.types import Status

if TYPE_CHECKING:
    import zarr
    from numpy.typing import NDArray

    from pipeline.store.writer import DayBatch


@dataclass(frozen=True, slots=True)
class Change:
    """What a batch changes in a group.

    Parameters
    ----------
    position
        Of each day of the batch on the group's axis.
    kinds
        What becomes of each: append, fill, replace, reissue, relabel or keep.
    """

    position: NDArray[np.intp]
    kinds: tuple[str, ...]

    @property
    def chosen(self) -> NDArray[np.intp]:
        """The days that are not kept as they are."""
        return np.array([item for item, kind in enumerate(self.kinds) if kind != "keep"], int)

    @property
    def fresh(self) -> NDArray[np.intp]:
        """The days whose values are written."""
        return np.array([item for item in self.chosen if self.kinds[item] != "relabel"], int)

    @property
    def length(self) -> int:
        """Of the axis that holds them."""
        return int(self.position[self.chosen[-1]]) + 1


def compare(group: zarr.Group, region: str, batch: DayBatch) -> Change | None:
    """What `batch` changes in the group of `region`; None where it changes nothing.

    Raises
    ------
    StoreError
        A day lies before the axis begins.
    """
    start = schema.origin(group)
    position = (batch.days.astype("datetime64[D]") - start).astype(int)
    if not len(position):
        return None
    if position[0] < 0:
        raise StoreError(f"{batch.days[0]} lies before the cube's first day, {start}", region=region)
    held = group_state(group, int(position[0]), int(position[-1]) + 1)
    kinds = tuple(_kind(batch, item, held, int(place - position[0])) for item, place in enumerate(position))
    return None if all(kind == "keep" for kind in kinds) else Change(position, kinds)


def write_values(group: zarr.Group, values: NDArray[np.float32], change: Change) -> None:
    """Write the fields (time, latitude, longitude) of the batch; the axis is long enough."""
    for run in _runs(change.fresh, change.position):
        schema.array(group, "sst")[_span(change.position[run])] = values[run]


def revised(group: zarr.Group, values: NDArray[np.float32], change: Change) -> NDArray[np.float32]:
    """What final days change in the preliminary ones that they replace; to be asked before `write_values`.

    Returns
    -------
    float32 (REVISION, time), NaN where no preliminary day is replaced.
    """
    found = np.full((len(schema.REVISION), len(change.kinds)), np.nan, np.float32)
    replaced = np.array([item for item, kind in enumerate(change.kinds) if kind == "replace"], int)
    for run in _runs(replaced, change.position):
        found[:, run] = measure(group, _span(change.position[run]), values[run])
    return found


def write_columns(
    group: zarr.Group, batch: DayBatch, change: Change, at: float, revision: NDArray[np.float32]
) -> None:
    """Write what is known of each day, with what `revised` found; the axis is long enough."""
    for run in _runs(change.chosen, change.position):
        span = _span(change.position[run])
        schema.array(group, "status")[span] = batch.status[run]
        schema.array(group, "ingested_at")[span] = np.full(len(run), at)
        for name in schema.PROVENANCE:
            told = getattr(batch, name)
            schema.array(group, name)[span] = np.array([told[item] for item in run], dtype=object)
    replaced = np.flatnonzero(np.isfinite(revision[-1]))
    for run in _runs(replaced, change.position):
        for name, found in zip(schema.REVISION, revision, strict=True):
            schema.array(group, name)[_span(change.position[run])] = found[run]


def extend(group: zarr.Group, length: int) -> None:
    """Let every array on time hold `length` days, or as many as there are, the new ones as missing."""
    held = schema.array(group, "time").shape[0]
    length = max(length, held)
    for name in ("time", "status", "ingested_at", *schema.REVISION, *schema.PROVENANCE, "sst"):
        array = schema.array(group, name)
        if array.shape[0] != length:
            array.resize((length, *array.shape[1:]))
    if length > held:
        start = schema.origin(group)
        schema.array(group, "time")[held:length] = schema.encode_days(start + np.arange(held, length))


def _kind(batch: DayBatch, item: int, state: CubeState, place: int) -> str:
    """What becomes of a day: append, fill, replace, reissue, relabel or keep."""
    if place >= len(state.status):
        return "append"
    old, new = Status(int(state.status[place])), Status(int(batch.status[item]))
    if old == Status.MISSING:
        return "fill"
    if new < old:
        return "keep"
    same_file = batch.source_sha256[item] == state.source_sha256[place]
    if new > old:
        return "replace"
    if not same_file:
        return "reissue"
    label = (batch.source_url[item], batch.source_version[item])
    return "keep" if label == (state.source_url[place], state.source_version[place]) else "relabel"


def _runs(items: NDArray[np.intp], position: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """The items, split where their positions are not next to each other."""
    if not len(items):
        return []
    return np.split(items, np.flatnonzero(np.diff(position[items]) != 1) + 1)


def _span(positions: NDArray[np.intp]) -> slice:
    return slice(int(positions[0]), int(positions[-1]) + 1)


def told(batch: DayBatch, kinds: tuple[str, ...]) -> str:
    """What a commit says of the days."""
    parts = []
    for kind in ("append", "fill", "replace", "reissue", "relabel"):
        items = [item for item, found in enumerate(kinds) if found == kind]
        if not items:
            continue
        first, last = (batch.days[i].astype("datetime64[D]") for i in (items[0], items[-1]))
        counts = [
            (int((batch.status[items] == s).sum()), s.name.lower())
            for s in (Status.FINAL, Status.PRELIMINARY)
        ]
        span = f"{first}" if first == last else f"{first}…{last}"
        parts.append(f"{kind} {span} ({', '.join(f'{n} {name}' for n, name in counts if n)})")
    return "; ".join(parts)

"""What a loader is given: the samples of one split, of fields or of a station."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from models.base import SeriesShape
from models.rows import Block, chunk_rows, row_bytes, runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.base import FieldShape, MovieShape, RecordShape, TextShape
    from models.encoder import FieldEncoder
    from models.order import Buckets
    from models.rows import Rows
    from pipeline.forecasts.base import Record
    from pipeline.windows import Windows

    Arrays = tuple[NDArray[Any], ...]
    Shape = tuple[int | None, ...]

INTEGERS = ("words",)
"""Inputs that are whole numbers, int32; all else is float32."""


class Samples(Protocol):
    """The samples of one split, made of rows of the time axis when they are asked for."""

    @property
    def windows(self) -> Windows:
        """One for each sample."""
        ...

    @property
    def shape(self) -> FieldShape | SeriesShape | RecordShape | TextShape | MovieShape:
        """What a model of them takes and gives."""
        ...

    @property
    def area(self) -> NDArray[np.float64] | None:
        """Relative area (latitude, longitude) of the cells that errors are weighted by; None where there is one."""
        ...

    @property
    def buckets(self) -> Buckets | None:
        """Of samples that are sequences of several lengths; None where all are alike."""
        ...

    @property
    def rows(self) -> tuple[Rows, ...]:
        """What the samples are made of, in memory or in a store."""
        ...

    @property
    def signature(self) -> tuple[dict[str, Shape], Shape]:
        """The shapes of a sample's inputs, by name, and of its target."""
        ...

    @property
    def whole(self) -> Block:
        """The rows of all samples in memory, read once."""
        ...

    def batch(self, samples: NDArray[np.int64], block: Block | None = None) -> Arrays:
        """The inputs in the order of `signature`, then the target, each (sample, …).

        Parameters
        ----------
        block
            Where the rows of these samples are; `whole` where None.
        """
        ...


@dataclass(frozen=True)
class FieldSamples:
    """Samples of fields: `history`, `base` and `constants`, (latitude, longitude, …).

    The target is what the base forecast leaves over, in units of its deviation at each lead.
    """

    record: Record
    windows: Windows
    encoder: FieldEncoder

    @property
    def shape(self) -> FieldShape:
        """That of the encoder."""
        return self.encoder.shape

    @property
    def area(self) -> NDArray[np.float64]:
        """Zero on land."""
        return self.record.cell_weights

    @property
    def buckets(self) -> None:
        """All are alike."""
        return

    @property
    def rows(self) -> tuple[Rows, ...]:
        """The fields (time, latitude, longitude)."""
        return (self.record.values,)

    @property
    def signature(self) -> tuple[dict[str, Shape], Shape]:
        """Each (latitude, longitude, channel)."""
        shape = self.encoder.shape
        depths = {"history": shape.history, "base": shape.horizon, "constants": shape.constants}
        grid: Shape = (shape.latitude, shape.longitude)
        return {name: (*grid, depth) for name, depth in depths.items()}, (*grid, shape.horizon)

    @cached_property
    def whole(self) -> Block:
        """The rows of all samples in memory, read once."""
        return hold(self)

    def batch(self, samples: NDArray[np.int64], block: Block | None = None) -> Arrays:
        """`history`, `base`, `constants` and the target of these samples, each (sample, latitude, longitude, …)."""
        block = block or self.whole
        init, spec = self.windows.init[samples], self.windows.spec
        history = block.history(0, init, spec.history)
        truth = block.at(0, init[:, None] + spec.ahead)
        inputs, base = self.encoder.inputs(history, self.windows.init_time[samples])
        return inputs["history"], inputs["base"], inputs["constants"], self.encoder.target(truth, base)


@dataclass(frozen=True)
class SeriesSamples:
    """Samples of a station: `history` (history, variable); the target (lead_time,).

    Parameters
    ----------
    inputs
        float32 (time, variable), scaled.
    target
        float32 (time,).
    departures
        Mean and deviation, each float32 (history, variable): the history is given as it departs from its last
        value, which itself stays last, and is standardised by these. As it is where None.
    base
        float32 (sample, lead_time), what the target is taken relative to, in its units.
    deviation
        float32 (lead_time,), what the target is then divided by.
    """

    inputs: Rows
    target: Rows
    windows: Windows
    departures: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
    base: NDArray[np.float32] | None = None
    deviation: NDArray[np.float32] | None = None

    @property
    def shape(self) -> SeriesShape:
        """That of the window."""
        spec = self.windows.spec
        return SeriesShape(spec.history, self.inputs.shape[1], len(spec.leads))

    @property
    def area(self) -> None:
        """A station is one cell."""
        return

    @property
    def buckets(self) -> None:
        """All are alike."""
        return

    @property
    def rows(self) -> tuple[Rows, ...]:
        """Inputs and target."""
        return self.inputs, self.target

    @property
    def signature(self) -> tuple[dict[str, Shape], Shape]:
        """(history, variable) and (lead_time,)."""
        spec = self.windows.spec
        return {"history": (spec.history, self.inputs.shape[1])}, (len(spec.leads),)

    @cached_property
    def whole(self) -> Block:
        """The rows of all samples in memory, read once."""
        return hold(self)

    def batch(self, samples: NDArray[np.int64], block: Block | None = None) -> Arrays:
        """Histories (sample, history, variable) and targets (sample, lead_time)."""
        block = block or self.whole
        init, spec = self.windows.init[samples], self.windows.spec
        history = block.history(0, init, spec.history)
        if self.departures is not None:
            history = departed(history, *self.departures)
        ahead = block.at(1, init[:, None] + spec.ahead)
        if self.base is not None:
            ahead -= self.base[samples]
        if self.deviation is not None:
            ahead /= self.deviation
        return history, ahead


def departed(
    history: NDArray[np.float32], mean: NDArray[np.float32], deviation: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Histories (sample, history, variable) as they depart from their last values, standardised."""
    out = history - mean
    out[:, :-1] -= history[:, -1:]
    out /= deviation
    return out


def span(samples: Samples) -> int:
    """Rows of a window from its first to its last."""
    spec = samples.windows.spec
    return int(spec.ahead[-1] - spec.past[0]) + 1


def first_rows(samples: Samples) -> NDArray[np.int64]:
    """int64 (sample,): where each window begins."""
    return samples.windows.init + samples.windows.spec.past[0]


def needed(samples: Samples, chosen: NDArray[np.int64] | slice, block: int) -> NDArray[np.int64]:
    """int64 (run, 2): the runs of rows that the chosen samples are made of, by blocks of so many rows."""
    first = samples.windows.init[chosen] + samples.windows.spec.past[0]
    return runs(first, span(samples), block=block)


def chunk(samples: Samples) -> int:
    """Rows of a stored chunk."""
    return max(chunk_rows(array) for array in samples.rows)


def size(samples: Samples) -> int:
    """Bytes that the rows of all samples take in memory in addition to what is there already."""
    if _resident(samples):
        return 0
    bounds = needed(samples, slice(None), chunk(samples))
    return int((bounds[:, 1] - bounds[:, 0]).sum()) * row_bytes(samples.rows)


def hold(samples: Samples) -> Block:
    """The rows of all samples in memory: as they lie where they do already, else read."""
    if _resident(samples):
        return Block.over([np.asarray(array) for array in samples.rows])
    return Block.read(
        samples.rows, needed(samples, slice(None), chunk(samples)), samples.windows.spec.sampling
    )


def _resident(samples: Samples) -> bool:
    in_memory = all(isinstance(array, np.ndarray) for array in samples.rows)
    return in_memory and samples.windows.spec.sampling == 1

"""What a set of labelled records is: flat arrays of measurements, the parameters they are of, and what was left out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.types import Spec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.forecasts.base import Kind
    from pipeline.sources.base import Fetched

FILES_TOLD = 100
"""Of more files than so many, their folders are told."""


class Parameter(Spec):
    """Something that is measured, in its own units.

    Parameters
    ----------
    name
        As the source has it.
    low, high
        What lies outside cannot be: such a value is kept in the store as it was published, and is missing to readers.
    logarithmic
        Whether models see its logarithm (of one more, so that zero is one).
    total
        Whether measurements of one step add up, as volumes do; they are averaged otherwise.
    static
        Whether it describes the whole record, and is no series.
    categories
        Of a static parameter that counts nothing, the values that it may have.
    """

    name: str
    long_name: str
    units: str
    low: float
    high: float
    logarithmic: bool = False
    total: bool = False
    static: bool = False
    categories: tuple[int, ...] = ()


class Exclusion(Spec):
    """A record, an outcome, a picture that was left out, and why: `file` and `line` say where its cause is.

    `line` is 0 where the file has none.
    """

    record: str
    check: str
    file: str
    line: int = 0
    message: str

    @property
    def told(self) -> str:
        """Where and why."""
        where = f"{self.file} line {self.line}" if self.line else self.file
        return f"{where or self.record}: {self.message}"


class SourceFile(Spec):
    """A file that records or movies came from."""

    url: str
    sha256: str


def sources_of(files: Sequence[Fetched]) -> tuple[tuple[SourceFile, ...], list[int]]:
    """What is told of the files that records came from, and which of it each of them belongs to.

    Of many files that is each folder, with the hash of the names and hashes of its files.
    """
    if len(files) <= FILES_TOLD:
        told = tuple(SourceFile(url=each.granule.url, sha256=each.sha256) for each in files)
        return told, list(range(len(files)))
    folders: dict[str, list[Fetched]] = {}
    for each in files:
        folders.setdefault(each.granule.url.rpartition("/")[0], []).append(each)
    place = {folder: at for at, folder in enumerate(folders)}
    found = tuple(SourceFile(url=folder, sha256=_digest(held)) for folder, held in folders.items())
    return found, [place[each.granule.url.rpartition("/")[0]] for each in files]


def _digest(files: Sequence[Fetched]) -> str:
    lines = sorted(f"{each.granule.name} {each.sha256}" for each in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Records:
    """Labels, and measurements one after another.

    Parameters
    ----------
    ids
        Of each record, in the order of the source.
    labels
        int8 (record,): 1 where it happened, else 0.
    offset
        int64 (record + 1,): the measurements of record `i` are those from `offset[i]` to before `offset[i + 1]`.
    parameter
        int16 (measurement,): place in `parameters`.
    time
        int32 (measurement,): minutes since admission, ascending within a record.
    value
        float32 (measurement,), in the parameter's units.
    """

    ids: tuple[str, ...]
    labels: NDArray[np.int8]
    offset: NDArray[np.int64]
    parameter: NDArray[np.int16]
    time: NDArray[np.int32]
    value: NDArray[np.float32]
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class RecordTable(Records):
    """Decoded records, as published: values that cannot be are among them.

    Parameters
    ----------
    files
        Name of each record's file within its archive.
    source
        int16 (record,): the place of its archive in `sources`.
    """

    files: tuple[str, ...]
    source: NDArray[np.int16]
    sources: tuple[SourceFile, ...]
    exclusions: tuple[Exclusion, ...] = ()

    @property
    def implausible(self) -> NDArray[np.bool_]:
        """bool (measurement,): the values that cannot be, those that stand for an unknown among them."""
        low, high = (np.array([getattr(each, end) for each in self.parameters]) for end in ("low", "high"))
        return np.asarray((self.value < low[self.parameter]) | (self.value > high[self.parameter]))

    @property
    def repeated(self) -> int:
        """Measurements of a parameter at a time at which the record has one already."""
        record = np.repeat(np.arange(len(self.ids)), np.diff(self.offset))
        keys = np.stack([record, self.time, self.parameter], axis=1)
        return len(keys) - len(np.unique(keys, axis=0))


@dataclass(frozen=True, slots=True)
class RecordSet(Records):
    """The records of an experiment, as rungs and models see them: what cannot be is left out."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def kind(self) -> Kind:
        """Records."""
        return "records"

    @property
    def inputs(self) -> list[str]:
        """What models are given: the parameters' names."""
        return [each.name for each in self.parameters]

    @property
    def told(self) -> dict[str, Any]:
        """What is known of the set, beside its identifiers and `arrays`."""
        return {"parameters": [each.model_dump(mode="json") for each in self.parameters]}

    @property
    def arrays(self) -> tuple[NDArray[Any], ...]:
        """All that is measured."""
        return self.labels, self.offset, self.parameter, self.time, self.value

    @property
    def series(self) -> tuple[int, ...]:
        """Places of the parameters that are measured over time."""
        return tuple(at for at, each in enumerate(self.parameters) if not each.static)

    @property
    def statics(self) -> tuple[int, ...]:
        """Places of the parameters that describe the whole record."""
        return tuple(at for at, each in enumerate(self.parameters) if each.static)

    @classmethod
    def of(cls, table: RecordTable) -> RecordSet:
        """Those of a table, less the values that cannot be."""
        kept = ~table.implausible
        ends = np.concatenate([[0], np.cumsum(kept)])
        return cls(
            ids=table.ids,
            labels=table.labels,
            offset=ends[table.offset],
            parameter=table.parameter[kept],
            time=table.time[kept],
            value=table.value[kept],
            parameters=table.parameters,
        )

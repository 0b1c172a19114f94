"""Which records are for training, validation and test, and which make a fold: dealt by a hash, class by class."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import ConfigError
from pipeline.records.texts import TextSet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.records.base import RecordSet
    from pipeline.records.steps import StepSpec
    from pipeline.records.words import WordSpec
    from pipeline.splits import Fractions, SplitName

    Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some of the records of a set, by their places, ascending."""

    records: Index

    def __len__(self) -> int:
        return len(self.records)


@dataclass(frozen=True)
class RecordPartition:
    """The records of each split: within each class as many as `given` says, rounded, test the rest.

    Where test is what was published for it, the parts are of the others. A record's place in the order of dealing is a
    hash of its identifier and the seed: it does not depend on the order of the files.
    """

    record: RecordSet | TextSet
    given: Fractions
    spec: StepSpec | WordSpec

    @property
    def splits(self) -> Fractions:
        """As they were given."""
        return self.given

    def windows(self, name: SplitName) -> Chosen:
        """The records of one split.

        Raises
        ------
        ConfigError
            It would not hold both classes.
        """
        chosen = self._dealt[name]
        if len(np.unique(self.record.labels[chosen])) < 2:
            raise ConfigError(
                f"of {len(self.record)} records {len(chosen)} are for {name}, which are not of both classes",
                remedy="ingest more records, or give the split a larger part",
                split=name,
            )
        return Chosen(chosen)

    @cached_property
    def _dealt(self) -> dict[str, Index]:
        parts: dict[str, list[Index]] = {"train": [], "validation": [], "test": []}
        published = self.given.test == "published"
        held_out = self._published if published else np.zeros(len(self.record), bool)
        if published:
            parts["test"].append(np.flatnonzero(held_out))
        for each in dealt(self.record, self.spec.split_seed):
            members = each[~held_out[each]]
            cuts = np.round(np.cumsum([self.given.train, self.given.validation]) * len(members)).astype(int)
            for part, some in zip(parts.values(), np.split(members, cuts), strict=True):
                part.append(some)
        return {name: np.sort(np.concatenate(part)) for name, part in parts.items()}

    @property
    def _published(self) -> NDArray[np.bool_]:
        if isinstance(self.record, TextSet) and self.record.published.any():
            return self.record.published > 0
        raise ConfigError(
            "none of the records was published for test",
            remedy="ingest those that are, or give test as a part",
            split="test",
        )


def dealt(records: RecordSet | TextSet, seed: int) -> list[Index]:
    """The places of the records of each class, in the order in which they are dealt."""
    rank = np.argsort(
        [hashlib.sha256(f"{seed}:{each}".encode()).hexdigest() for each in records.ids], kind="stable"
    )
    return [rank[records.labels[rank] == label] for label in (0, 1)]


def folds(records: RecordSet | TextSet, count: int, seed: int) -> list[Chosen]:
    """The records in `count` parts of as nearly as can be the same number of each class.

    Raises
    ------
    ConfigError
        There are fewer than `count` records of a class.
    """
    classes = dealt(records, seed)
    least = min(map(len, classes))
    if least < count:
        raise ConfigError(
            f"{count} folds need as many records of each class, and one class has {least}",
            remedy="ask for fewer folds, or ingest more records",
        )
    return [
        Chosen(np.sort(np.concatenate([members[fold::count] for members in classes])))
        for fold in range(count)
    ]

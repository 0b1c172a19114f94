"""What decides a model: the part of an experiment that training reads. Nothing here loads Keras."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from models.specs import EncodingSpec
from pipeline.movies.partition import MoviePartition
from pipeline.partition import Partition
from pipeline.records.partition import RecordPartition
from pipeline.splits import Splits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from models.specs import TrainingSpec
    from pipeline.climatology import ClimatologySpec
    from pipeline.forecasts.base import AnyRecord
    from pipeline.movies.base import MovieSet
    from pipeline.movies.windows import MovieSpec
    from pipeline.records.base import RecordSet
    from pipeline.records.steps import StepSpec
    from pipeline.records.texts import TextSet
    from pipeline.records.words import WordSpec
    from pipeline.splits import AnySplits
    from pipeline.store.readings import CollectionReading, Reading
    from pipeline.types import Spec
    from pipeline.windows import WindowSpec

    Collection = RecordSet | TextSet | MovieSet

PARTITIONS: dict[str, Any] = {
    "records": RecordPartition,
    "texts": RecordPartition,
    "movies": MoviePartition,
}
"""Of collections, which have no calendar."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides what a model becomes, beside the data."""

    experiment: str
    region: str
    name: str
    """As the experiment calls the model."""
    model: str
    config: Spec
    training: TrainingSpec
    splits: AnySplits
    windows: WindowSpec | StepSpec | WordSpec | MovieSpec
    """Of records, the steps that they are cut into, and of texts the words."""
    climatology: ClimatologySpec
    encoding: EncodingSpec = field(default_factory=EncodingSpec)
    """Of a station."""

    def parted(self, record: AnyRecord | Collection) -> Partition | RecordPartition | MoviePartition:
        """The record's windows, split by split; of records those themselves."""
        return PARTITIONS.get(record.kind, Partition)(record, self.splits, self.windows)

    def key(self, record: AnyRecord | Collection) -> str:
        """The model's id: it changes with the recipe and with the values that the model is trained on."""
        if record.kind in PARTITIONS:
            return self._key_of_collection(record)
        splits = self.parted(record).splits
        used = record.time.astype("datetime64[D]") <= np.datetime64(splits.validation.end)
        told = {
            "name": self.name,
            "model": self.model,
            "target": record.quantity.name,
            "protocol": record.protocol,
            "config": self.config.model_dump(mode="json"),
            "training": self.training.model_dump(mode="json", exclude={"stacking", "seeds"}),
            "splits": splits.model_dump(mode="json", exclude={"test"}),
            "windows": self.windows.model_dump(mode="json"),
            "climatology": self.climatology.model_dump(mode="json"),
        }
        if record.kind == "series":
            told["encoding"] = self.encoding.model_dump(mode="json")
        if self.training.stacking is not None:
            told["stacking"] = self.training.stacking.model_dump(mode="json")
        if self.training.seeds > 1:
            told["seeds"] = self.training.seeds
        digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
        for part in (record.latitude, record.longitude, record.values[used]):
            digest.update(np.ascontiguousarray(part).tobytes())
        return f"{self.name}-{digest.hexdigest()[:12]}"

    def _key_of_collection(self, record: Collection) -> str:
        told = {
            "name": self.name,
            "model": self.model,
            "config": self.config.model_dump(mode="json"),
            "training": self.training.model_dump(mode="json", exclude={"stacking"}),
            "splits": self.splits.model_dump(mode="json"),
            "steps": self.windows.model_dump(mode="json"),
            "ids": record.ids,
            **record.told,
        }
        digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
        for part in record.arrays:
            digest.update(np.ascontiguousarray(part).tobytes())
        return f"{self.name}-{digest.hexdigest()[:12]}"


def inputs_sha256(record: AnyRecord | Collection) -> str:
    """What a record is of, and so what a model trained on it can be given: quantities, protocol and cells.

    Records are of parameters, and movies of pictures of a size.
    """
    if record.kind in PARTITIONS:
        return hashlib.sha256(json.dumps([record.kind, *record.inputs]).encode()).hexdigest()
    quantities = [each.name for each in getattr(record, "variables", (record.quantity,))]
    told = [record.kind, record.quantity.name, record.protocol, quantities]
    digest = hashlib.sha256(json.dumps(told).encode())
    for cells in (record.latitude, record.longitude):
        digest.update(np.ascontiguousarray(cells).tobytes())
    return digest.hexdigest()


def said(recipes: Iterable[Recipe], reading: Reading | CollectionReading) -> str:
    """Hash of what an experiment says of its models, of their training and of what they are given, the data apart.

    Dates of test are left out: no model depends on them.
    """
    told: list[Any] = [reading.model_dump(mode="json", exclude={"path", "final_only"})]
    for recipe in recipes:
        splits = recipe.splits.model_dump(mode="json")
        if isinstance(recipe.splits, Splits):
            del splits["test"]
        specs = (recipe.config, recipe.training, recipe.windows, recipe.climatology, recipe.encoding)
        told.append([recipe.name, recipe.model, splits, *(spec.model_dump(mode="json") for spec in specs)])
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

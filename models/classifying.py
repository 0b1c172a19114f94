"""Probabilities of records by trained models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.trained import BATCH, TrainedModel

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import keras
    from numpy.typing import NDArray

    from models.record_encoder import RecordEncoder
    from models.text_encoder import TextEncoder
    from pipeline.records.base import RecordSet
    from pipeline.records.partition import Chosen
    from pipeline.records.texts import TextSet


def classify(
    folders: Iterable[Path], record: RecordSet | TextSet, *chosen: Chosen
) -> list[dict[str, NDArray[np.float64]]]:
    """Of each choice of records, by name of each trained model, float64 (record,): their probabilities.

    Raises
    ------
    NotFoundError
        There is no model in one of the folders.
    NotFittedError
        A model was fitted on other parameters.
    """
    found: list[dict[str, NDArray[np.float64]]] = [{} for _ in chosen]
    for folder in folders:
        trained = TrainedModel.load(folder)
        for some, by_name in zip(chosen, found, strict=True):
            by_name[trained.name] = probabilities(trained.model, trained.encoder, record, some)
    return found


def probabilities(
    model: keras.Model,
    encoder: RecordEncoder | TextEncoder,
    record: RecordSet | TextSet,
    chosen: Chosen,
) -> NDArray[np.float64]:
    """float64 (record,): those of the chosen records, by a model and its encoder."""
    samples = encoder.samples(record, chosen)
    found = np.empty(len(chosen))
    for ((_, some),) in samples.buckets.batches(np.arange(len(chosen)), BATCH):
        *inputs, _ = samples.batch(some)
        odds = model.predict_on_batch(dict(zip(samples.signature[0], inputs, strict=True)))
        found[some] = encoder.probability(np.asarray(odds))
    return found

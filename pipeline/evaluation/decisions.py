"""What follows where probabilities of at least one half are taken for yes: accuracy, precision, recall and F1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.evaluation.bootstrap import percentile_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Variables = dict[str, tuple[tuple[str, ...], NDArray[np.generic], dict[str, str]]]

HALF = 0.5
LONG_NAMES = {
    "accuracy": "share of the records that are called right",
    "precision": "share of those called positive that are",
    "recall": "share of the positive that are called so",
    "f1": "harmonic mean of precision and recall",
}


def decisions(label: NDArray[np.integer], probability: Array) -> dict[str, Array]:
    """Each of LONG_NAMES (…) of labels and probabilities, both (…, record).

    NaN where there is nothing to count, or where a probability is NaN.
    """
    positive, called = label > 0, probability >= HALF
    hits = (positive & called).sum(axis=-1).astype(np.float64)
    found, asked = called.sum(axis=-1), positive.sum(axis=-1)
    measures = {
        "accuracy": np.asarray((positive == called).mean(axis=-1)),
        "precision": _share(hits, found),
        "recall": _share(hits, asked),
        "f1": _share(2 * hits, found + asked),
    }
    known = np.isfinite(probability).all(axis=-1)
    return {name: np.asarray(np.where(known, each, np.nan)) for name, each in measures.items()}


def decision_variables(
    label: NDArray[np.integer],
    given: Mapping[str, Array],
    drawn: NDArray[np.int64],
    confidence: float,
    published: Mapping[str, Mapping[str, float]],
) -> Variables:
    """Variables of the scores: each measure (forecaster), `…_interval` (forecaster, bound), and `…_published`.

    Parameters
    ----------
    given
        Probabilities (record,) by forecaster.
    drawn
        int64 (resample, record).
    published
        What others have published, by measure and forecaster; there is no `…_published` of a measure without.
    """
    found: Variables = {}
    exact = [decisions(label, each) for each in given.values()]
    again = [decisions(label[drawn], each[drawn]) for each in given.values()]
    for name, long_name in LONG_NAMES.items():
        told = {"long_name": f"{long_name}, by probabilities of at least one half", "units": "1"}
        found[name] = (("forecaster",), np.array([each[name] for each in exact]), told)
        bounds = percentile_interval(np.stack([each[name] for each in again], axis=1), confidence)
        found[f"{name}_interval"] = (("forecaster", "bound"), bounds, told)
        if name in published:
            values = np.array([published[name].get(each, np.nan) for each in given])
            found[f"{name}_published"] = (
                ("forecaster",),
                values,
                told | {"comment": "as published by others"},
            )
    return found


def training_variables(
    label: NDArray[np.integer], given: Mapping[str, Array], names: Sequence[str]
) -> dict[str, Any]:
    """Probabilities and labels of the training records, which show how much a forecaster has learned by heart."""
    rows = np.stack([given[name] for name in names])
    return {
        "train_probability": (
            ("forecaster", "train_record"),
            rows.astype(np.float32),
            {"long_name": "probability of the label of a training record"},
        ),
        "train_label": (("train_record",), label, {"long_name": "label of a training record"}),
        "train_accuracy": (
            ("forecaster",),
            decisions(label, rows)["accuracy"],
            {"long_name": "share of the training records that are called right", "units": "1"},
        ),
    }


def _share(part: Array, whole: NDArray[np.integer]) -> Array:
    return np.asarray(np.where(whole > 0, part / np.maximum(whole, 1), np.nan))

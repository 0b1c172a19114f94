"""How good probabilities of what did or did not happen are: discrimination, calibration, and intervals over records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from scipy.stats import rankdata

from pipeline.evaluation.bootstrap import percentile_interval
from pipeline.evaluation.decisions import decision_variables, training_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.evaluation.specs import EvaluationSpec

    Array = NDArray[np.float64]

BINS = 10
BOUNDS = ("low", "high")
_ATTEMPTS = 100


def auc(label: NDArray[np.integer], probability: Array) -> Array:
    """Area under the ROC curve, of labels (record,) and probabilities (…, record): (…).

    It is the share of the pairs of one record with and one without the label in which the first has the higher
    probability; equal ones count half (Mann and Whitney 1947). NaN where only one of the labels is there.
    """
    with_it = label > 0
    many, others = int(with_it.sum()), int((~with_it).sum())
    if not many or not others:
        return np.full(probability.shape[:-1], np.nan)
    ranks = rankdata(probability, axis=-1)
    return np.asarray((ranks[..., with_it].sum(axis=-1) - many * (many + 1) / 2) / (many * others))


def average_precision(label: NDArray[np.integer], probability: Array) -> Array:
    """Mean of the precision at each threshold by the recall that it adds, of (record,) and (…, record): (…)."""
    flat = probability.reshape(-1, probability.shape[-1])
    return np.array([_average_precision(label, each) for each in flat]).reshape(probability.shape[:-1])


def brier(label: NDArray[np.integer], probability: Array) -> Array:
    """Mean square of probability less label (Brier 1950), of (record,) and (…, record): (…)."""
    return np.asarray(((probability - label) ** 2).mean(axis=-1))


MEASURES: dict[str, Callable[[NDArray[np.integer], Array], Array]] = {
    "auc": auc,
    "average_precision": average_precision,
    "brier": brier,
}
LONG_NAMES = {
    "auc": "area under the ROC curve",
    "average_precision": "average precision",
    "brier": "Brier score",
}


def roc(label: NDArray[np.integer], probability: Array) -> tuple[Array, Array]:
    """False and true positive rates (threshold,) from no record to all, of labels and probabilities (record,)."""
    hits, alarms = _counts(label, probability)
    return np.concatenate([[0], alarms / alarms[-1]]), np.concatenate([[0], hits / hits[-1]])


def reliability(
    label: NDArray[np.integer], probability: Array, bins: int = BINS
) -> tuple[Array, Array, NDArray[np.int64]]:
    """Mean probability, share with the label and number of records (bin,), in bins of as equal a size as can be."""
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return (
        np.array([probability[part].mean() for part in parts]),
        np.array([label[part].mean() for part in parts]),
        np.array([len(part) for part in parts]),
    )


def resampled(label: NDArray[np.integer], spec: EvaluationSpec) -> NDArray[np.int64]:
    """int64 (resample, record): records drawn with replacement, both labels among them."""
    rng = np.random.default_rng(spec.seed)
    drawn = rng.integers(0, len(label), size=(spec.resamples, len(label)))
    for _ in range(_ATTEMPTS):
        single = np.flatnonzero(np.ptp(label[drawn], axis=1) == 0)
        if not len(single):
            break
        drawn[single] = rng.integers(0, len(label), size=(len(single), len(label)))
    return np.asarray(drawn)


def classification_scores(
    probability: Mapping[str, Array],
    label: NDArray[np.int8],
    ids: Sequence[str],
    spec: EvaluationSpec,
    *,
    model: str,
    ladder: Sequence[str],
    provenance: Mapping[str, str],
    training: tuple[NDArray[np.int8], Mapping[str, Array]] | None = None,
    published: Mapping[str, Mapping[str, float]] | None = None,
) -> xr.Dataset:
    """The measures of each forecaster on the same records, with percentile intervals of a bootstrap over records.

    Parameters
    ----------
    probability
        (record,) by forecaster: the model, further ones, and the ladder.
    label
        int8 (record,).
    training
        Labels of the training records, and probabilities of theirs by forecaster.
    published
        What others have published, by measure and forecaster.

    Returns
    -------
    Dataset
        `probability` (forecaster, record), `label` (record); `auc`, `average_precision` and `brier` (forecaster) with
        `…_interval` (forecaster, bound); `auc_difference` (reference), the model's less that of each rung, with its
        paired interval; the reliability curve as `calibration_forecast`, `calibration_observed` and
        `calibration_count` (forecaster, bin); what `decision_variables` and `training_variables` give.
    """
    names = list(probability)
    given = np.stack([probability[name] for name in names])
    drawn = resampled(label, spec)
    found: dict[str, tuple[tuple[str, ...], NDArray[np.generic], dict[str, str]]] = {
        "probability": (("forecaster", "record"), given, {"long_name": "probability of the label"}),
        "label": (("record",), label, {"long_name": "whether it happened"}),
    }
    for name, measure in MEASURES.items():
        again = np.stack([measure(label[some], given[:, some]) for some in drawn])
        told = {"long_name": LONG_NAMES[name], "units": "1"}
        found[name] = (("forecaster",), measure(label, given), told)
        interval = percentile_interval(again, spec.confidence)
        found[f"{name}_interval"] = (("forecaster", "bound"), interval, told)
        if name == "auc":
            less = again[:, [names.index(model)]] - again[:, [names.index(rung) for rung in ladder]]
            told = {"long_name": "area under the ROC curve, the model's less the rung's", "units": "1"}
            value = found[name][1]
            apart = value[names.index(model)] - value[[names.index(rung) for rung in ladder]]
            found["auc_difference"] = (("reference",), apart, told)
            bounds = percentile_interval(less, spec.confidence)
            found["auc_difference_interval"] = (("reference", "bound"), bounds, told)
    found |= decision_variables(
        label, dict(zip(names, given, strict=True)), drawn, spec.confidence, published or {}
    )
    if training is not None:
        found |= training_variables(*training, names)
    curves = [reliability(label, each) for each in given]
    for place, name in enumerate(("forecast", "observed", "count")):
        told = {"long_name": f"reliability curve: {name}"}
        rows = np.stack([curve[place] for curve in curves])
        found[f"calibration_{name}"] = (("forecaster", "bin"), rows, told)
    return xr.Dataset(
        found,
        coords={
            "forecaster": np.array(names, dtype=object),
            "record": np.array(ids, dtype=object),
            "reference": np.array(ladder, dtype=object),
            "bound": np.array(BOUNDS, dtype=object),
        },
        attrs={"model": model, "confidence": spec.confidence, "resamples": spec.resamples, **provenance},
    )


def _average_precision(label: NDArray[np.integer], probability: Array) -> float:
    if np.isnan(probability).any() or not (label > 0).any():
        return float("nan")
    hits, alarms = _counts(label, probability)
    gained = np.diff(hits, prepend=0) / hits[-1]
    return float((gained * hits / (hits + alarms)).sum())


def _counts(label: NDArray[np.integer], probability: Array) -> tuple[Array, Array]:
    """Records with and without the label at or above each threshold (threshold,), the highest first."""
    order = np.argsort(-probability, kind="stable")
    last = np.flatnonzero(np.diff(probability[order], append=-np.inf))
    hits = np.cumsum(label[order] > 0)[last].astype(np.float64)
    return hits, last + 1 - hits

"""Accuracy, precision, recall and F1 beside a count by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation.classification import auc, average_precision, classification_scores, resampled
from pipeline.evaluation.decisions import LONG_NAMES, decision_variables, decisions
from pipeline.evaluation.specs import EvaluationSpec

pairs = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.2, 0.5, 0.7, 1.0])), min_size=1, max_size=30
)


@given(pairs)
def test_each_measure_is_its_count(given_: list[tuple[int, float]]) -> None:
    label, probability = np.array([one for one, _ in given_]), np.array([other for _, other in given_])
    hits = sum(one == 1 and other >= 0.5 for one, other in given_)
    called, positive = sum(other >= 0.5 for _, other in given_), sum(one for one, _ in given_)
    found = {name: float(each) for name, each in decisions(label, probability).items()}
    assert found["accuracy"] == pytest.approx(np.mean([one == (other >= 0.5) for one, other in given_]))
    assert found["precision"] == pytest.approx(hits / called if called else np.nan, nan_ok=True)
    assert found["recall"] == pytest.approx(hits / positive if positive else np.nan, nan_ok=True)
    both = found["precision"] + found["recall"]
    if np.isfinite(both) and both > 0:
        assert found["f1"] == pytest.approx(2 * found["precision"] * found["recall"] / both)


@given(pairs)
def test_where_a_probability_is_not_known_nothing_is_told(given_: list[tuple[int, float]]) -> None:
    label, probability = np.array([one for one, _ in given_]), np.array([other for _, other in given_])
    probability[-1] = np.nan
    assert np.isnan(list(decisions(label, probability).values())).all()
    assert np.isnan(average_precision(label, probability))
    assert np.isnan(auc(label, probability))


def test_many_are_counted_at_once() -> None:
    rng = np.random.default_rng(0)
    label, probability = rng.integers(0, 2, (4, 20)), rng.random((4, 20))
    together = decisions(label, probability)
    for name in LONG_NAMES:
        alone = [float(decisions(*each)[name]) for each in zip(label, probability, strict=True)]
        np.testing.assert_allclose(together[name], alone)


def test_the_scores_hold_them_with_intervals_and_what_was_published() -> None:
    rng = np.random.default_rng(1)
    label = (np.arange(80) % 2).astype(np.int8)
    given_ = {"model": np.clip(label * 0.4 + rng.random(80) * 0.6, 0, 1), "prevalence": np.full(80, 0.5)}
    learned = (
        np.array([0, 1, 1], np.int8),
        {"model": np.array([0.1, 0.9, 0.2]), "prevalence": np.full(3, 0.5)},
    )
    scores = classification_scores(
        given_,
        label,
        [str(at) for at in range(80)],
        EvaluationSpec(resamples=40),
        model="model",
        ladder=["prevalence"],
        provenance={},
        training=learned,
        published={"accuracy": {"model": 0.64}},
    )
    assert float(scores.accuracy.sel(forecaster="prevalence")) == 0.5
    assert float(scores.recall.sel(forecaster="prevalence")) == 1.0
    assert scores.accuracy_published.values.tolist()[0] == 0.64
    assert np.isnan(scores.accuracy_published.values[1])
    assert "recall_published" not in scores
    np.testing.assert_allclose(scores.train_accuracy.values, [2 / 3, 2 / 3])
    assert scores.train_probability.dims == ("forecaster", "train_record")
    for name in LONG_NAMES:
        low, high = scores[f"{name}_interval"].sel(forecaster="model").values
        assert low <= float(scores[name].sel(forecaster="model")) <= high


def test_an_interval_is_that_of_the_resamples() -> None:
    rng = np.random.default_rng(2)
    label, probability = rng.integers(0, 2, 60), rng.random(60)
    spec = EvaluationSpec(resamples=50, confidence=0.8)
    drawn = resampled(label, spec)
    found = decision_variables(label, {"one": probability}, drawn, spec.confidence, {})
    again = [np.mean((probability[some] >= 0.5) == (label[some] > 0)) for some in drawn]
    np.testing.assert_allclose(found["accuracy_interval"][1][0], np.quantile(again, [0.1, 0.9]))

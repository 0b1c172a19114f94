"""Measures of probabilities, beside independent ones."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu
from scores.probability import brier_score, roc_curve_data

from pipeline.errors import StoreError
from pipeline.evaluation.classification import auc, average_precision, brier, reliability, resampled, roc
from pipeline.evaluation.records import RecordsVerdict
from pipeline.evaluation.specs import EvaluationSpec
from tests.records_reporting import make_scores


@st.composite
def judged(draw):
    """Labels of both kinds, and probabilities with ties."""
    count = draw(st.integers(2, 40))
    label = np.array(draw(st.lists(st.integers(0, 1), min_size=count, max_size=count)))
    label[:2] = 0, 1
    given_ = draw(st.lists(st.integers(0, 12), min_size=count, max_size=count))
    return label.astype(np.int8), np.array(given_) / 12


@given(judged())
def test_the_auc_is_that_of_pairs_of_ranks_and_of_the_curve(case):
    label, probability = case
    above = probability[label == 1][:, None] - probability[label == 0]
    pairs = ((above > 0) + 0.5 * (above == 0)).mean()
    got = auc(label, probability)
    np.testing.assert_allclose(got, pairs)
    statistic = mannwhitneyu(probability[label == 1], probability[label == 0], method="asymptotic").statistic
    np.testing.assert_allclose(got, statistic / above.size)
    false_rate, true_rate = roc(label, probability)
    np.testing.assert_allclose(got, np.trapezoid(true_rate, false_rate))
    thresholds = np.concatenate([[0], np.unique(probability), [1.5]])
    arrays = (xr.DataArray(each.astype(float), dims="record") for each in (probability, label))
    curve = roc_curve_data(*arrays, thresholds, check_args=False)
    np.testing.assert_allclose(got, float(curve.AUC))


@given(judged())
def test_average_precision_is_the_sum_over_thresholds(case):
    label, probability = case
    total, found = 0.0, 0
    for threshold in sorted(set(probability), reverse=True):
        called = probability >= threshold
        hits = int(label[called].sum())
        total += (hits - found) / label.sum() * hits / called.sum()
        found = hits
    np.testing.assert_allclose(average_precision(label, probability), total)
    both = np.stack([probability, 1 - probability])
    np.testing.assert_allclose(average_precision(label, both)[0], total)


@given(judged())
def test_the_brier_score_is_that_of_scores(case):
    label, probability = case
    arrays = (xr.DataArray(each.astype(float), dims="record") for each in (probability, label))
    np.testing.assert_allclose(brier(label, probability), float(brier_score(*arrays)))


@given(judged(), st.integers(1, 12))
def test_groups_of_the_reliability_curve_are_of_all_records(case, bins):
    label, probability = case
    forecast, observed, count = reliability(label, probability, bins)
    assert count.sum() == len(label)
    assert count.max() - count.min() <= 1
    assert np.all(np.diff(forecast) >= 0)
    np.testing.assert_allclose(count @ observed, label.sum())
    np.testing.assert_allclose(count @ forecast, probability.sum())


def test_an_order_that_is_kept_keeps_the_auc():
    label, probability = np.array([0, 1, 0, 1, 1]), np.array([0.1, 0.4, 0.4, 0.3, 0.9])
    assert auc(label, probability) == auc(label, probability**3)
    assert np.isnan(auc(np.zeros(3), np.ones(3)))


def test_resamples_have_both_labels_and_hang_on_the_seed():
    label = np.array([1] + [0] * 19)
    drawn = resampled(label, EvaluationSpec(resamples=200))
    assert np.ptp(label[drawn], axis=1).all()
    np.testing.assert_array_equal(drawn, resampled(label, EvaluationSpec(resamples=200)))
    assert not np.array_equal(drawn, resampled(label, EvaluationSpec(resamples=200, seed=1)))


@pytest.mark.parametrize(("skill", "outcome"), [(3.0, "beats"), (-1.0, "does not beat")])
def test_the_verdict_is_that_of_the_interval(skill, outcome):
    scores = make_scores(skill=skill)
    verdict = RecordsVerdict.of(scores)
    assert outcome in verdict.sentence
    assert verdict.promoted == (verdict.difference_interval[0] > 0) == (outcome == "beats")
    best = max(("logistic-last", "logistic"), key=lambda one: float(scores.auc.sel(forecaster=one)))
    assert verdict.best_rung == best
    assert verdict.difference == pytest.approx(verdict.auc - verdict.best_auc)
    low, high = verdict.auc_interval
    assert low < verdict.auc < high


def test_a_model_without_probabilities_is_refused_by_the_verdict():
    scores = make_scores()
    scores["auc"] = scores.auc.where(scores.forecaster != scores.attrs["model"])
    with pytest.raises(
        StoreError, match=f"the AUC is undefined of {scores.attrs['model']}: a probability is NaN"
    ):
        RecordsVerdict.of(scores)


def test_a_verdict_needs_a_ladder():
    with pytest.raises(StoreError, match="no ladder"):
        RecordsVerdict.of(make_scores().isel(reference=[]))

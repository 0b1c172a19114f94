"""When a model is promoted, and what the verdict says."""

import numpy as np
import pytest

from pipeline.errors import StoreError
from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.specs import EvaluationSpec
from pipeline.evaluation.verdict import Verdict
from pipeline.naming import reach

SPEC = EvaluationSpec(resamples=100, block_length=10)


def judge(data, forecasts=None, spec=SPEC):
    scores = evaluate(
        forecasts or data.forecasts,
        data.truth,
        data.climatology,
        data.ocean,
        spec,
        model="net",
        provenance={"region": "tasman"},
    )
    return Verdict.of(scores)


def test_a_better_model_is_promoted(windows):
    data = windows(length=120)
    verdict = judge(data)
    assert verdict.promoted
    assert verdict.best_rung == "damped"
    assert (verdict.region, verdict.model, verdict.confidence) == ("tasman", "net", 0.95)
    assert verdict.rmse_pooled < verdict.best_rmse_pooled
    assert verdict.skill_pooled == pytest.approx(1 - verdict.rmse_pooled / verdict.best_rmse_pooled)
    assert [lead.lead_days for lead in verdict.leads] == [1, 2, 3]
    assert all(lead.better for lead in verdict.leads)
    assert "net beats the best baseline in tasman, damped" in verdict.sentence
    assert "3 of 3 leads" in verdict.sentence


def test_a_worse_model_and_its_equal_are_not(windows):
    data = windows(length=120)
    worse = {"net": data.forecasts["persistence"], "damped": data.forecasts["damped"]}
    verdict = judge(data, worse)
    assert not verdict.promoted
    assert "does not beat" in verdict.sentence
    assert "not promoted" in verdict.sentence
    equal = {"net": data.forecasts["damped"], "damped": data.forecasts["damped"]}
    verdict = judge(data, equal)
    assert not verdict.promoted
    assert verdict.difference_interval == (0, 0)


def test_there_is_no_skill_beside_a_baseline_without_error(windows):
    data = windows(length=120)
    verdict = judge(data, {"net": data.forecasts["damped"], "exact": data.truth.copy()})
    assert (verdict.best_rung, verdict.best_rmse_pooled) == ("exact", 0)
    assert (verdict.skill_pooled, verdict.skill_interval, verdict.promoted) == (None, None, False)
    assert ", no skill beside a baseline without error. It is not promoted." in verdict.sentence
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


def test_ahead_without_certainty_is_not_promoted(windows):
    data = windows(length=120)
    rng = np.random.default_rng(0)
    calm, rough = data.truth + 1.0, data.truth + 1.0
    calm = calm + 0.05 * rng.normal(size=(120, 1, 1, 1))
    rough = rough + 0.05 * rng.normal(size=(120, 1, 1, 1))
    forecasts = {"net": calm, "damped": rough}
    first = judge(data, forecasts)
    verdict = first if first.difference_pooled < 0 else judge(data, {"net": rough, "damped": calm})
    assert verdict.difference_pooled < 0
    assert not verdict.promoted
    assert "cannot be told from" in verdict.sentence


def test_the_best_rung_may_differ_by_lead(windows):
    data = windows(length=120)
    early = data.truth + np.array([0.1, 2.0, 2.0])[:, None, None]
    late = data.truth + np.array([1.0, 1.0, 1.0])[:, None, None]
    verdict = judge(data, {"net": data.forecasts["net"], "early": early, "late": late})
    assert verdict.best_rung == "late"
    assert [lead.best_rung for lead in verdict.leads] == ["early", "late", "late"]
    assert not verdict.leads[0].better


def test_too_few_windows_promote_nobody(windows):
    verdict = judge(windows(length=15))
    assert verdict.difference_interval is None
    assert not verdict.promoted
    assert "too few windows" in verdict.sentence


def test_gaps_and_a_missing_ladder_are_errors(windows):
    data = windows()
    hole = data.forecasts["damped"].where(data.truth.init_time != data.truth.init_time[4])
    with pytest.raises(StoreError, match="undefined of damped"):
        judge(data, {**data.forecasts, "damped": hole})
    with pytest.raises(StoreError, match="no ladder"):
        judge(data, {"net": data.forecasts["net"]})


def test_a_verdict_survives_json(windows):
    for length in (15, 120):
        verdict = judge(windows(length=length))
        assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        (1, 14, "1 to 14 days ahead"),
        (1, 1, "1 day ahead"),
        (2, 2, "2 days ahead"),
        (1 / 24, 2, "1 to 48 hours ahead"),
        (0.25, 0.25, "6 hours ahead"),
    ],
)
def test_how_far_ahead_is_told_as_people_say_it(first, last, told):
    assert reach(first, last) == told

"""Inputs of a report on labelled records, made in NumPy."""

from __future__ import annotations

import numpy as np

from pipeline.evaluation.classification import classification_scores
from pipeline.evaluation.records import RecordsVerdict
from pipeline.evaluation.specs import EvaluationSpec
from pipeline.records.base import Exclusion
from pipeline.reports.inputs import ReportInputs
from pipeline.reports.records_inputs import RecordsInputs
from pipeline.store.records_reader import RecordsSummary
from tests.collection_reporting import HOSTILE, report_of, trained

LADDER = ("prevalence", "logistic-last", "logistic")


def probabilities(skill: float, label: np.ndarray, seed: int) -> np.ndarray:
    """Of a forecaster that knows so much of the label."""
    noise = np.random.default_rng(seed).normal(size=len(label))
    return 1 / (1 + np.exp(-(skill * (label - 0.5) + noise - 1)))


def make_scores(
    *, skill: float = 1.0, model: str = "lstm_classifier", others: tuple[str, ...] = (), count: int = 120
):
    label = (np.arange(count) % 4 == 0).astype(np.int8)
    given = {model: probabilities(skill, label, 0)}
    given |= {other: probabilities(0.8, label, 10 + at) for at, other in enumerate(others)}
    given |= {"prevalence": np.full(count, 0.25)}
    given |= {name: probabilities(0.9, label, at) for at, name in enumerate(LADDER[1:], 1)}
    return classification_scores(
        given,
        label,
        [str(at) for at in range(count)],
        EvaluationSpec(resamples=60),
        model=model,
        ladder=LADDER,
        provenance={"region": "ward", "experiment": "deaths"},
    )


def make_records_inputs(
    *, skill: float = 1.0, others: tuple[str, ...] = (), text: str = "it has descriptors and no series"
) -> ReportInputs:
    scores = make_scores(skill=skill, others=others)
    exclusion = Exclusion(record="7", check="no-series", file=f"a.tar.gz/{text}.txt", line=7, message=text)
    data = RecordsSummary(
        snapshot="S", written_at="2020-01-01", message="write", regions=("ward",), records=400, positives=100,
        measurements=40_000, repeated=3, implausible={"HR": 12, text: 3}, excluded=2, exclusions=(exclusion,),
    )  # fmt: skip
    records = RecordsInputs(
        name="ward",
        title="The ward" if text.startswith("it") else text,
        scores=scores,
        verdict=RecordsVerdict.of(scores),
        data=data,
        **trained("lstm_classifier", others, files=["a.tar.gz", "o.txt"]),
    )
    return report_of("deaths", text, records=(records,))


def hostile() -> ReportInputs:
    """Text that would be markup."""
    return make_records_inputs(text=HOSTILE)

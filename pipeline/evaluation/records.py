"""What the newest scores of records say, and what they were made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import ConfigDict

from pipeline.evaluation.collection import CollectionStanding, CollectionVerdict
from pipeline.evaluation.judging import outcome, require_defined, require_ladder
from pipeline.evaluation.versions import write_scores
from pipeline.records.partition import RecordPartition
from pipeline.records.steps import StepSpec
from pipeline.records.words import WordSpec
from pipeline.splits import Fractions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    import xarray as xr
    from numpy.typing import NDArray

    from pipeline.evaluation.specs import EvaluationSpec
    from pipeline.evaluation.standing import Judged
    from pipeline.records.base import RecordSet
    from pipeline.records.texts import TextSet


class RecordsVerdict(CollectionVerdict):
    """A model against the best rung of its ladder, on the same records.

    The best rung has the largest area under the ROC curve. The model is promoted if the interval of the difference lies
    above zero.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    auc: float
    auc_interval: tuple[float, float]
    best_auc: float
    difference: float
    difference_interval: tuple[float, float]
    records: int

    @property
    def row(self) -> dict[str, float | str]:
        """The figures of a table, by their names."""
        return {
            "AUC": round(self.auc, 4),
            "best baseline": self.best_rung,
            "its AUC": round(self.best_auc, 4),
        }

    @classmethod
    def of(cls, scores: xr.Dataset) -> Self:
        """Judge the model of `scores`, as `classification_scores` gives them.

        Raises
        ------
        StoreError
            There is no ladder, or an AUC is NaN: a probability is.
        """
        require_ladder(scores)
        require_defined(
            scores.auc,
            "AUC",
            lacking="a probability is NaN, or there is one class of records alone",
            remedy="see that the training did not diverge, and that the test records are of both classes",
        )
        model, rungs = str(scores.attrs["model"]), [str(each) for each in scores.reference.values]
        best = max(rungs, key=lambda rung: float(scores.auc.sel(forecaster=rung)))
        apart = scores.sel(reference=best)
        low, high = (float(each) for each in apart.auc_difference_interval.values)
        first, last = (float(each) for each in scores.auc_interval.sel(forecaster=model).values)
        draft = cls(
            region=str(scores.attrs.get("region", "")),
            model=model,
            best_rung=best,
            promoted=low > 0,
            auc=float(scores.auc.sel(forecaster=model)),
            auc_interval=(first, last),
            best_auc=float(scores.auc.sel(forecaster=best)),
            difference=float(apart.auc_difference),
            difference_interval=(low, high),
            confidence=float(scores.attrs["confidence"]),
            records=scores.sizes["record"],
            sentence="",
        )
        return draft.model_copy(update={"sentence": _sentence(draft)})


class RecordsStanding(CollectionStanding):
    """The newest scores of records, beside the scores themselves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["records"] = "records"
    verdict: RecordsVerdict
    steps: StepSpec | WordSpec
    splits: Fractions


def score_records(
    record: RecordSet | TextSet,
    predicted: Mapping[str, NDArray[np.float64]],
    learned: Mapping[str, NDArray[np.float64]],
    folder: Path,
    *,
    experiment: str,
    region: str,
    judged: Judged,
    others: tuple[Judged, ...] = (),
    ladder: tuple[str, ...],
    splits: Fractions,
    steps: StepSpec | WordSpec,
    spec: EvaluationSpec,
    cube_snapshot: str,
    published: Mapping[str, Mapping[str, float]] | None = None,
) -> RecordsStanding:
    """Score the models and their ladder on the test records, keep the scores, and say who stands where.

    Parameters
    ----------
    predicted
        Probabilities (record,) of the test records by model.
    learned
        The same of the training records.
    published
        What others have published, by measure and model.

    Raises
    ------
    ConfigError
        Training or test has not both classes.
    """
    # SciPy and xarray are not for those who only look.
    from pipeline.evaluation.classification import classification_scores
    from pipeline.records.rungs import ladder as measured_ladder
    from pipeline.records.text_rungs import text_ladder

    parted = RecordPartition(record, splits, steps)
    train, test = parted.windows("train"), parted.windows("test")
    every_rung: dict[str, Any] = text_ladder(steps) if isinstance(steps, WordSpec) else measured_ladder()
    rungs = {name: every_rung[name].fit(record, train) for name in ladder}
    fitted, known = (
        {name: rung.predict(record, some) for name, rung in rungs.items()} for some in (test, train)
    )
    scores = classification_scores(
        {**predicted, **fitted},
        record.labels[test.records],
        [record.ids[at] for at in test.records],
        spec,
        model=judged.name,
        ladder=ladder,
        provenance=judged.provenance(experiment, region, cube_snapshot=cube_snapshot),
        training=(record.labels[train.records], {**learned, **known}),
        published=published,
    )
    standing = RecordsStanding(
        experiment=experiment,
        region=region,
        scores_version=write_scores(scores, folder),
        verdict=RecordsVerdict.of(scores),
        judged=judged,
        others=others,
        ladder=ladder,
        cube_snapshot=cube_snapshot,
        steps=steps,
        splits=splits,
    )
    standing.write(folder)
    return standing


def _sentence(verdict: RecordsVerdict) -> str:
    where = f" in {verdict.region}" if verdict.region else ""
    done = outcome(promoted=verdict.promoted, ahead=verdict.difference > 0)
    low, high = verdict.difference_interval
    text = (
        f"{verdict.model} {done} the best baseline{where}, {verdict.best_rung}: AUC {verdict.auc:.3f} against "
        f"{verdict.best_auc:.3f} on {verdict.records} records, difference {verdict.difference:+.3f} "
        f"({verdict.confidence:.0%} interval {low:+.3f} to {high:+.3f})."
    )
    return text if verdict.promoted else f"{text} It is not promoted."

"""What the newest scores of movies say, and what they were made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import ConfigDict, Field

from pipeline.evaluation.collection import CollectionStanding, CollectionVerdict
from pipeline.evaluation.judging import (
    Interval,
    interval_of,
    outcome,
    require_defined,
    require_ladder,
    skill_told,
    with_skill_interval,
)
from pipeline.evaluation.versions import write_scores
from pipeline.movies.partition import MoviePartition
from pipeline.movies.windows import MovieSpec
from pipeline.naming import counted, symbol
from pipeline.splits import AnySplits, GivenSplits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import xarray as xr

    from pipeline.evaluation.movie_scores import Forecast
    from pipeline.evaluation.specs import EvaluationSpec
    from pipeline.evaluation.standing import Judged
    from pipeline.movies.base import MovieSet


class MoviesVerdict(CollectionVerdict):
    """A model against the best rung of its ladder, on the same windows.

    The best rung has the lowest RMSE over all leads. The model is promoted if the interval of the difference, model
    less rung, lies below zero.
    """

    rmse: float
    best_rmse: float
    difference: float
    difference_interval: Interval
    skill: float | None
    """1 − RMSE / RMSE of the best rung; None where that one has no error."""
    skill_interval: Interval
    units: str
    leads: int
    better_leads: int
    """At which the RMSE is below that of every rung."""
    windows: int
    movies: int

    @property
    def row(self) -> dict[str, float | str]:
        """The figures of a table, by their names."""
        return {
            "RMSE": round(self.rmse, 4),
            "best baseline": self.best_rung,
            "its RMSE": round(self.best_rmse, 4),
            "skill": "–" if self.skill is None else round(self.skill, 4),
        }

    @classmethod
    def of(cls, scores: xr.Dataset) -> Self:
        """Judge the model of `scores`, as `movies_dataset` gives them.

        Raises
        ------
        StoreError
            There is no ladder, or an RMSE is not finite: a forecast lacks a value where there is a truth.
        """
        require_ladder(scores)
        require_defined(
            scores.rmse_pooled,
            "RMSE",
            lacking="a forecast lacks a value where there is a truth, or there is no truth at all",
            remedy="see that the training did not diverge, and that the test pictures hold values",
        )
        model, rungs = str(scores.attrs["model"]), [str(each) for each in scores.reference.values]
        best = min(rungs, key=lambda rung: float(scores.rmse_pooled.sel(forecaster=rung)))
        apart, by_lead = scores.sel(reference=best), scores.rmse
        best_rmse = float(scores.rmse_pooled.sel(forecaster=best))
        draft = cls(
            region=str(scores.attrs["region"]),
            model=model,
            best_rung=best,
            promoted=False,
            rmse=float(scores.rmse_pooled.sel(forecaster=model)),
            best_rmse=best_rmse,
            difference=float(apart.rmse_difference_pooled),
            difference_interval=interval_of(apart.rmse_difference_pooled_interval),
            skill=float(apart.skill_pooled) if best_rmse else None,
            skill_interval=interval_of(apart.skill_pooled_interval),
            confidence=float(scores.attrs["confidence"]),
            units=str(scores.attrs["units"]),
            leads=scores.sizes["lead_time"],
            better_leads=int(
                (by_lead.sel(forecaster=model) < by_lead.sel(forecaster=rungs).min("forecaster")).sum()
            ),
            windows=int(scores.attrs["windows"]),
            movies=int(scores.attrs["movies"]),
            sentence="",
        )
        interval = draft.difference_interval
        judged = draft.model_copy(update={"promoted": interval is not None and interval[1] < 0})
        return judged.model_copy(update={"sentence": _sentence(judged)})


class MoviesStanding(CollectionStanding):
    """The newest scores of movies, beside the scores themselves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["movies"] = "movies"
    verdict: MoviesVerdict
    windows: MovieSpec
    splits: GivenSplits
    short: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """By split, the movies that are too short for a window."""


def score_movies(
    record: MovieSet,
    models: Mapping[str, Forecast],
    folder: Path,
    *,
    experiment: str,
    region: str,
    judged: Judged,
    others: tuple[Judged, ...] = (),
    ladder: tuple[str, ...],
    splits: AnySplits,
    windows: MovieSpec,
    spec: EvaluationSpec,
    cube_snapshot: str,
) -> MoviesStanding:
    """Score the models and their ladder on the test windows, keep the scores, and say who stands where.

    Parameters
    ----------
    models
        What each model makes of histories, by name: of the pictures ahead, or at each step where that is judged.

    Raises
    ------
    WindowError, ConfigError
        There is no window of training or of test, or no such rung or group of measures.
    """
    # Xarray is not for those who only look.
    from pipeline.evaluation.movie_dataset import movies_dataset
    from pipeline.evaluation.movie_scores import at_each_step, require_groups
    from pipeline.movies.rungs import fitted

    require_groups(spec.measures, record.picture.units)
    parted = MoviePartition(record, splits, windows)
    test = parted.windows("test").part(slice(None, None, spec.stride))
    rungs = fitted(ladder, record, parted.windows("train"))
    stepwise = windows.judged == "each-step"
    baselines = {rung.name: at_each_step(rung.predict) if stepwise else rung.predict for rung in rungs}
    scores = movies_dataset(
        {**models, **baselines},
        record,
        test,
        spec,
        model=judged.name,
        ladder=ladder,
        provenance=judged.provenance(experiment, region, cube_snapshot=cube_snapshot),
    )
    standing = MoviesStanding(
        experiment=experiment,
        region=region,
        scores_version=write_scores(scores, folder),
        verdict=MoviesVerdict.of(scores),
        judged=judged,
        others=others,
        ladder=ladder,
        cube_snapshot=cube_snapshot,
        windows=windows,
        splits=splits,
        short={name: ids for name, ids in parted.short.items() if ids},
    )
    standing.write(folder)
    return standing


def _sentence(verdict: MoviesVerdict) -> str:
    done = outcome(promoted=verdict.promoted, ahead=verdict.difference < 0)
    units = f" {symbol(verdict.units)}".rstrip()
    ahead = f"{counted(verdict.leads, 'picture')} ahead" if verdict.leads > 1 else "the next picture"
    text = (
        f"{verdict.model} {done} the best baseline in {verdict.region}, {verdict.best_rung}: "
        f"RMSE {verdict.rmse:.3f} against {verdict.best_rmse:.3f}{units} over {ahead}, "
        f"on {counted(verdict.windows, 'window')} of "
        f"{counted(verdict.movies, 'movie')}, {skill_told(verdict.skill)}"
    )
    leads = f"It is better than every baseline at {verdict.better_leads} of {verdict.leads} leads."
    return with_skill_interval(
        text,
        verdict.skill_interval,
        verdict.difference_interval,
        confidence=verdict.confidence,
        promoted=verdict.promoted,
        leads=leads,
    )

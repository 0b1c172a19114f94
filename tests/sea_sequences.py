"""Small sequences of seas, forecasts of them at each step, and inputs of a report on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.evaluation.movie_dataset import movies_dataset
from pipeline.evaluation.movie_scores import at_each_step
from pipeline.evaluation.movies import MoviesVerdict
from pipeline.evaluation.specs import EvaluationSpec
from pipeline.movies.base import MovieSet
from pipeline.movies.partition import MoviePartition
from pipeline.movies.rungs import Persistence
from pipeline.movies.sea_surface import SEA_SURFACE, axes
from pipeline.movies.windows import MovieSpec
from pipeline.reports.inputs import ReportInputs
from pipeline.splits import Numbers
from tests import squares
from tests.collection_reporting import HOSTILE

DAYS = 6
SPEC = MovieSpec(history=DAYS, horizon=1, learn="next", judged="each-step")


def seas(movies: int = 14) -> MovieSet:
    rng = np.random.default_rng(5)
    y, x = axes(3, 2)
    steps = rng.normal(scale=0.3, size=(movies, DAYS + 1, 3, 2)).cumsum(axis=1)
    values = (rng.uniform(5, 25, (movies, 1, 1, 1)) + steps).astype(np.float32).reshape(-1, 3, 2)
    return MovieSet(
        ids=tuple(f"{number} sea" for number in range(1, movies + 1)),
        offset=np.arange(movies + 1) * (DAYS + 1),
        time=np.full(len(values), "NaT", "datetime64[ns]"),
        values=values,
        picture=SEA_SURFACE,
        y=y,
        x=x,
    )


def halfway(history: np.ndarray, horizon: int) -> np.ndarray:
    """The newest picture, drawn a little towards the mean of the history, and off by a tenth."""
    ahead = 0.9 * history[:, -1:] + 0.1 * history.mean(axis=1, keepdims=True) + 0.1
    return np.repeat(ahead, horizon, axis=1).astype(np.float32)


def scored(record: MovieSet, windows: MovieSpec = SPEC, **changes: object):
    test = MoviePartition(record, Numbers(train=(1, 2), test=(3, len(record))), windows).windows("test")
    ahead = {"halfway": halfway, "persistence": Persistence().predict}
    stepwise = windows.judged == "each-step"
    return movies_dataset(
        {name: at_each_step(each) if stepwise else each for name, each in ahead.items()},
        record,
        test,
        EvaluationSpec.model_validate({"measures": ("regression",), "resamples": 40, **changes}),
        model="halfway",
        ladder=("persistence",),
        provenance={"experiment": "e", "region": "seas"},
    )


def make_sea_inputs(*, sea: str = "bengal", movies: int = 30) -> ReportInputs:
    """A report on two seas, with the table of each cell."""
    record = seas(movies)
    named = tuple(f"{at} {(sea, 'black')[at % 2]} 2020-01-01" for at in range(1, movies + 1))
    scores = scored(replace(record, ids=named))
    whole = squares.make_movies_inputs()
    (one,) = whole.movies
    made = replace(
        one, name="seas", title="Seas", scores=scores, verdict=MoviesVerdict.of(scores), windows=SPEC
    )
    return replace(whole, movies=(made,))


def hostile() -> ReportInputs:
    """A sea whose name would be markup."""
    return make_sea_inputs(sea=HOSTILE.replace(" ", "_"))

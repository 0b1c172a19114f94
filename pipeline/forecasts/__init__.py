"""Forecasts: the rungs of the ladder that every model is judged against, and the archive."""

from pipeline.forecasts.blend import Blend
from pipeline.forecasts.climatological import Climatological
from pipeline.forecasts.damped_persistence import DampedPersistence
from pipeline.forecasts.eof_ridge import EofRidge
from pipeline.forecasts.fitted import Fitted
from pipeline.forecasts.linear import Linear
from pipeline.forecasts.naive import Naive
from pipeline.forecasts.persistence import Persistence
from pipeline.forecasts.seasonal_naive import SeasonalNaive

RUNGS: dict[str, type[Fitted]] = {
    "persistence": Persistence,
    "climatology": Climatological,
    "damped-persistence": DampedPersistence,
    "eof-ridge": EofRidge,
    "blend": Blend,
    "naive": Naive,
    "seasonal-naive": SeasonalNaive,
    "linear": Linear,
}

LADDERS: dict[str, tuple[str, ...]] = {
    "fields": ("persistence", "climatology", "damped-persistence", "eof-ridge", "blend"),
    "series": ("naive", "seasonal-naive", "linear"),
    "records": ("prevalence", "logistic-means", "logistic-last", "logistic"),
    "texts": ("prevalence", "bag-of-words"),
    "movies": ("persistence",),
}
"""The rungs that an experiment is judged by where it does not say otherwise, from the lowest up, by kind.

Those of records are in `pipeline/records/rungs.py`, of texts in `pipeline/records/text_rungs.py`, and of movies in
`pipeline/movies/rungs.py`.
"""

ASKED_FOR: dict[str, tuple[str, ...]] = {"movies": ("optical-flow",)}
"""Further rungs by kind, for experiments that name them in `ladder`."""

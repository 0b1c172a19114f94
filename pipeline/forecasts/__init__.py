"""Forecasts: the rungs of the ladder that every model is judged against, and the archive."""

from pipeline.forecasts.blend import Blend
from pipeline.forecasts.climatological import Climatological
from pipeline.forecasts.damped_persistence import DampedPersistence
from pipeline.forecasts.eof_ridge import EofRidge
from pipeline.forecasts.persistence import Persistence
from pipeline.forecasts.rung import Rung

RUNGS: dict[str, type[Rung]] = {
    "persistence": Persistence,
    "climatology": Climatological,
    "damped-persistence": DampedPersistence,
    "eof-ridge": EofRidge,
    "blend": Blend,
}

LADDERS: dict[str, tuple[str, ...]] = {
    "fields": ("persistence", "climatology", "damped-persistence", "eof-ridge", "blend"),
}
"""The rungs that an experiment is judged by where it does not say otherwise, from the lowest up, by kind."""

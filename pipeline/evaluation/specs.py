"""What an evaluation may be told."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator

from pipeline.types import Box, Spec

WHOLE_AREA = "all"


class EvaluationSpec(Spec):
    """Intervals, and the areas that are scored beside the whole region.

    Parameters
    ----------
    confidence
        Of every interval, in (0, 1).
    resamples
        Of the bootstrap.
    block_length
        Consecutive init times that are resampled together: at least as long as errors stay correlated, which
        is about the horizon plus the memory of the ocean's anomalies.
    stride
        Of the test windows, every so many are forecast and scored.
    measures
        Of movies: groups of measures beside the errors, see `pipeline.evaluation.movie_scores.GROUPS`.
    areas
        Sub-areas of the region by name; `all` is the whole region and is always scored.
    """

    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    resamples: PositiveInt = 1000
    block_length: PositiveInt = 30
    seed: NonNegativeInt = 0
    stride: PositiveInt = 1
    measures: tuple[str, ...] = ()
    areas: dict[str, Box] = Field(default_factory=dict)

    @field_validator("areas")
    @classmethod
    def _all_is_taken(cls, value: dict[str, Box]) -> dict[str, Box]:
        if WHOLE_AREA in value:
            raise ValueError(f"an area may not be named {WHOLE_AREA!r}: that is the whole region")
        return value

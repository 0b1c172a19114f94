"""The encoders by kind of record: each fits, keeps and applies what lies between a record and a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self

from models.encoder import FieldEncoder
from models.movie_encoder import MovieEncoder
from models.record_encoder import RecordEncoder
from models.series_encoder import SeriesEncoder
from models.text_encoder import TextEncoder

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from models.base import FieldShape, MovieShape, RecordShape, SeriesShape, TextShape
    from models.datasets import Samples
    from models.recipe import Recipe
    from pipeline.climatology import HarmonicClimatology

    Shape = FieldShape | SeriesShape | RecordShape | TextShape | MovieShape


class Encoder(Protocol):
    """What lies between a record in its units and what a model takes and gives, fitted on what is for training."""

    @classmethod
    def fit(cls, record: Any, recipe: Recipe, *, snapshot: str) -> Self:
        """Fit on what is for training alone."""
        ...

    @classmethod
    def load(cls, folder: Path, spec: Any) -> Self:
        """Read what `save` wrote; `spec` is the `shape` of the model's card."""
        ...

    def save(self, folder: Path) -> None:
        """Write into the model's folder."""
        ...

    @property
    def shape(self) -> Shape:
        """What a model must take and give."""
        ...

    @property
    def sha256(self) -> str:
        """The hash of all that was fitted."""
        ...

    def samples(self, record: Any, windows: Any) -> Samples:
        """The samples of these windows, records or movies."""
        ...


class TimedEncoder(Encoder, Protocol):
    """Of fields and of stations, whose models correct a base forecast."""

    @property
    def climatology(self) -> HarmonicClimatology:
        """What rungs are fitted with."""
        ...

    def inputs(
        self, history: NDArray[np.float32], init_time: NDArray[np.datetime64]
    ) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.float32]]:
        """Model inputs of histories, and the base forecast that the model corrects."""
        ...

    def forecast(self, output: NDArray[np.float32], base: NDArray[np.float32]) -> NDArray[np.float32]:
        """The forecast (sample, lead_time, latitude, longitude) that a model's output means."""
        ...


TIMED: dict[str, type[TimedEncoder]] = {
    "fields": FieldEncoder,
    "series": SeriesEncoder,
}
ENCODERS: dict[str, type[Encoder]] = {
    **TIMED,
    "records": RecordEncoder,
    "texts": TextEncoder,
    "movies": MovieEncoder,
}
"""By kind."""

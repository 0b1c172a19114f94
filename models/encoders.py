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

    from models.base import FieldShape, SeriesShape
    from models.datasets import Samples
    from models.recipe import Recipe
    from pipeline.climatology import HarmonicClimatology
    from pipeline.windows import Windows, WindowSpec


class Encoder(Protocol):
    """The exact pair between records in their units and what a model takes and gives."""

    @classmethod
    def fit(cls, record: Any, recipe: Recipe, *, snapshot: str) -> Self:
        """Fit on the training times alone."""
        ...

    @classmethod
    def load(cls, folder: Path, spec: WindowSpec) -> Self:
        """Read what `save` wrote."""
        ...

    def save(self, folder: Path) -> None:
        """Write into the model's folder."""
        ...

    @property
    def shape(self) -> FieldShape | SeriesShape:
        """What a model must take and give."""
        ...

    @property
    def climatology(self) -> HarmonicClimatology:
        """What rungs are fitted with."""
        ...

    @property
    def sha256(self) -> str:
        """The hash of all that was fitted."""
        ...

    def samples(self, record: Any, windows: Windows) -> Samples:
        """The samples of these windows."""
        ...

    def inputs(
        self, history: NDArray[np.float32], init_time: NDArray[np.datetime64]
    ) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.float32]]:
        """Model inputs of histories, and the base forecast that the model corrects."""
        ...

    def forecast(self, output: NDArray[np.float32], base: NDArray[np.float32]) -> NDArray[np.float32]:
        """The forecast (sample, lead_time, latitude, longitude) that a model's output means."""
        ...


ENCODERS: dict[str, Any] = {
    "fields": FieldEncoder,
    "series": SeriesEncoder,
    "records": RecordEncoder,
    "texts": TextEncoder,
    "movies": MovieEncoder,
}
"""By kind; those of records, texts and movies have no climatology, and others in place of `inputs` and `forecast`."""

"""The model card: what a model is, what it was trained on, and how to read it back."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from pipeline.types import TimeRange
from pipeline.windows import WindowSpec

if TYPE_CHECKING:
    from pathlib import Path

CARD = "card.json"


class ModelCard(BaseModel):
    """Facts of a trained model, in the spirit of Mitchell et al. (2019), arXiv:1810.03993, and its lineage."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model_id: str
    name: str
    experiment: str
    region: str
    parameters: int
    config: dict[str, Any]
    training: dict[str, Any]
    precision: str
    backend: str
    windows: WindowSpec
    train: TimeRange
    validation: TimeRange
    train_windows: int
    validation_windows: int
    cube_snapshot: str
    fitted_sha256: str
    """Hash of the climatology, scaling and base forecast beside the model."""
    weights_sha256: str
    best_epoch: int
    history: list[dict[str, float]]
    created_at: dt.datetime
    isotherm_version: str

    def write(self, folder: Path) -> str:
        """Write into the model's folder and return the card's SHA-256."""
        text = self.model_dump_json(indent=2)
        (folder / CARD).write_text(text)
        return hashlib.sha256(text.encode()).hexdigest()

    @classmethod
    def read(cls, folder: Path) -> ModelCard:
        """Read the card of a model's folder."""
        return cls.model_validate_json((folder / CARD).read_text())


def card_sha256(folder: Path) -> str:
    """SHA-256 of the card as it lies on disk."""
    return hashlib.sha256((folder / CARD).read_bytes()).hexdigest()

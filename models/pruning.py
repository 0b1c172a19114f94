"""Which trained models are kept, and what of a region's folder nothing refers to any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.card import CARD, ModelCard
from models.champions import kept_models

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DRAFTS = (".training-*", ".claim-*")


def cards(folder: Path) -> dict[Path, ModelCard]:
    """Of every model there is, by its folder."""
    return {path.parent: ModelCard.read(path.parent) for path in sorted(folder.glob(f"[!.]*/{CARD}"))}


def unused_models(folder: Path, named: Iterable[str]) -> list[Path]:
    """Folders of the models that are not `named`, and are not nor have been champions."""
    kept = kept_models(folder) | set(named)
    return [path for path, card in cards(folder).items() if card.model_id not in kept]


def drafts(folder: Path) -> list[Path]:
    """What trainings under way, or given up, have left so far."""
    return sorted(path for pattern in DRAFTS for path in folder.glob(pattern))

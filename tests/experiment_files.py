"""Files of experiments that are changed in one place, and refused for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.loading import load_experiment
from pipeline.errors import ConfigError


def replaced(text: str, old: str, new: str) -> str:
    """With all that was there of `old` made `new`."""
    assert old in text
    return text.replace(old, new)


def require_refused(path: Path, text: str, said: str) -> None:
    """The experiment at `path` cannot be used with this text, and is refused with these words."""
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        load_experiment(path.stem, path.parent)

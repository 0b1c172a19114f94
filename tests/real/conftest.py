"""Tests on real files; they skip, saying so, where the files are absent."""

import os
from pathlib import Path

import pytest

DEFAULT = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real files: ISOTHERM_REAL_DATA, or shared/data beside the checkout."""
    folder = Path(os.environ.get("ISOTHERM_REAL_DATA", DEFAULT))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder} (set ISOTHERM_REAL_DATA)")
    return folder

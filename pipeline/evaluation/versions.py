"""Scores on disk: immutable, and named by what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import NotFoundError
from pipeline.publish.product import write_product

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr


def write_scores(scores: xr.Dataset, folder: Path) -> str:
    """Write `scores` to `folder/<version>.zarr`, plain Zarr v3, and return the version.

    The same scores have the same version and are written once.

    Raises
    ------
    DiskFullError
        There is no space; nothing is left behind.
    """
    return write_product(scores, folder).stem


def read_scores(folder: Path, version: str) -> xr.Dataset:
    """The scores of `version`, in memory, with the attribute `version`.

    Raises
    ------
    NotFoundError
        There are none; the message names those there are.
    """
    import xarray as xr

    path = folder / f"{version}.zarr"
    if not path.is_dir():
        known = ", ".join(sorted(one.stem for one in folder.glob("*.zarr"))) or "none"
        raise NotFoundError(
            f"there are no scores {version!r} in {folder}; there are {known}",
            remedy="run `isotherm evaluate` first",
            version=version,
        )
    with xr.open_zarr(path, chunks=None) as stored:
        scores: xr.Dataset = stored.load()
    scores.attrs["version"] = scores.attrs["product_version"]
    return scores

"""Scores as they are kept: immutable, and named by what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import NotFoundError
from pipeline.location import local_copy
from pipeline.publish.product import ZARR_MARK, write_product

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
    if not (path / ZARR_MARK).is_file():
        known = ", ".join(sorted(one.stem for one in folder.glob("*.zarr"))) or "none"
        raise NotFoundError(
            f"there are no scores {version!r} in {folder}; there are {known}",
            remedy="run `isotherm evaluate` first",
            version=version,
        )
    with local_copy(path) as near, xr.open_zarr(near, chunks=None) as stored:
        scores: xr.Dataset = stored.load()
    scores.attrs["version"] = scores.attrs["product_version"]
    return scores

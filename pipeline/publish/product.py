"""Immutable products: plain Zarr v3, named by their content, whole or not there."""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import os
import shutil
import tempfile
import time
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import DiskFullError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xarray as xr

VERSION_LENGTH = 16
_IDENTITY = {"version", "product_version"}
_ABANDONED = 3600.0
"""Seconds after which a draft has no writer any more."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def content_version(dataset: xr.Dataset) -> str:
    """What the dataset holds, as 16 hexadecimal digits: names, dims, types, attributes and every value.

    The same content has the same version on every machine; encodings such as chunks do not count.
    """
    attrs = {key: value for key, value in dataset.attrs.items() if key not in _IDENTITY}
    digest = hashlib.sha256(_canonical(attrs))
    for name in sorted(map(str, dataset.variables)):
        variable = dataset.variables[name]
        values = np.asarray(variable.values)
        text = values.dtype.kind in "OUST"
        kind = "text" if text else values.dtype.str
        digest.update(_canonical([name, variable.dims, values.shape, kind, variable.attrs]))
        if text:
            digest.update(_canonical([str(value) for value in values.ravel()]))
        else:
            digest.update(values.tobytes())
    return digest.hexdigest()[:VERSION_LENGTH]


def write_product(
    dataset: xr.Dataset, folder: Path, *, prefix: str = "", encoding: dict[str, dict[str, Any]] | None = None
) -> Path:
    """Write `dataset` to `folder/<prefix><version>.zarr`, once: what is there already is left alone.

    The store has consolidated metadata, so that it opens with one request; readers that do not know them
    pass over them. It is written beside its place and moved there when it is whole. Its attribute
    `product_version` is the version.

    Returns
    -------
    Path
        Of the product.

    Raises
    ------
    DiskFullError
        There is no space; nothing is left behind.
    """
    dataset = dataset.compute().drop_encoding()
    version = content_version(dataset)
    product = folder / f"{prefix}{version}.zarr"
    if product.is_dir():
        return product
    with beside(product) as draft, warnings.catch_warnings():
        # They are an addition to Zarr v3 that its specification allows for, of which zarr warns.
        warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part")
        dataset.assign_attrs(product_version=version).to_zarr(
            draft, mode="w", zarr_format=3, consolidated=True, encoding=encoding or {}
        )
    return product


def copy_file(source: Path, folder: Path, *, prefix: str = "") -> Path:
    """Copy `source` to `folder/<prefix><version><suffix>`, named by its content, once.

    Raises
    ------
    DiskFullError
        There is no space; nothing is left behind.
    """
    version = hashlib.sha256(source.read_bytes()).hexdigest()[:VERSION_LENGTH]
    copy = folder / f"{prefix}{version}{source.suffix}"
    if not copy.exists():
        with beside(copy) as draft:
            shutil.copyfile(source, draft)
    return copy


def write_text(path: Path, text: str) -> None:
    """Replace what `path` holds in one step, so that readers see the old text or the new.

    Raises
    ------
    DiskFullError
        There is no space; the old text stays.
    """
    with beside(path) as draft:
        draft.write_text(text, encoding="utf-8")


def write_once(path: Path, text: str) -> bool:
    """Write `path` whole unless there is one; of several at once one writes, and is told so.

    Raises
    ------
    DiskFullError
        There is no space; nothing is left behind.
    """
    if path.exists():
        return False
    with _full_told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as workshop:
            draft = Path(workshop) / path.name
            draft.write_text(text, encoding="utf-8")
            draft.chmod(0o644)
            try:
                path.hardlink_to(draft)
            except FileExistsError:
                return False
    return True


@contextmanager
def beside(final: Path) -> Iterator[Path]:
    """A path for a file or folder, which is moved to `final` at the end, or removed if that is not reached.

    Raises
    ------
    DiskFullError
        There is no space; nothing is left behind.
    """
    workshop = None
    try:
        with _full_told(final):
            final.parent.mkdir(parents=True, exist_ok=True)
            _sweep(final)
            workshop = Path(tempfile.mkdtemp(prefix=f".{final.name}.", dir=final.parent))
            draft = workshop / final.name
            yield draft
            draft.chmod(0o755 if draft.is_dir() else 0o644)
            _move(draft, final)
    finally:
        if workshop is not None:
            shutil.rmtree(workshop, ignore_errors=True)


@contextmanager
def _full_told(final: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFullError(
                f"no space is left to write {final}", remedy="free some space and run again", path=str(final)
            ) from error
        raise


def _sweep(final: Path) -> None:
    """Remove what killed writers of `final` left behind."""
    for left in final.parent.glob(f".{glob.escape(final.name)}.*"):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > _ABANDONED:
                shutil.rmtree(left, ignore_errors=True)


def _move(draft: Path, final: Path) -> None:
    try:
        draft.replace(final)
    except OSError as error:
        # Another process was first with the same product, and a folder is not replaced by a folder.
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST} or not final.is_dir():
            raise


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, default=_plain).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return os.fspath(value) if isinstance(value, os.PathLike) else str(value)

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

from pipeline.errors import DiskFullError, StoreError
from pipeline.location import is_remote, put_at_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import xarray as xr

VERSION_LENGTH = 16
ZARR_MARK = "zarr.json"
"""The file without which a folder is no Zarr store."""
_IDENTITY = {"version", "product_version"}
_ATTEMPTS = 20
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
    pass over them. It is written beside its place and moved there when it is whole; on S3 the metadata, without
    which there is no store, come last. Its attribute `product_version` is the version.

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
    if (product / ZARR_MARK).is_file():
        return product
    with beside(product, mark=ZARR_MARK) as draft, warnings.catch_warnings():
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
    content = source.read_bytes()
    version = hashlib.sha256(content).hexdigest()[:VERSION_LENGTH]
    copy = folder / f"{prefix}{version}{source.suffix}"
    if not copy.exists():
        with beside(copy) as draft:
            draft.write_bytes(content)
    return copy


def write_text(path: Path, text: str) -> None:
    """Replace what `path` holds in one step, so that readers see the old text or the new.

    Raises
    ------
    DiskFullError
        There is no space; the old text stays.
    """
    if is_remote(path):
        path.write_text(text)
        return
    with beside(path) as draft:
        draft.write_text(text, encoding="utf-8")


def write_once(path: Path, text: str) -> bool:
    """Write `path` whole unless there is one; of several at once one writes, and is told so.

    Raises
    ------
    DiskFullError
        There is no space; nothing is left behind.
    """
    if is_remote(path):
        return path.write_bytes(text.encode(), instead_of="")
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


def update_text(path: Path, change: Callable[[str], str]) -> None:
    """Replace what `path` holds, or an empty text where it is not there, by what `change` makes of it.

    On S3 `change` is called again where another writer came first; on disk the caller keeps others away.

    Raises
    ------
    DiskFullError
        There is no space; the old text stays.
    StoreError
        Others keep coming first.
    """
    if not is_remote(path):
        write_text(path, change(path.read_text(encoding="utf-8") if path.exists() else ""))
        return
    for _ in range(_ATTEMPTS):
        try:
            held, tag = path.read_tagged()
        except FileNotFoundError:
            held, tag = b"", ""
        if path.write_bytes(change(held.decode()).encode(), instead_of=tag):
            return
    raise StoreError(
        f"others came first at {path}, {_ATTEMPTS} times in a row", remedy="run again", path=str(path)
    )


@contextmanager
def beside(final: Path, *, mark: str = "") -> Iterator[Path]:
    """A path for a file or folder, which is moved to `final` at the end, or removed if that is not reached.

    On S3 a folder's files are put one after another, and `mark` last, without which the folder counts for nothing.

    Raises
    ------
    DiskFullError
        There is no space; nothing is left behind.
    """
    workshop = None
    try:
        with _full_told(final):
            if is_remote(final):
                with put_at_end(final, mark) as draft:
                    yield draft
                return
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

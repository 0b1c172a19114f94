"""NetCDF-3 and NetCDF-4 read quickly and safely in threads: h5py or SciPy below, raw values above.

netCDF4 crashes when threads share it, and masks and scales at several times the cost of the inflating itself.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from deflate import DeflateError, zlib_decompress

from pipeline.errors import GranuleError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import TypeAlias

    from numpy.typing import NDArray

    Columns: TypeAlias = slice | NDArray[np.intp]

HDF5_MAGIC = b"\x89HDF"
NETCDF3_MAGICS = (b"CDF\x01", b"CDF\x02", b"CDF\x05")
SHUFFLE, DEFLATE = 2, 1


class Variable(Protocol):
    """One variable; what it reads is raw, in the machine's byte order."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Their names."""
        ...

    def attribute(self, name: str) -> Any:
        """Its value (text as str), or None."""
        ...

    def read(self) -> NDArray[Any]:
        """All of it."""
        ...

    def read_steps(self, steps: NDArray[np.intp], rows: slice, columns: Columns) -> NDArray[Any]:
        """(step, row, column) of a variable (time, [1, …] latitude, longitude)."""
        ...


@dataclass(frozen=True, slots=True)
class Dataset:
    """An open file."""

    variables: Mapping[str, Variable]
    attribute: Callable[[str], Any]


@contextmanager
def open_netcdf(path: Path) -> Iterator[Dataset]:
    """Open `path` for reading.

    Raises
    ------
    GranuleError
        `check == "structure"`: it is empty, a page of HTML, truncated or otherwise not NetCDF.
    """
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as error:
        raise broken(path, f"cannot be opened: {error.strerror or error}") from error
    complaint = content_complaint(head)
    if complaint:
        raise broken(path, complaint)
    opened = _open_hdf5(path) if head.startswith(HDF5_MAGIC) else _open_netcdf3(path)
    try:
        with opened as dataset:
            yield dataset
    except (OSError, KeyError, ValueError, TypeError, IndexError, RuntimeError, struct.error) as error:
        if isinstance(error, GranuleError):
            raise
        raise broken(path, f"cannot be read: {error}") from error
    except DeflateError as error:
        raise broken(path, f"cannot be inflated: {error}") from error


def content_complaint(head: bytes) -> str:
    """What is wrong with a file that begins so; empty where it may be NetCDF."""
    if not head:
        return "is empty"
    if head.lstrip()[:1] == b"<":
        return "is a page of HTML or XML, not NetCDF"
    if not head.startswith((HDF5_MAGIC, *NETCDF3_MAGICS)):
        return f"does not begin as NetCDF does, but with {head[:8]!r}"
    return ""


def broken(path: Path, complaint: str, *, check: str = "structure") -> GranuleError:
    """The error for a file that is not what it must be."""
    return GranuleError(
        f"{path.name} {complaint}",
        remedy="fetch the file again, or take it out of the input",
        path=str(path),
        check=check,
        found=complaint,
    )


def _text(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray) and value.shape == (1,):
        return _text(value[0])
    return value


class _Hdf5Variable:
    def __init__(self, dataset: Any) -> None:
        self._id = dataset
        self.shape: tuple[int, ...] = dataset.shape
        self.dtype: np.dtype[Any] = dataset.dtype

    @property
    def dimensions(self) -> tuple[str, ...]:
        import h5py

        scales = h5py.Dataset(self._id).attrs.get("DIMENSION_LIST")
        if scales is None:
            return (_last(h5py.h5i.get_name(self._id)),) if len(self.shape) == 1 else ()
        names = (h5py.h5r.get_name(each[0], self._id) for each in scales)
        return tuple(_last(name) for name in names)

    def attribute(self, name: str) -> Any:
        return _hdf5_attribute(self._id, name)

    def read(self) -> NDArray[Any]:
        import h5py

        values = np.empty(self.shape, self.dtype)
        self._id.read(h5py.h5s.ALL, h5py.h5s.ALL, values)
        return np.asarray(values, dtype=self.dtype.newbyteorder("="))

    def read_steps(self, steps: NDArray[np.intp], rows: slice, columns: Columns) -> NDArray[Any]:
        import h5py

        if self._one_chunk_a_step():
            read = [self._inflate(int(step), rows, columns) for step in steps]
            return np.stack(read) if len(read) > 1 else read[0][None]
        first, last = int(steps[0]), int(steps[-1]) + 1
        middle = (0,) * (len(self.shape) - 3)
        values = h5py.Dataset(self._id)[(slice(first, last), *middle, rows, slice(None))]
        values = values[steps - first][:, :, columns]
        return np.asarray(values, dtype=self.dtype.newbyteorder("="))

    def _one_chunk_a_step(self) -> bool:
        import h5py

        plan = self._id.get_create_plist()
        if plan.get_layout() != h5py.h5d.CHUNKED or plan.get_chunk() != (1, *self.shape[1:]):
            return False
        filters = [plan.get_filter(number)[0] for number in range(plan.get_nfilters())]
        return filters == [SHUFFLE, DEFLATE]

    def _inflate(self, step: int, rows: slice, columns: Columns) -> NDArray[Any]:
        import h5py

        origin = (step, *(0,) * (len(self.shape) - 1))
        # Of h5py's functions this and its counterpart do not take the lock that HDF5 needs between threads.
        with h5py._objects.phil:  # noqa: SLF001
            skipped, packed = self._id.read_direct_chunk(origin)
        if skipped:
            return np.asarray(h5py.Dataset(self._id)[origin[:-2]][rows][:, columns])
        size = self.dtype.itemsize
        length = size * self.shape[-2] * self.shape[-1]
        flat = zlib_decompress(packed, length)
        if len(flat) != length:
            raise ValueError(f"a chunk inflates to {len(flat)} bytes")
        planes = np.frombuffer(flat, np.uint8).reshape(size, *self.shape[-2:])[:, rows, columns]
        if self.dtype.str[0] != ">":
            planes = planes[::-1]
        values = planes[0].astype(f"u{size}")
        for plane in planes[1:]:
            values <<= 8
            values |= plane
        return np.asarray(values.view(self.dtype.newbyteorder("=")))


class _Hdf5Variables(Mapping[str, Variable]):
    """The datasets of a file's root, each opened when it is asked for: most never are."""

    def __init__(self, root: Any) -> None:
        self._root = root

    def __getitem__(self, name: str) -> Variable:
        import h5py

        if name.encode() in self._root:
            found = h5py.h5o.open(self._root, name.encode())
            if isinstance(found, h5py.h5d.DatasetID):
                return _Hdf5Variable(found)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (name for name in (raw.decode() for raw in self._root) if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _last(path: bytes) -> str:
    return path.decode().rpartition("/")[2]


def _hdf5_attribute(item: Any, name: str) -> Any:
    import h5py

    if not h5py.h5a.exists(item, name.encode()):
        return None
    found = h5py.h5a.open(item, name.encode())
    if not found.get_storage_size():
        return None
    value = np.empty(found.shape, found.dtype)
    found.read(value)
    return _text(value[()])


@contextmanager
def _open_hdf5(path: Path) -> Iterator[Dataset]:
    import h5py

    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_fclose_degree(h5py.h5f.CLOSE_STRONG)
    # h5py's own objects for a file and its variables cost as much as reading them.
    file = h5py.h5f.open(os.fsencode(path), h5py.h5f.ACC_RDONLY, access)
    try:
        root = h5py.h5g.open(file, b"/")
        yield Dataset(_Hdf5Variables(root), lambda name: _hdf5_attribute(root, name))
    finally:
        file.close()


class _Netcdf3Variable:
    def __init__(self, variable: Any) -> None:
        self._variable = variable
        self.dimensions: tuple[str, ...] = variable.dimensions
        self.shape: tuple[int, ...] = variable.shape
        self.dtype: np.dtype[Any] = variable.data.dtype

    def attribute(self, name: str) -> Any:
        return _text(getattr(self._variable, name, None))

    def read(self) -> NDArray[Any]:
        return np.array(self._variable.data, dtype=self.dtype.newbyteorder("="))

    def read_steps(self, steps: NDArray[np.intp], rows: slice, columns: Columns) -> NDArray[Any]:
        middle = (0,) * (len(self.shape) - 3)
        values = self._variable.data[(steps, *middle)][:, rows][:, :, columns]
        return np.array(values, dtype=self.dtype.newbyteorder("="))


@contextmanager
def _open_netcdf3(path: Path) -> Iterator[Dataset]:
    from scipy.io import netcdf_file

    # A memory map would warn and leak when an array outlives the file.
    with netcdf_file(str(path), "r", mmap=False) as file:
        variables: dict[str, Variable] = {
            name: _Netcdf3Variable(item) for name, item in file.variables.items()
        }
        yield Dataset(variables, lambda name: _text(getattr(file, name, None)))

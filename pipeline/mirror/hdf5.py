"""NetCDF-4 files made quickly: a template written once by netCDF4, then copied and filled chunk by chunk.

The chunks are shuffled and deflated here and stored as they are, by a quicker way than the level that the file
declares: readers cannot tell.
"""

from __future__ import annotations

import io
import threading
import zlib
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

NETCDF4_LOCK = threading.Lock()
"""netCDF4 crashes when threads share it."""


def deflate(data: bytes) -> bytes:
    """A zlib stream; runs are all that a shuffled field has to offer, and finding no more than these is quick."""
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_RLE)
    return packer.compress(data) + packer.flush()


def template(build: Callable[[Any], None]) -> bytes:
    """The bytes of a NetCDF-4 file whose metadata `build` writes into a netCDF4.Dataset."""
    import netCDF4

    # On disk: a dataset in memory would hold the time of its making, and each template would be another.
    with NETCDF4_LOCK, TemporaryDirectory() as folder:
        path = Path(folder) / "template.nc"
        with netCDF4.Dataset(path, "w", format="NETCDF4") as dataset:
            build(dataset)
        return path.read_bytes()


@contextmanager
def copied(image: bytes) -> Iterator[tuple[Any, list[bytes]]]:
    """An h5py.File in memory that begins as `image`; the list receives its bytes at the end."""
    import h5py

    result: list[bytes] = []
    buffer = io.BytesIO(image)
    with h5py.File(buffer, "r+") as file:
        yield file, result
    result.append(buffer.getvalue())


def put(dataset: Any, values: NDArray[Any], step: int = 0) -> None:
    """Store one time step of `dataset`, which is one chunk of it."""
    put_chunk(dataset, chunk(values), step)


def chunk(values: NDArray[Any]) -> bytes:
    """`values`, shuffled and deflated."""
    planes = np.ascontiguousarray(values.reshape(-1)).view(np.uint8).reshape(-1, values.dtype.itemsize).T
    return deflate(planes.tobytes())


def put_chunk(dataset: Any, content: bytes, step: int = 0) -> None:
    """Store what `chunk` has made."""
    import h5py

    dataset.resize(max(step + 1, dataset.shape[0]), axis=0)
    # It does not take the lock that HDF5 needs between threads.
    with h5py._objects.phil:  # noqa: SLF001
        dataset.id.write_direct_chunk((step, *(0,) * (len(dataset.shape) - 1)), content)


def put_text(file: Any, **attributes: str) -> None:
    """Set global attributes as fixed-length text, as the netCDF library writes them."""
    for name, text in attributes.items():
        file.attrs.create(name, np.bytes_(text.encode()))

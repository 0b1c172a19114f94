"""Regridding between rectilinear grids by separable weights: conservative, bilinear, nearest."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field, PositiveFloat

from pipeline.errors import GridError
from pipeline.grid import Grid
from pipeline.types import Box, Spec

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray
    from scipy.sparse import csr_array


Method = Literal["conservative", "bilinear", "nearest"]

_TIE = 1e-9
"""A cell that is valid to exactly the minimum counts, whatever the rounding of its weights."""


class RegridSpec(Spec):
    """How a region's cube is made from the source's cells.

    `minimum_valid_fraction` is the part of a target cell's weight that must come from cells with values: of
    its area for `conservative`, of its four neighbours for `bilinear`; at 0, any does. CDO's `remapcon`
    defines the cells that `conservative` with 0 does, and `remapbil` those of `bilinear` with 1.
    """

    resolution: PositiveFloat
    """degrees"""
    method: Method = "conservative"
    minimum_valid_fraction: float = Field(default=0.5, ge=0, le=1)


class Region(Spec):
    """A sea: where it is, and how its cube is made."""

    box: Box
    regrid: RegridSpec

    @cached_property
    def grid(self) -> Grid:
        """The cells of its cube.

        Raises
        ------
        GridError
            The box is not a whole number of cells wide or high.
        """
        return Grid.regular(self.box, self.regrid.resolution)


class Regridder:
    """Takes fields of one grid to another; NaN is undefined on both.

    Where every target cell is a cell of the source, values are selected, bit for bit, whatever the method.

    Parameters
    ----------
    source
        Either latitude order, either longitude convention, cyclic or not.
    target
        Latitude ascending.
    method, minimum_valid_fraction
        See `RegridSpec`.

    Raises
    ------
    GridError
        The target's latitude descends, or source and target do not touch.

    References
    ----------
    Jones (1999), First- and second-order conservative remapping schemes for grids in spherical coordinates,
    Mon. Wea. Rev. 127. On rectilinear grids its overlaps are products of one factor an axis.
    """

    def __init__(
        self,
        source: Grid,
        target: Grid,
        *,
        method: Method = "conservative",
        minimum_valid_fraction: float = 0.5,
    ) -> None:
        if len(target.latitude) > 1 and target.latitude[0] > target.latitude[-1]:
            raise GridError("the latitude of a target grid ascends", remedy="reverse it")
        self.source, self.target, self.method = source, target, method
        self.minimum_valid_fraction = minimum_valid_fraction
        self._cells = _same_cells(source, target) or (
            _nearest(source, target) if method == "nearest" else None
        )
        if self._cells is None:
            build = _overlaps if method == "conservative" else _linear
            self._rows, self._columns = build(source, target)
            self._single = self._rows.astype(np.float32), self._columns.astype(np.float32)
            reached = self._rows.nnz > 0 and self._columns.nnz > 0
        else:
            reached = all((index >= 0).any() for index in self._cells)
        if not reached:
            raise GridError(f"the source ({source}) does not reach the target ({target})")
        self._seen: tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.signedinteger[Any]]] | None = (
            None
        )

    def __call__(self, values: Any) -> Any:
        """Float32 (…, latitude, longitude) of the target; a Dask array in gives a lazy one out.

        Raises
        ------
        GridError
            The last two axes are not those of the source.
        """
        if values.shape[-2:] != self.source.shape:
            raise GridError(f"values of {values.shape[-2:]} cells are not on the source's {self.source}")
        if hasattr(values, "map_blocks"):
            whole = values.rechunk({values.ndim - 2: -1, values.ndim - 1: -1})
            chunks = (*whole.chunks[:-2], *((n,) for n in self.target.shape))
            return whole.map_blocks(
                self, dtype=np.float32, chunks=chunks, meta=np.empty((0,) * values.ndim, "f4")
            )
        if self._cells is not None:
            return self._select(np.asarray(values))
        fields = np.asarray(values).reshape(-1, *self.source.shape)
        out = np.empty((len(fields), *self.target.shape), np.float32)
        for field, result in zip(fields, out, strict=True):
            result[...] = self._weigh(field)
        return out.reshape(*values.shape[:-2], *self.target.shape)

    def data_array(self, data: xr.DataArray) -> xr.DataArray:
        """The same for a DataArray with dims latitude and longitude (any others are kept), eager or lazy."""
        import xarray as xr

        data = data.transpose(..., "latitude", "longitude")
        kept = {name: c for name, c in data.coords.items() if not {"latitude", "longitude"} & {*c.dims}}
        coords = kept | {"latitude": self.target.latitude, "longitude": self.target.longitude}
        return xr.DataArray(self(data.data), coords, data.dims, data.name, data.attrs)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_seen": None}

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        axes = (g.latitude.tobytes() + g.longitude.tobytes() for g in (self.source, self.target))
        return (*axes, self.method, self.minimum_valid_fraction)

    def _select(self, values: NDArray[Any]) -> NDArray[np.float32]:
        rows, columns = self._cells or ((), ())
        out = values[..., rows, :][..., columns].astype(np.float32, copy=False)
        out[..., np.less(rows, 0), :] = np.nan
        out[..., np.less(columns, 0)] = np.nan
        return out

    def _weigh(self, field: NDArray[Any]) -> NDArray[np.float64]:
        # Single precision is summed as it is: half the bytes to move, and off by less than 1e-5 °C from 0.25° to 5°.
        single = field.dtype == np.float32
        values = np.asarray(field, np.float32 if single else np.float64)
        undefined = np.isnan(values)
        seen = self._seen
        if seen is None or seen[2].itemsize != values.itemsize or not np.array_equal(seen[0], undefined):
            keep = np.where(undefined, 0, -1).astype(f"i{values.itemsize}")
            # Threads share a regridder: what another puts here meanwhile may be of another mask.
            self._seen = seen = undefined, self._share(~undefined), keep
        _, share, keep = seen
        # What is undefined becomes 0, bit by bit: a third of the time of a masked copy.
        filled = (values.view(keep.dtype) & keep).view(values.dtype)
        weights = self._single if single else (self._rows, self._columns)
        return _product(filled, *weights) / share

    def _share(self, valid: NDArray[np.bool_]) -> NDArray[np.float64]:
        """The valid part of each target cell's weight; NaN where it is too little."""
        share = _product(valid.astype(np.float64), self._rows, self._columns)
        enough = share >= max(self.minimum_valid_fraction - _TIE, _TIE)
        return np.where(enough, share, np.nan)


def _product(field: NDArray[Any], rows: csr_array, columns: csr_array) -> NDArray[Any]:
    along = np.ascontiguousarray((rows @ field).T)
    return np.asarray((columns @ along).T)


def _same_cells(source: Grid, target: Grid) -> tuple[NDArray[np.intp], NDArray[np.intp]] | None:
    """Where each target row and column lies in the source, if every one of them is a cell of the source."""
    found = []
    for edges, wanted, turn in (
        (source.latitude_edges, target.latitude_edges, 0.0),
        (source.longitude_edges, target.longitude_edges, 360.0),
    ):
        low, high = np.minimum(edges[:-1], edges[1:]), np.maximum(edges[:-1], edges[1:])
        off = wanted[:-1, None] - low
        off = off - np.round(off / turn) * turn if turn else off
        index = abs(off).argmin(axis=1)
        step = (high - low)[index]
        near = abs(off[np.arange(len(index)), index])
        if np.any(near > 1e-4 * step) or np.any(abs(np.diff(wanted) - step) > 2e-4 * step):
            return None
        found.append(index)
    return found[0], found[1]


def _turns(wanted: NDArray[np.float64], west: float) -> NDArray[np.float64]:
    """Longitudes moved by whole turns into west…west + 360."""
    return west + (wanted - west) % 360


def _sparse(weights: NDArray[np.float64]) -> csr_array:
    from scipy.sparse import csr_array

    return csr_array(weights)


def _overlaps(source: Grid, target: Grid) -> tuple[csr_array, csr_array]:
    """Part of each target row (by area) and column that each source row and column covers."""
    rows = _overlap(np.sin(np.radians(source.latitude_edges)), np.sin(np.radians(target.latitude_edges)))
    edges, wanted = source.longitude_edges, target.longitude_edges
    columns = [_overlap(edges + turn, wanted) for turn in (-720.0, -360.0, 0.0, 360.0, 720.0)]
    return _sparse(rows), _sparse(np.sum(columns, axis=0))


def _overlap(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = np.minimum(source[:-1], source[1:]), np.maximum(source[:-1], source[1:])
    shared = np.minimum(high, target[1:, None]) - np.maximum(low, target[:-1, None])
    return np.where(shared > _TIE * np.diff(target)[:, None], shared, 0) / np.diff(target)[:, None]


def _linear(source: Grid, target: Grid) -> tuple[csr_array, csr_array]:
    """Weights of the two nearest rows and columns; within the outer half cells, of the outermost alone."""
    latitude = source.latitude
    edges = source.latitude_edges
    if len(latitude) > 1 and latitude[0] > latitude[-1]:
        rows = _hat(latitude[::-1], edges[::-1], target.latitude)[:, ::-1]
    else:
        rows = _hat(latitude, edges, target.latitude)
    longitude, edges = source.longitude, source.longitude_edges
    wanted = _turns(target.longitude, edges[0])
    if not source.cyclic:
        return _sparse(rows), _sparse(_hat(longitude, edges, wanted))
    around = np.concatenate([longitude[-1:] - 360, longitude, longitude[:1] + 360])
    wide = _hat(around, around[[0, -1]], wanted)
    columns = wide[:, 1:-1]
    columns[:, -1] += wide[:, 0]
    columns[:, 0] += wide[:, -1]
    return _sparse(rows), _sparse(columns)


def _hat(
    centres: NDArray[np.float64], edges: NDArray[np.float64], wanted: NDArray[np.float64]
) -> NDArray[np.float64]:
    weights = np.zeros((len(wanted), len(centres)))
    inside = (wanted >= edges[0]) & (wanted <= edges[-1])
    place = np.interp(wanted, centres, np.arange(len(centres)))
    lower = np.minimum(place.astype(int), len(centres) - 1)
    upper = np.minimum(lower + 1, len(centres) - 1)
    row = np.arange(len(wanted))
    np.add.at(weights, (row, lower), (1 - (place - lower)) * inside)
    np.add.at(weights, (row, upper), (place - lower) * inside)
    return weights


def _nearest(source: Grid, target: Grid) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The source row and column nearest to each target centre; −1 beyond the source's edges."""
    found = []
    for centres, edges, wanted, turn in (
        (source.latitude, np.sort(source.latitude_edges[[0, -1]]), target.latitude, 0.0),
        (source.longitude, source.longitude_edges[[0, -1]], target.longitude, 360.0),
    ):
        place = _turns(wanted, edges[0]) if turn else wanted
        off = place[:, None] - centres
        off = off - np.round(off / turn) * turn if turn else off
        # Of two that are equally near, the southern or western one, whatever the order of the axis.
        index = abs(off - _TIE).argmin(axis=1)
        found.append(np.where((place >= edges[0]) & (place <= edges[1]), index, -1))
    return found[0], found[1]

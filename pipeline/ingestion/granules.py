"""One granule on its way: decoded, checked, regridded to every region."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import GranuleError
from pipeline.grid import Grid
from pipeline.quality import inspect
from pipeline.quality.base import Context, Finding, Limits
from pipeline.regrid import Region, Regridder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pipeline.sources.base import Fetched, Source
    from pipeline.types import Box, Field, Status

BY_REGION = ("completeness", "land_mask", "jump")
"""Checks that compare with the day before, and so are asked in order, on the regions' own grids."""


@dataclass(frozen=True, slots=True)
class Work:
    """All that is needed to process one granule anywhere; it can be pickled."""

    source: Source
    fetched: Fetched
    box: Box
    regions: Mapping[str, Region]
    limits: Limits
    known: Grid | None
    """The grid of the files before, if there were any."""


@dataclass(frozen=True, slots=True)
class Processed:
    """What became of a granule.

    Parameters
    ----------
    days
        datetime64[D] (time,), those that no check refused.
    values
        Of each region, float32 (time, latitude, longitude), degree_Celsius.
    findings
        Of the checks; one that refuses without a day refuses the whole granule.
    """

    fetched: Fetched
    days: NDArray[np.datetime64]
    status: Status
    values: Mapping[str, NDArray[np.float32]]
    grid: Grid | None
    findings: tuple[Finding, ...] = ()


def process(work: Work) -> Processed:
    """Decode, check and regrid one granule; what is wrong with it is a finding, never an error.

    Raises
    ------
    GridError
        A region's cells lie outside the source's.
    """
    granule = work.fetched.granule
    nothing = Processed(work.fetched, np.empty(0, "datetime64[D]"), granule.status, {}, None)
    try:
        field = work.source.decode(work.fetched.path, granule, work.box)
    except GranuleError as error:
        return replace(nothing, findings=(refusal(error),))
    context = Context(
        granule,
        work.limits,
        None if work.known is None else work.known.latitude,
        None if work.known is None else work.known.longitude,
    )
    findings = tuple(inspect(field, context))
    refused = {finding.day for finding in findings if finding.severity == "refuse"}
    if None in refused:
        return replace(nothing, findings=findings)
    days = field.time.astype("datetime64[D]")
    good = np.array([day not in refused for day in days.tolist()], bool)
    grid = _grid(field, work.known)
    kept = field.values if good.all() else field.values[good]
    values = {name: _regridder(grid, region)(kept) for name, region in work.regions.items()}
    return Processed(work.fetched, days[good], field.status, values, grid, findings)


def refusal(error: GranuleError) -> Finding:
    """The finding that an unreadable file amounts to."""
    return Finding(str(error.fields.get("check", "structure")), "refuse", None, error.message)


def _grid(field: Field, known: Grid | None) -> Grid:
    same = known is not None and (
        np.array_equal(known.latitude, field.latitude) and np.array_equal(known.longitude, field.longitude)
    )
    return known if known is not None and same else Grid(field.latitude, field.longitude)


@lru_cache(maxsize=64)
def _regridder(source: Grid, region: Region) -> Regridder:
    spec = region.regrid
    return Regridder(
        source, region.grid, method=spec.method, minimum_valid_fraction=spec.minimum_valid_fraction
    )

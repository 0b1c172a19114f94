"""What final files changed in the preliminary days that they replaced: the noise floor of the skill figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.store import repository, schema
from pipeline.types import Spec

if TYPE_CHECKING:
    from pathlib import Path

    import zarr
    from numpy.typing import NDArray


class Revisions(Spec):
    """The final minus the preliminary values of the days that were replaced, over the sea of a region.

    Parameters
    ----------
    days
        How many were replaced.
    bias
        Mean difference, in the units of the cube.
    rmse
        Root of the mean square difference; below it an error of a forecast made from preliminary days, or
        verified with them, says nothing.
    """

    days: int
    bias: float
    rmse: float
    first: str
    last: str


def measure(group: zarr.Group, span: slice, final: NDArray[np.float32]) -> NDArray[np.float32]:
    """By how much `final` (time, latitude, longitude) differs from what the group holds at `span`.

    Means go with the cosine of latitude, over the cells where both have a value; NaN where there is none.

    Returns
    -------
    float32 (REVISION, time): mean and root mean square.
    """
    weight = np.cos(np.radians(np.asarray(schema.array(group, "latitude")[:])))[:, None]
    change = final.astype(np.float64) - np.asarray(schema.array(group, "sst")[span])
    known = np.isfinite(change)
    weights = np.where(known, weight, 0.0)
    change[~known] = 0.0
    total = weights.sum(axis=(1, 2))
    total[total == 0] = np.nan
    bias = (weights * change).sum(axis=(1, 2)) / total
    rmse = np.sqrt((weights * change**2).sum(axis=(1, 2)) / total)
    return np.stack([bias, rmse]).astype(np.float32)


def read_revisions(path: Path, region: str, *, snapshot: str | None = None) -> Revisions | None:
    """The revisions of a region in sum; None where no preliminary day was replaced, or an older Isotherm did it.

    Raises
    ------
    NotFoundError, StoreError
        There is no cube, no such snapshot or no such region.
    """
    session = repository.read_session(path, snapshot)
    with repository.translated(path):
        group = schema.region_group(repository.read_root(session), region)
        if any(name not in group for name in schema.REVISION):
            return None
        bias, rmse = (np.asarray(schema.array(group, name)[:], np.float64) for name in schema.REVISION)
    at = np.flatnonzero(np.isfinite(rmse))
    if not len(at):
        return None
    days = schema.origin(group) + at
    return Revisions(
        days=len(at),
        bias=float(bias[at].mean()),
        rmse=float(np.sqrt((rmse[at] ** 2).mean())),
        first=str(days[0]),
        last=str(days[-1]),
    )

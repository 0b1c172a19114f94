"""Small synthetic windows on a grid with land."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

DAY = np.timedelta64(1, "D").astype("timedelta64[ns]")


def make_windows(
    *,
    seed: int = 0,
    length: int = 50,
    leads: int = 3,
    first: str = "2012-01-20",
    rows: int = 4,
    columns: int = 5,
) -> SimpleNamespace:
    rng = np.random.default_rng(seed)
    coords = {
        "init_time": np.datetime64(first, "ns") + np.arange(length) * DAY,
        "lead_time": np.arange(1, leads + 1) * DAY,
        "latitude": np.linspace(-60.0, -30.0, rows),
        "longitude": np.linspace(170.0, 190.0, columns),
    }
    dims = tuple(coords)
    wet = rng.random((rows, columns)) > 0.25
    wet[0, 0], wet[0, 1] = False, True
    ocean = xr.DataArray(wet, {name: coords[name] for name in dims[2:]}, dims[2:])

    def field(scale: float = 1.0) -> xr.DataArray:
        values = scale * rng.normal(size=(length, leads, rows, columns))
        return xr.DataArray(values.astype(np.float32), coords, dims).where(ocean)

    climatology = field() + 15
    truth = (climatology + field()).assign_attrs(units="degree_Celsius")
    forecasts = {"net": truth + field(0.5), "persistence": truth + field(1.0), "damped": truth + field(0.8)}
    return SimpleNamespace(forecasts=forecasts, truth=truth, climatology=climatology, ocean=ocean)


@pytest.fixture
def windows() -> Callable[..., SimpleNamespace]:
    return make_windows

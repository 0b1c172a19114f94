"""A forecast as the archive gives it, and its lineage."""

import numpy as np
import pytest
import xarray as xr

from pipeline.lineage import Lineage, ModelLineage, Sources
from pipeline.sources.jena_columns import QUANTITIES
from pipeline.windows import WindowSpec
from tests.records import FIELD

HOUR = np.timedelta64(1, "h").astype("timedelta64[ns]")
DAY = np.timedelta64(1, "D").astype("timedelta64[ns]")


def make_forecast(day="2013-12-17", *, inits=1, value=15.0, longitude=None):
    longitude = np.arange(8) * 0.25 + 147.125 if longitude is None else longitude
    coords = {
        "init_time": np.datetime64(day, "ns") + np.arange(inits) * DAY,
        "lead_time": np.arange(1, 6) * DAY,
        "latitude": np.arange(6) * 0.25 - 44.875,
        "longitude": longitude,
    }
    shape = tuple(len(axis) for axis in coords.values())
    values = (value + np.random.default_rng(0).normal(size=shape)).astype(np.float32)
    values[..., :2, :2] = np.nan
    known = {
        "issued_at": ("init_time", coords["init_time"] + DAY),
        "input_status": ("init_time", np.array(["FFFFFFFMPP"] * inits, dtype=object)),
    }
    return xr.Dataset({"sst": (tuple(coords), values, FIELD)}, coords | known)


def make_station_forecast(
    hour="2020-12-31T23:00", *, inits=1, leads=range(1, 49), quantity=QUANTITIES["air_temperature"]
):
    coords = {
        "init_time": np.datetime64(hour, "ns") + np.arange(inits) * HOUR,
        "lead_time": np.array(leads) * HOUR,
        "latitude": np.array([50.91]),
        "longitude": np.array([11.57]),
    }
    shape = tuple(len(axis) for axis in coords.values())
    values = np.random.default_rng(0).normal(2, 3, shape).astype(np.float32)
    told = {"long_name": f"forecast of {quantity.long_name}", "units": quantity.units}
    if quantity.standard_name:
        told["standard_name"] = quantity.standard_name
    issued = coords["init_time"] + HOUR
    return xr.Dataset(
        {quantity.name: (tuple(coords), values, told)}, coords | {"issued_at": ("init_time", issued)}
    )


@pytest.fixture
def forecast():
    return make_forecast


@pytest.fixture
def station():
    return make_station_forecast


@pytest.fixture
def lineage():
    def make(**changes):
        whole = Lineage(
            experiment="sst-tasman",
            region="tasman",
            sources=Sources(count=3, first_url="https://a/1.nc", last_url="https://a/3.nc", digest="d1"),
            cube_snapshot="CUBE",
            fitted_sha256="f1",
            windows=WindowSpec(history=10, horizon=5),
            model=ModelLineage(name="convlstm", id="m1", card_sha256="c1"),
            archive_snapshot="ARCHIVE",
            scores_version="s1",
            isotherm_version="0.1.0",
        )
        return whole.model_copy(update=changes)

    return make

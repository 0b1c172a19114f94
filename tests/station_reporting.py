"""Plausible inputs of a station's report: an hourly record with a gap, ten models, and the scores of real errors."""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import replace

import numpy as np
import xarray as xr
from scipy.signal import lfilter

from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.specs import EvaluationSpec
from pipeline.evaluation.verdict import Verdict
from pipeline.forecasts.field import as_field
from pipeline.forecasts.series import SeriesRecord
from pipeline.partition import Partition
from pipeline.reports.extracts import station_inputs
from pipeline.reports.inputs import (
    DataStatus,
    Epoch,
    Gap,
    ModelFacts,
    RegionInputs,
    ReportInputs,
    TrainingHistory,
)
from pipeline.splits import Fractions
from pipeline.types import Protocol, Quantity
from pipeline.windows import Windows, WindowSpec
from tests.reporting import make_training

TEMPERATURE = Quantity("air_temperature", "degree_Celsius", "air_temperature", "air temperature")
DENSITY = Quantity("air_density", "g m-3", "air_density", "air density")
LADDER = {"naive": 1.5, "seasonal-naive": 1.35, "linear": 1.02}
MODELS = {
    "stacked-gru": 0.9,
    "lstm": 0.91,
    "lstm-dropout": 0.93,
    "bidirectional-lstm": 0.935,
    "lstm-wide": 0.95,
    "gru": 0.97,
    "simple-rnn": 1.0,
    "conv1d": 1.1,
    "dense": 1.04,
    "dense-wide": 1.06,
}
"""Error beside that of a good forecast."""
SPLITS = Fractions(train=0.5, validation=0.25, test=0.25)
HOURLY = WindowSpec(history=72, horizon=48)


def make_record(
    quantity: Quantity = TEMPERATURE, *, days: int = 700, seed: int = 0, protocol: Protocol = "clean"
) -> SeriesRecord:
    """An hourly record from 2019-01-01 on with a year, a day, weather, and a gap of five days."""
    rng = np.random.default_rng(seed)
    hours = np.arange(24 * days)
    weather = lfilter([1.0], [1.0, -0.985], rng.normal(0, 0.55, len(hours)))
    year, day = np.cos(2 * np.pi * (hours / 24 - 200) / 365.25), np.cos(2 * np.pi * (hours - 14) / 24)
    target = 9.5 + 9 * year + (3.5 + 2 * year) * day + weather
    if quantity is DENSITY:
        target = 1300 - 4.3 * target
    values = np.stack([target, 989 + rng.normal(0, 8, len(hours))], axis=1).astype(np.float32)
    if protocol == "clean":
        values[2400:2520] = np.nan
    time = (np.datetime64("2019-01-01T00", "h") + hours).astype("datetime64[ns]")
    pressure = Quantity("air_pressure", "hPa", "air_pressure", "air pressure")
    place = np.array([50.91]), np.array([11.57])
    return SeriesRecord(values, time, (quantity, pressure), quantity.name, *place, protocol)


def errors(windows: Windows, growth: np.ndarray, scale: float, seed: int) -> np.ndarray:
    """(sample, lead_time): noise of neighbouring windows and leads alike, larger in the afternoon."""
    rng = np.random.default_rng(seed)
    shared = np.random.default_rng(99).normal(size=(len(windows), len(growth)))
    noise = lfilter([1.0], [1.0, -0.8], shared + 0.25 * rng.normal(size=shared.shape), axis=0) / 1.7
    valid = windows.init_time[:, None] + windows.spec.lead_time(np.timedelta64(1, "h"))
    hour = (valid - valid.astype("datetime64[D]")) / np.timedelta64(1, "h")
    return scale * growth * noise * (1 + 0.25 * np.cos(2 * np.pi * (hour - 15) / 24)) + 0.1 * rng.normal()


@functools.cache
def make_station_region(
    *, count: int = 10, single: bool = False, quantity: Quantity = TEMPERATURE
) -> RegionInputs:
    """Everything that a station can have; `count` models, and where `single` one lead of two days."""
    record = make_record(quantity)
    spec = WindowSpec(history=144, horizon=48, first_lead=48) if single else HOURLY
    parted = Partition(record, SPLITS, spec)
    tested = parted.windows("test").thinned(5)
    truth = as_field(record, tested, record.truth(tested))
    growth = 3.2 * np.sqrt(spec.leads / 48)
    models = dict(list(MODELS.items())[:count])
    forecasts = {
        name: truth + errors(tested, growth, scale, seed)[..., None, None].astype(np.float32)
        for seed, (name, scale) in enumerate((models | LADDER).items())
    }
    scores = evaluate(
        forecasts,
        truth,
        truth * 0 + truth.mean(),
        xr.DataArray(
            record.ocean,
            dims=("latitude", "longitude"),
            coords={"latitude": record.latitude, "longitude": record.longitude},
        ),
        EvaluationSpec(resamples=100, block_length=40),
        model="stacked-gru",
        ladder=list(LADDER),
        provenance={"region": "jena", "experiment": "jena-temperature"},
    )
    verdict = Verdict.of(scores)
    shown = Windows(spec, tested.init[60:600:150], tested.init_time[60:600:150])
    held = {"model": forecasts["stacked-gru"], "best_rung": forecasts[verdict.best_rung]}
    newest = held["model"].isel(init_time=[-1]).rename(quantity.name).to_dataset()
    return RegionInputs(
        name="jena",
        title="Jena",
        scores=scores,
        verdict=verdict,
        examples=xr.Dataset(
            {name: each.sel(init_time=shown.init_time) for name, each in held.items()}
        ).assign(truth=truth.sel(init_time=shown.init_time)),
        newest=newest,
        newest_by="stacked-gru",
        data=DataStatus(
            counts={"final": 695, "preliminary": 0, "missing": 5},
            first_day=dt.date(2019, 1, 1),
            last_day=dt.date(2020, 11, 30),
            gaps=(Gap(dt.date(2019, 4, 11), dt.date(2019, 4, 15)),),
        ),
        training=make_training(),
        card={"model id": "stacked-gru-0123", "parameters": 31233, "seed": 42, "backend": "tensorflow"},
        lineage={"experiment": "jena-temperature", "region": "jena", "cube_snapshot": "4QF8JZ2V"},
        models=tuple(
            ModelFacts(name, 400 * (at + 1), with_errors(make_training(18 - at)))
            for at, name in enumerate(models)
        ),
        station=station_inputs(parted, held, tested, shown, newest),
    )


def with_errors(history: TrainingHistory) -> TrainingHistory:
    """The same history, with mean absolute errors."""
    return TrainingHistory(
        tuple(
            replace(one, mae=0.7 * one.loss**0.5, validation_mae=0.7 * one.validation_loss**0.5)
            for one in history.epochs
        ),
        history.best_epoch,
    )


def without_interval(region: RegionInputs) -> RegionInputs:
    """Too few windows for any interval, no example, no newest forecast, and histories without errors."""
    scores = region.scores.copy(deep=True)
    for name in scores.data_vars:
        if str(name).endswith("_interval"):
            scores[name][:] = np.nan
    bare = tuple(
        replace(
            one,
            training=TrainingHistory(
                tuple(Epoch(e.epoch, e.loss, e.validation_loss, 1e-3, 2.0) for e in one.training.epochs),
                one.training.best_epoch,
            ),
        )
        for one in region.models
    )
    return replace(
        region,
        scores=scores,
        verdict=Verdict.of(scores),
        examples=None,
        newest=None,
        newest_by="",
        models=bare,
    )


def make_station_inputs(region: RegionInputs | None = None) -> ReportInputs:
    """A report on a station."""
    return ReportInputs(
        experiment="jena-temperature",
        title="Jena, air temperature, 1 to 48 hours ahead",
        description="Ten models of a weather station's record, judged beside three baselines.",
        generated_at=dt.datetime(2026, 1, 5, 9, 30, tzinfo=dt.UTC),
        isotherm_version="0.1.0",
        regions=(region or make_station_region(),),
    )


def hostile() -> ReportInputs:
    """Names and units that would break a page that did not escape them."""
    region = make_station_region(count=2)
    assert region.station is not None
    attack = '<script>alert("x")</script>&\'"'
    names = [attack if one == "lstm" else str(one) for one in region.scores["forecaster"].values]
    scores = region.scores.assign_coords(forecaster=np.array(names, dtype=object))
    scores.attrs["units"] = attack
    station = replace(region.station, quantity=Quantity(attack, attack, "", attack))
    models = (replace(region.models[0], name=attack), *region.models[1:])
    region = replace(region, scores=scores, station=station, models=models, newest_by=attack, name=attack)
    return replace(make_station_inputs(region), title=attack, experiment=attack)

"""Plausible inputs of a report: a Tasman-like sea, a ladder, and a model that is a little better."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import xarray as xr

from pipeline.evaluation.rolling import Rolling
from pipeline.evaluation.verdict import Verdict
from pipeline.quality.base import Finding
from pipeline.reports.inputs import (
    DataStatus,
    Epoch,
    Gap,
    Quarantined,
    RegionInputs,
    ReportInputs,
    TrainingHistory,
)
from pipeline.store.revisions import Revisions
from tests.records import FIELD

LADDER = ["persistence", "climatology", "damped_persistence", "eof_ridge"]
SEASONS = ["all", "DJF", "MAM", "JJA", "SON"]
DAY = np.timedelta64(1, "D").astype("timedelta64[ns]")


def curves(leads: np.ndarray) -> dict[str, np.ndarray]:
    """RMSE by lead, degree_Celsius."""
    growth = np.sqrt(leads / 14)
    return {
        "convlstm": 0.05 + 0.78 * growth**0.95,
        "persistence": 0.02 + 1.06 * growth,
        "climatology": np.full(leads.shape, 0.99),
        "damped_persistence": 0.04 + 0.92 * growth,
        "eof_ridge": 0.26 + 0.64 * growth,
    }


def make_scores(*, horizon: int = 14, size: int = 24, model: bool = True, seed: int = 7) -> xr.Dataset:
    """A scores dataset of the agreed schema."""
    rng = np.random.default_rng(seed)
    leads = np.arange(1, horizon + 1)
    everyone = (["convlstm"] if model else []) + LADDER
    areas = ["all", "East Australian Current", "Open Tasman"]
    by_area = np.array([1.0, 1.22, 0.86])[:, None, None]
    by_season = np.array([1.0, 1.1, 1.03, 0.9, 0.97])[None, :, None]
    rmse = np.stack([curves(leads)[one] * by_area * by_season for one in everyone])
    rmse = rmse * rng.normal(1, 0.008, rmse.shape)
    ladder = rmse[[everyone.index(rung) for rung in LADDER]]
    difference = rmse[:, None] - ladder[None]
    skill = 1 - rmse[:, None] / ladder[None]
    dims = ("forecaster", "area", "season", "lead_time")
    pairs = ("forecaster", "reference", "area", "season", "lead_time")
    metrics = {
        "rmse": rmse,
        "mae": 0.77 * rmse,
        "bias": 0.04 * rmse * np.sign(rng.normal(size=rmse.shape[:1]))[:, None, None, None],
        "acc": np.clip(1 - 0.5 * np.square(rmse / 0.99), 0, 1),
    }
    metrics["acc"][everyone.index("climatology")] = np.nan
    data = {name: (dims, values) for name, values in metrics.items()}
    data |= {
        f"{name}_interval": ((*dims, "bound"), _around(values, 0.04 * rmse))
        for name, values in metrics.items()
    }
    width = 0.03 * ladder[None] * np.ones_like(difference)
    data |= {
        "skill": (pairs, skill),
        "skill_interval": ((*pairs, "bound"), _around(skill, np.full_like(skill, 0.03))),
        "rmse_difference": (pairs, difference),
        "rmse_difference_interval": ((*pairs, "bound"), _around(difference, width)),
        "mae_difference": (pairs, 0.77 * difference),
        "mae_difference_interval": ((*pairs, "bound"), _around(0.77 * difference, width)),
        "count": (("season", "lead_time"), np.repeat([[1082], [270], [276], [276], [260]], horizon, axis=1)),
    }
    for name in ("rmse", "mae", "bias", "skill", "rmse_difference", "mae_difference"):
        data |= pooled(name, data)
    latitude, longitude, ocean = grid(size)
    pattern = 1 + 0.35 * np.sin(np.linspace(0, 5, size))[:, None] * np.cos(np.linspace(0, 4, size))
    maps = np.stack([curves(leads)[one][:, None, None] * pattern for one in everyone])
    maps = maps + rng.normal(0, 0.02, maps.shape)
    cells = ("forecaster", "lead_time", "latitude", "longitude")
    data |= {
        "rmse_map": (cells, np.where(ocean, maps, np.nan)),
        "bias_map": (cells, np.where(ocean, 0.2 * (maps - maps.mean()), np.nan)),
    }
    coords = {
        "forecaster": everyone,
        "reference": LADDER,
        "area": areas,
        "season": SEASONS,
        "lead_time": leads * DAY,
        "bound": ["low", "high"],
        "latitude": latitude,
        "longitude": longitude,
    }
    attrs = {
        "version": "3",
        "experiment": "sst-tasman",
        "region": "tasman",
        "model": "convlstm",
        "units": "degree_Celsius",
        "test_start": "2011-01-01",
        "test_end": "2013-12-31",
        "confidence": 0.95,
        "block_length": 30,
        "resamples": 1000,
        "seed": 0,
    }
    return xr.Dataset(data, coords, attrs)


def pooled(name: str, data: dict) -> dict:
    """The variable over all leads, as the mean over them, and its interval."""
    dims, values = data[name]
    bounds, interval = data[f"{name}_interval"]
    return {
        f"{name}_pooled": (dims[:-1], values.mean(axis=-1)),
        f"{name}_pooled_interval": ((*bounds[:-2], "bound"), interval.mean(axis=-2)),
    }


def grid(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Latitudes, longitudes and the ocean mask of a square sea with a coast in the west."""
    step = 8 / size
    latitude = -45 + step * (np.arange(size) + 0.5)
    longitude = 147 + step * (np.arange(size) + 0.5)
    coast = 147.8 + 2.2 * np.clip((latitude + 40) / 3, 0, 1)
    return latitude, longitude, longitude[None, :] > coast[:, None]


def sea(days: np.ndarray, size: int, *, blur: float = 0.0) -> np.ndarray:
    """float32 (day, latitude, longitude): eddies that drift south over a gradient and a seasonal cycle."""
    latitude, longitude, ocean = grid(size)
    x, y = np.meshgrid(longitude, latitude)
    fields = []
    for day in days:
        base = 16 + 2.6 * np.cos(2 * np.pi * (day - 45) / 365.25) + 0.75 * (y + 41)
        eddies = 1.4 * np.sin(1.7 * x + 0.6 * np.sin(y) - 0.02 * day) * np.cos(1.9 * y + 0.07 * day)
        lost = blur * min(1.0, 0.1 + (day - days[0]) / 14)
        off = lost * (0.5 + np.sin(0.9 * x + 0.01 * days[0]) * np.cos(1.1 * y - 0.02 * days[0]))
        fields.append(np.where(ocean, base + (1 - lost) * eddies + off, np.nan))
    return np.asarray(fields, dtype=np.float32)


def make_examples(*, starts: int = 4, horizon: int = 14, size: int = 24) -> xr.Dataset:
    """Model, best rung and truth for a few init times."""
    init = np.array(
        ["2011-02-10", "2011-08-20", "2012-03-04", "2012-11-15", "2013-06-01"], dtype="datetime64[ns]"
    )
    init = init[:starts]
    offset = [(one - np.datetime64("2011-01-01")) / np.timedelta64(1, "D") for one in init]
    latitude, longitude, _ = grid(size)
    dims = ("init_time", "lead_time", "latitude", "longitude")
    shape = (0, horizon, size, size)

    def made(blur: float) -> np.ndarray:
        many = [sea(first + np.arange(1, horizon + 1), size, blur=blur) for first in offset]
        return np.stack(many) if many else np.empty(shape, dtype=np.float32)

    return xr.Dataset(
        {"model": (dims, made(0.55)), "best_rung": (dims, made(0.85)), "truth": (dims, made(0.0))},
        {
            "init_time": init,
            "lead_time": np.arange(1, horizon + 1) * DAY,
            "latitude": latitude,
            "longitude": longitude,
        },
    )


def make_newest(*, horizon: int = 14, size: int = 24) -> xr.Dataset:
    """The forecast from the last day of the record."""
    latitude, longitude, _ = grid(size)
    days = 1095 + np.arange(1, horizon + 1)
    return xr.Dataset(
        {"sst": (("init_time", "lead_time", "latitude", "longitude"), sea(days, size)[None], FIELD)},
        {
            "init_time": np.array(["2013-12-31"], dtype="datetime64[ns]"),
            "lead_time": np.arange(1, horizon + 1) * DAY,
            "latitude": latitude,
            "longitude": longitude,
        },
    )


def make_training(epochs: int = 18) -> TrainingHistory:
    """Losses that fall and then overfit a little."""
    steps = np.arange(1, epochs + 1)
    loss = 0.31 + 0.5 * np.exp(-steps / 4)
    validation = 0.4 + 0.42 * np.exp(-steps / 3.5) + 0.0009 * np.maximum(0, steps - 12) ** 2
    history = tuple(
        Epoch(int(step), float(one), float(other), 1e-3 if step < 10 else 3e-4, 41.0 + step % 3)
        for step, one, other in zip(steps, loss, validation, strict=True)
    )
    return TrainingHistory(history, int(steps[np.argmin(validation)]))


def make_recent(region: RegionInputs, *, forecasts: int = 40) -> RegionInputs:
    """The same, of an experiment that runs daily: every lead of its newest forecasts does as it did in the test."""
    whole = region.scores.sel(area="all", season="all")
    leads = whole.sizes["lead_time"]
    count = forecasts - np.arange(leads)
    rolling = Rolling(
        model=region.verdict.model,
        version="v",
        first_init="2013-11-08T00:00",
        last_init="2013-12-17T00:00",
        forecasts=forecasts,
        verified=int(count.sum()),
        waiting=leads,
        rmse={str(name): float(whole.rmse.sel(forecaster=name).mean()) for name in whole.forecaster.values},
        best_rung=region.verdict.best_rung,
        difference=region.verdict.difference_pooled,
        interval=region.verdict.difference_interval,
        units=str(region.scores.attrs["units"]),
    )
    recent = xr.Dataset({"rmse": whole.rmse, "count": ("lead_time", count)})
    noise = Revisions(days=60, bias=0.004, rmse=0.087, first="2013-10-19", last="2013-12-17")
    return replace(region, rolling=rolling, recent=recent, revisions=noise)


def make_region(
    name: str = "tasman", title: str = "Tasman Sea", *, size: int = 24, horizon: int = 14
) -> RegionInputs:
    """Everything that a region can have."""
    scores = make_scores(size=size, horizon=horizon)
    region = RegionInputs(
        name=name,
        title=title,
        scores=scores,
        verdict=Verdict.of(scores),
        examples=make_examples(size=size, horizon=horizon),
        newest=make_newest(size=size, horizon=horizon),
        newest_by="convlstm",
        data=DataStatus(
            counts={"final": 11666, "preliminary": 14, "missing": 8},
            first_day=dt.date(1982, 1, 1),
            last_day=dt.date(2013, 12, 31),
            gaps=(
                Gap(dt.date(1994, 3, 2), dt.date(1994, 3, 7)),
                Gap(dt.date(2003, 11, 20), dt.date(2003, 11, 21)),
            ),
            quarantined=(
                Quarantined(
                    "oisst-avhrr-v02r01.20031120.nc",
                    "structure",
                    "an HTML page of 512 bytes instead of NetCDF",
                ),
                Quarantined(
                    "oisst-avhrr-v02r01.20031121.nc", "units", "sst is in kelvin, not degree_Celsius"
                ),
            ),
            findings=(
                Finding(
                    "jump", "warn", dt.date(1998, 6, 3), "the mean differs from the day before by 0.92 °C"
                ),
                Finding("units", "refuse", dt.date(2003, 11, 21), "sst is in kelvin, not degree_Celsius"),
            ),
        ),
        training=make_training(),
        card={
            "parameters": 214337,
            "seed": 0,
            "precision": "float32",
            "history": "10 days",
            "horizon": f"{horizon} days",
            "training windows": 9825,
            "weight decay": 1e-4,
            "backend": "tensorflow 2.20",
        },
        lineage={
            "experiment": "sst-tasman",
            "region": name,
            "sources": {
                "count": 11680,
                "first_url": "https://example.org/data/198201/oisst-avhrr-v02r01.19820101.nc",
                "last_url": "https://example.org/data/201312/oisst-avhrr-v02r01.20131231.nc",
                "digest": "9f2c41d07be6a5538dd1f0c2b7e4aa90c3351e6f7a08d2b94c65e1f3078ab6de",
            },
            "cube_snapshot": "4QF8JZ2VYX0M3T6KQW9G",
            "fitted_sha256": "31be07c4c1a5e8d2f96b0a7743dfc85e192ab6d0e4f7c3811a5920be6fd84c73",
            "windows": {"history": 10, "horizon": horizon, "stride": 1},
            "model": {
                "name": "convlstm",
                "id": "convlstm-20260101T000000-1f3a",
                "card_sha256": "c0ffee" * 10 + "c0ff",
            },
            "archive_snapshot": "7H2N5R8C1B4D6E9F0GJK",
            "scores_version": "3",
            "isotherm_version": "0.1.0",
        },
    )
    return make_recent(region)


def make_inputs(*regions: RegionInputs) -> ReportInputs:
    """A report on the given regions, or on one that has everything."""
    return ReportInputs(
        experiment="sst-tasman",
        title="Tasman Sea surface temperature, 14 days ahead",
        description="A ConvLSTM on 32 years of daily OISST, judged on 2011–2013 against four baselines.",
        generated_at=dt.datetime(2026, 1, 5, 9, 30, tzinfo=dt.UTC),
        isotherm_version="0.1.0",
        regions=regions or (make_region(),),
    )


def unpromoted() -> RegionInputs:
    """A model that is a little worse than the best rung, whose intervals mostly hold zero."""
    region = make_region()
    scores = region.scores.copy(deep=True)
    own = {"forecaster": "convlstm"}
    for suffix in ("", "_pooled"):
        scores[f"rmse{suffix}"].loc[own] = scores[f"rmse{suffix}"].sel(forecaster="damped_persistence") * 1.01
        for rung in LADDER:
            mine, theirs = (scores[f"rmse{suffix}"].sel(forecaster=one) for one in ("convlstm", rung))
            pair = {**own, "reference": rung}
            for name, value in (("rmse_difference", mine - theirs), ("skill", 1 - mine / theirs)):
                scores[name + suffix].loc[pair] = value
                for bound, shift in (("low", -0.015), ("high", 0.015)):
                    scores[f"{name}{suffix}_interval"].loc[{**pair, "bound": bound}] = value + shift
    return replace(region, scores=scores, verdict=Verdict.of(scores))


def baselines_only() -> RegionInputs:
    """The ladder alone: no model, no training, no card, no newest forecast."""
    nothing = float("nan")
    region = make_region()
    assert region.examples is not None
    verdict = region.verdict.model_copy(
        update={
            "model": "",
            "promoted": False,
            "rmse_pooled": nothing,
            "skill_pooled": nothing,
            "skill_interval": None,
            "leads": (),
            "sentence": "No model was trained; eof_ridge is the best baseline.",
        }
    )
    return replace(
        region,
        scores=make_scores(model=False),
        verdict=verdict,
        examples=region.examples.drop_vars("model").isel(init_time=[0]),
        newest=None,
        newest_by="",
        training=None,
        card={},
    )


def sparse() -> RegionInputs:
    """One init time, a season without windows, no gap, nothing refused, an empty lineage, few leads."""
    region = make_region(horizon=3)
    scores = region.scores.copy(deep=True)
    for name, variable in scores.data_vars.items():
        if "season" in variable.dims and name != "count":
            variable.loc[{"season": "SON"}] = np.nan
    scores["count"].loc[{"season": "SON"}] = 0
    data = DataStatus({"final": 400}, dt.date(2020, 1, 1), dt.date(2021, 2, 3))
    examples = make_examples(starts=1, horizon=3)
    return replace(region, scores=scores.isel(area=[0]), data=data, examples=examples, lineage={})


def empty_handed() -> RegionInputs:
    """No example window at all, and too few windows for any interval."""
    region = make_region()
    scores = region.scores.copy(deep=True)
    for name in scores.data_vars:
        if str(name).endswith("_interval"):
            scores[name][:] = np.nan
    return replace(
        region, scores=scores, verdict=Verdict.of(scores), examples=make_examples(starts=0), training=None
    )


def hostile() -> ReportInputs:
    """Text that would break a page that did not escape it."""
    attack = '<script>alert("x")</script>&\'"'
    region = make_region(name=attack, title=attack)
    data = replace(
        region.data,
        quarantined=(Quarantined(attack, attack, attack),),
        findings=(Finding(attack, "warn", None, attack),),
    )
    scores = region.scores.assign_coords(area=["all", attack, "Open Tasman"])
    scores.attrs["test_start"] = attack
    region = replace(
        region,
        data=data,
        scores=scores,
        verdict=region.verdict.model_copy(update={"sentence": attack}),
        card={attack: attack},
        lineage={attack: attack, "model": {attack: attack}},
        newest_by=attack,
    )
    return replace(make_inputs(region), title=attack, description=attack, experiment=attack)


def _around(values: np.ndarray, width: np.ndarray) -> np.ndarray:
    return np.stack([values - width, values + width], axis=-1)

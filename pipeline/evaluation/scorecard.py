"""The rolling scorecard: every forecast of the newest weeks, verified as far as its valid times have truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pipeline.climatology import HarmonicClimatology
from pipeline.evaluation import METRICS
from pipeline.evaluation.aggregate import sample
from pipeline.evaluation.bootstrap import percentile_interval, resamples
from pipeline.evaluation.rolling import FOLDER, Rolling
from pipeline.evaluation.versions import write_scores
from pipeline.forecasts import archive
from pipeline.forecasts.field import DIMS, as_field
from pipeline.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from pipeline.climatology import ClimatologySpec
    from pipeline.evaluation.specs import EvaluationSpec
    from pipeline.forecasts.base import AnyRecord
    from pipeline.store.readings import Reading
    from pipeline.types import TimeRange
    from pipeline.windows import WindowSpec

    Floats = NDArray[np.float64]

WHOLE = 0
"""Position of the whole area among those that are sampled."""


def score_recent(
    reading: Reading,
    archive_path: Path,
    folder: Path,
    *,
    model: str,
    ladder: Sequence[str],
    days: int,
    train: TimeRange,
    windows: WindowSpec,
    climatology: ClimatologySpec,
    spec: EvaluationSpec,
    cube_snapshot: str,
    archive_snapshot: str,
) -> Rolling:
    """Verify the forecasts issued within `days` before the newest observation, and keep what is found.

    A lead counts where its valid time is observed, in final or preliminary form. All forecasters are compared on
    the very same pairs of forecast and lead. Done again with other truth, the scores are of that.

    Parameters
    ----------
    train
        What the model learned from; the climatology is of these times.

    Raises
    ------
    NotFoundError
        There is no archive, or no such snapshot.
    DiskFullError
        There is no space; the scorecard before is kept.
    """
    record = reading.read(cube_snapshot)
    names = [model, *ladder]
    recent = _recent(record, archive_path, reading.region, names, windows, days, archive_snapshot)
    if recent is None:
        summary = Rolling(model=model)
        summary.write(folder)
        return summary
    fitted = HarmonicClimatology.fit(record.target_values, record.time, climatology, within=train)
    expected = fitted.at(recent.issued.init_time[:, None] + recent.lead_time)
    truth = as_field(record, recent.issued, recent.truth)
    sampled = sample(
        recent.forecasts,
        truth,
        as_field(record, recent.issued, expected),
        xr.DataArray(record.ocean, dims=DIMS[2:], coords={d: truth[d].values for d in DIMS[2:]}),
        {},
    )
    scores = _scores(sampled.statistics, sampled.windows[:, :, WHOLE], recent, names, spec)
    scores.attrs |= {
        "title": f"Scorecard of {model} and its baselines, of the forecasts of {days} days",
        "region": reading.region,
        "model": model,
        "units": truth.attrs["units"],
        "cube_snapshot": cube_snapshot,
    }
    summary = _summary(scores, recent, model, list(ladder))
    if summary.verified:
        version = write_scores(scores, folder / FOLDER)
        summary = summary.model_copy(update={"version": version})
    summary.write(folder)
    return summary


@dataclass(frozen=True)
class _Recent:
    """The forecasts that every forecaster has of the newest days, and their truth, NaN where there is none yet."""

    issued: Windows
    lead_time: NDArray[np.timedelta64]
    forecasts: dict[str, xr.DataArray]
    truth: NDArray[np.float32]
    known: NDArray[np.bool_]
    model_ids: NDArray[Any]


def _recent(
    record: AnyRecord,
    path: Path,
    region: str,
    names: Sequence[str],
    spec: WindowSpec,
    days: int,
    snapshot: str,
) -> _Recent | None:
    present = archive.forecasters(path, region, snapshot=snapshot)
    if not {*names} <= {*present}:
        return None
    held = {name: archive.read(path, region, name, snapshot=snapshot) for name in names}
    since = record.time[-1] - np.timedelta64(days, "D")
    init = record.time[record.time >= since]
    for each in held.values():
        init = np.intersect1d(init, each.init_time.values)
    if not len(init):
        return None
    place = np.searchsorted(record.time, init)
    issued = Windows(spec, place, init)
    at = issued.horizon_index()
    observed = at < len(record.time)
    inside = np.minimum(at, len(record.time) - 1)
    truth = record.target_values[inside].reshape(*at.shape, *record.ocean.shape).copy()
    known = observed & np.isfinite(truth[..., record.ocean]).all(axis=-1)
    truth[~known] = np.nan
    chosen = {name: each.sel(init_time=init) for name, each in held.items()}
    return _Recent(
        issued,
        spec.lead_time(record.time[1] - record.time[0]),
        {name: archive.field_of(each) for name, each in chosen.items()},
        truth,
        known,
        chosen[names[0]].model_id.values,
    )


def _scores(
    statistics: tuple[str, ...], windows: Floats, recent: _Recent, names: Sequence[str], spec: EvaluationSpec
) -> xr.Dataset:
    """Metrics by lead and over all, those of each forecast, and the differences from each rung.

    `windows` is (forecaster, statistic, init_time, lead_time).
    """
    drawn = resamples(len(recent.issued), spec)
    number = drawn @ recent.known
    totals = np.einsum("ri,fsil->fsrl", drawn, np.where(recent.known, windows, 0.0))
    above = np.concatenate([totals, totals.sum(axis=-1, keepdims=True)], axis=-1)
    below = np.concatenate([number, number.sum(axis=-1, keepdims=True)], axis=-1)
    means = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    variables: dict[str, Any] = {}
    for name, metric in METRICS.items():
        parts = [means[:, statistics.index(one)] for one in metric.statistics]
        finished = metric.finish(*parts)
        variables[name] = ("forecaster", "lead_time"), finished[:, 0, :-1]
        variables[f"{name}_pooled"] = ("forecaster",), finished[:, 0, -1]
        each = metric.finish(*(windows[:, statistics.index(one)] for one in metric.statistics))
        variables[f"{name}_by_init"] = (
            ("forecaster", "init_time", "lead_time"),
            np.where(recent.known, each, np.nan),
        )
        if name == "rmse":
            difference = finished[:1, :, -1] - finished[1:, :, -1]
            interval = percentile_interval(np.moveaxis(difference[:, 1:], 1, 0), spec.confidence)
            variables["rmse_difference_pooled"] = ("reference",), difference[:, 0]
            variables["rmse_difference_pooled_interval"] = ("reference", "bound"), interval
    variables["count"] = ("lead_time",), recent.known.sum(axis=0)
    variables["model_id"] = ("init_time",), np.array([str(one) for one in recent.model_ids], dtype=object)
    return xr.Dataset(
        variables,
        {
            "forecaster": np.array(names, dtype=object),
            "reference": np.array(names[1:], dtype=object),
            "bound": np.array(["low", "high"], dtype=object),
            "init_time": recent.issued.init_time,
            "lead_time": recent.lead_time,
        },
        {"confidence": spec.confidence, "block_length": spec.block_length},
    )


def _summary(scores: xr.Dataset, recent: _Recent, model: str, ladder: list[str]) -> Rolling:
    verified = int(recent.known.sum())
    rmse = {
        str(name): round(float(value), 6)
        for name, value in zip(scores.forecaster.values, scores.rmse_pooled.values, strict=True)
        if np.isfinite(value)
    }
    best = min((name for name in ladder if name in rmse), key=rmse.__getitem__, default=None)
    interval = None
    if best is not None:
        low, high = scores.rmse_difference_pooled_interval.sel(reference=best).values.tolist()
        interval = (low, high) if np.isfinite([low, high]).all() else None
    return Rolling(
        model=model,
        first_init=str(recent.issued.init_time[0])[:16],
        last_init=str(recent.issued.init_time[-1])[:16],
        forecasts=len(recent.issued),
        verified=verified,
        waiting=int((~recent.known.all(axis=1)).sum()),
        rmse=rmse,
        best_rung=best,
        difference=float(scores.rmse_difference_pooled.sel(reference=best)) if best else None,
        interval=interval,
        units=str(scores.attrs["units"]),
    )

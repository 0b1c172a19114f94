"""Scores of a model and its ladder on the very same windows, with paired block-bootstrap intervals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import ConfigError
from pipeline.evaluation import METRICS
from pipeline.evaluation.aggregate import SEASONS, sample, season_members
from pipeline.evaluation.bootstrap import percentile_interval, resamples

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import xarray as xr
    from numpy.typing import NDArray

    from pipeline.evaluation.aggregate import Sampled
    from pipeline.evaluation.base import Metric
    from pipeline.evaluation.specs import EvaluationSpec

    Floats = NDArray[np.float64]


def evaluate(
    forecasts: Mapping[str, xr.DataArray],
    truth: xr.DataArray,
    climatology: xr.DataArray,
    ocean: xr.DataArray,
    spec: EvaluationSpec,
    *,
    model: str,
    ladder: Sequence[str] | None = None,
    provenance: Mapping[str, str] | None = None,
) -> xr.Dataset:
    """Score every forecaster, by area, by season of the valid time, and by lead.

    Parameters
    ----------
    forecasts
        By name, each (init_time, lead_time, latitude, longitude) in the units of the truth, NaN on land. May
        be lazy.
    truth, climatology
        Of the same shape: what was observed, with its `units`, and what the training times expect.
    ocean
        bool (latitude, longitude): the cells that are scored.
    model
        The forecaster that is judged.
    ladder
        Those that all are compared with; every other one where not given.
    provenance
        Attributes of the result (`experiment`, `region`, `archive_snapshot`, `cube_snapshot`).

    Returns
    -------
    Dataset with, for each metric of METRICS, `<metric>` (forecaster, area, season, lead_time),
    `<metric>_pooled` (forecaster, area, season) over all leads, and `<metric>_map` (forecaster, lead_time,
    latitude, longitude); `rmse_difference`, `mae_difference` and `skill` = 1 − RMSE / RMSE of the reference, with
    a further dimension `reference`, also `…_pooled`; `count` (season, lead_time) of windows; where valid times
    are of more hours than one, `<metric>_hourly` (forecaster, lead_time, hour) by their hour. All but maps,
    hours and count have an `<name>_interval` (…, bound). It is NaN where windows are too few for
    one: less than two blocks, or a resample without the season.

    Raises
    ------
    WindowError, GridError
        As for `sample`.
    ConfigError
        `model` or a rung is not among the forecasts.
    """
    import xarray as xr

    ladder = [name for name in forecasts if name != model] if ladder is None else list(ladder)
    if not {model, *ladder} <= set(forecasts):
        raise ConfigError(
            f"{model!r} is to be judged beside {', '.join(ladder)}, and there are forecasts of {', '.join(forecasts)}",
            remedy="forecast with all of them first, or name these",
            model=model,
        )
    names = [model, *(name for name in forecasts if name != model)]
    units = str(truth.attrs["units"])
    sampled = sample({name: forecasts[name] for name in names}, truth, climatology, ocean, spec.areas)
    inside = season_members(truth.init_time.values, truth.lead_time.values)
    counts = resamples(truth.sizes["init_time"], spec)
    means = [_means(windows, inside, counts) for windows in sampled.windows]
    table = _Table(spec.confidence)
    for name, metric in METRICS.items():
        finished = _finished(metric, sampled, means)
        table.add(name, ("forecaster",), finished, metric.long_name, metric.units or units)
    dims = ("forecaster", "reference")
    for name in ("mae", "rmse"):
        errors = list(_finished(METRICS[name], sampled, means))
        rungs = [errors[names.index(rung)] for rung in ladder]
        beside = np.stack(rungs, axis=1) if rungs else np.empty((len(counts), 0, *errors[0].shape[1:]))
        differences = (one[:, None] - beside for one in errors)
        long_name = f"{name.upper()} minus that of the reference"
        table.add(f"{name}_difference", dims, differences, long_name, units)
    skills = (1 - _ratio(one[:, None], beside) for one in errors)
    table.add("skill", dims, skills, "Skill, 1 minus RMSE over that of the reference", "1")
    variables = {**table.variables, **_maps(sampled, ocean, units), **_hourly(sampled, truth, units)}
    variables["count"] = ("season", "lead_time"), inside.sum(axis=1), {"long_name": "Windows", "units": "1"}
    coords: dict[str, Any] = {
        "forecaster": _names(names),
        "reference": _names(ladder),
        "area": _names(sampled.areas),
        "season": _names(SEASONS),
        "bound": _names(("low", "high")),
        "lead_time": truth.lead_time.variable,
        "latitude": ocean.latitude.variable,
        "longitude": ocean.longitude.variable,
    }
    if any("hour" in dims for dims, *_ in variables.values()):
        coords["hour"] = "hour", np.arange(24), {"long_name": "hour of the valid time"}
    attributes = _attributes(truth, spec, model, provenance or {})
    return xr.Dataset(variables, coords, attributes)


Variable = tuple[tuple[str, ...], "NDArray[Any]", dict[str, str]]


@dataclass(frozen=True, slots=True)
class _Table:
    """Variables of the result and their intervals."""

    confidence: float
    variables: dict[str, Variable] = field(default_factory=dict)

    def add(
        self, name: str, dims: tuple[str, ...], forecasters: Iterable[Floats], long_name: str, units: str
    ) -> None:
        """Add `name`, its pool over leads, and their intervals.

        Each forecaster is (sample and resamples, …, area, season, leads and their pool).
        """
        pairs = [(one[0], percentile_interval(one[1:], self.confidence)) for one in forecasters]
        value, low_high = (np.stack(parts) for parts in zip(*pairs, strict=True))
        for suffix, slices, pick, over in (
            ("", ("lead_time",), slice(-1), ""),
            ("_pooled", (), -1, ", over all leads"),
        ):
            where = (*dims, "area", "season", *slices)
            attrs = {"long_name": long_name + over, "units": units}
            self.variables[name + suffix] = where, value[..., pick], attrs
            bounds = {"long_name": f"{self.confidence:.0%} interval of: {long_name}{over}", "units": units}
            self.variables[f"{name}{suffix}_interval"] = (*where, "bound"), low_high[..., pick, :], bounds


def _means(windows: Floats, inside: NDArray[np.bool_], counts: Floats) -> Floats:
    """Means over the windows of each season: (resample, statistic, area, season, leads and their pool).

    `windows` is (statistic, area, init_time, lead_time).
    """
    number = np.tensordot(counts, inside.astype(float), axes=(1, 1))[:, None, None]
    totals = np.stack(
        [np.tensordot(counts, np.where(mine, windows, 0.0), axes=(1, 2)) for mine in inside], axis=3
    )
    return _ratio(_with_pool(totals), _with_pool(number))


def _with_pool(values: Floats) -> Floats:
    return np.concatenate([values, values.sum(axis=-1, keepdims=True)], axis=-1)


def _ratio(above: Floats, below: Floats) -> Floats:
    """`above` / `below`, NaN over zero: no windows, or a reference without an error."""
    out = np.full(np.broadcast_shapes(above.shape, below.shape), np.nan)
    return np.asarray(np.divide(above, below, out=out, where=below != 0))


def _finished(metric: Metric, sampled: Sampled, means: Iterable[Floats]) -> Iterable[Floats]:
    positions = [sampled.statistics.index(name) for name in metric.statistics]
    return (metric.finish(*(one[:, position] for position in positions)) for one in means)


def _hourly(sampled: Sampled, truth: xr.DataArray, units: str) -> dict[str, Variable]:
    """Metrics by the hour of the valid time, over the whole area, if it is ever another."""
    valid = truth.init_time.values[:, None] + truth.lead_time.values
    hour = ((valid - valid.astype("datetime64[D]")) // np.timedelta64(1, "h")).astype(int)
    if np.ptp(hour) == 0:
        return {}
    mine = np.stack([hour == each for each in range(24)]).astype(float)
    totals = np.einsum("fsil,hil->fslh", sampled.windows[:, :, 0], mine)
    means = _ratio(totals, mine.sum(axis=1).T)
    variables: dict[str, Variable] = {}
    for name, metric in METRICS.items():
        values = metric.finish(*(means[:, sampled.statistics.index(one)] for one in metric.statistics))
        attrs = {
            "long_name": f"{metric.long_name}, by hour of the valid time",
            "units": metric.units or units,
        }
        variables[f"{name}_hourly"] = ("forecaster", "lead_time", "hour"), values, attrs
    return variables


def _maps(sampled: Sampled, ocean: xr.DataArray, units: str) -> dict[str, Variable]:
    wet = ocean.transpose("latitude", "longitude").values.astype(bool)
    maps: dict[str, Variable] = {}
    for name, metric in METRICS.items():
        positions = [sampled.statistics.index(one) for one in metric.statistics]
        cells = metric.finish(*(sampled.cells[:, position] for position in positions))
        values = np.full((*cells.shape[:2], *wet.shape), np.nan, dtype=np.float32)
        values[..., wet] = cells
        attrs = {"long_name": f"{metric.long_name}, of each cell", "units": metric.units or units}
        maps[f"{name}_map"] = ("forecaster", "lead_time", "latitude", "longitude"), values, attrs
    return maps


def _names(values: Iterable[str]) -> NDArray[np.object_]:
    # Zarr v3 has a specification for strings of variable length only, which NumPy holds as objects.
    return np.array(list(values), dtype=object)


def _attributes(
    truth: xr.DataArray, spec: EvaluationSpec, model: str, provenance: Mapping[str, str]
) -> dict[str, Any]:
    init = truth.init_time.values
    lead = truth.lead_time.values
    return {
        **provenance,
        "title": f"Scores of {model} and its baselines",
        "model": model,
        "units": truth.attrs["units"],
        "test_start": str((init[0] + lead[0]).astype("datetime64[D]")),
        "test_end": str((init[-1] + lead[-1]).astype("datetime64[D]")),
        "windows": len(init),
        "confidence": spec.confidence,
        "block_length": spec.block_length,
        "resamples": spec.resamples,
        "seed": spec.seed,
    }

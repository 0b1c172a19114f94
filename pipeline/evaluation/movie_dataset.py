"""The scores of movies as a dataset: measures by lead with intervals, differences from each rung, and examples."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pipeline.evaluation.bootstrap import percentile_interval
from pipeline.evaluation.movie_groups import by_group
from pipeline.evaluation.movie_scores import GROUPS, collect, drawn, resampled, skill_over, what_is_drawn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.evaluation.movie_scores import Forecast
    from pipeline.evaluation.specs import EvaluationSpec
    from pipeline.movies.base import MovieSet
    from pipeline.movies.windows import MovieWindows

    Array = NDArray[np.float64]
    Variable = tuple[tuple[str, ...], NDArray[Any], dict[str, str]]

BOUNDS = ("low", "high")
EXAMPLES = 6
EXAMPLE_CELLS = 40_000
"""Of a picture; of larger ones every second cell is shown, or third, …."""
SQUARED = ("mse", "cell_mse", "mean_mse")
"""Measures in the square of the pictures' units."""
EXAMPLE_VALUES = 6_000_000
"""Of all examples."""


def movies_dataset(
    forecasters: Mapping[str, Forecast],
    record: MovieSet,
    windows: MovieWindows,
    spec: EvaluationSpec,
    *,
    model: str,
    ladder: Sequence[str],
    provenance: Mapping[str, str],
) -> xr.Dataset:
    """The measures of each forecaster on the same windows, with percentile intervals over movies or blocks of windows.

    Returns
    -------
    Dataset
        Every measure (forecaster, lead_time, …) and, as `…_pooled`, (forecaster, …) over all leads, each with
        `…_interval` (…, bound); of the model, `rmse_difference` (reference, lead_time), less the rung's, and `skill`, 1
        − RMSE / the rung's, with `…_pooled` and `…_interval`; examples, see `examples`. `lead_time` counts pictures.
    """
    groups = ("errors", *(each for each in spec.measures if each != "errors"))
    statistics = collect(forecasters, record, windows, groups)
    weights = drawn(windows, spec)
    names = list(forecasters)
    every = [resampled(statistics[name], weights, groups) for name in names]
    found: dict[str, Variable] = {}
    coords: dict[str, Any] = {
        "forecaster": np.array(names, dtype=object),
        "reference": np.array(list(ladder), dtype=object),
        "bound": np.array(BOUNDS, dtype=object),
        "lead_time": ("lead_time", np.arange(1, windows.spec.horizon + 1), {"long_name": "pictures ahead"}),
    }
    for group in map(GROUPS.__getitem__, groups):
        coords |= {name: np.array(values) for name, values in group.coords.items()}
        for name in group.names:
            told = {
                "long_name": group.long_names[name],
                "units": group.units.get(name, _units(name, record.picture.units)),
            }
            extra = tuple(group.dims.get(name, ()))
            by_lead, pooled = (np.stack([each[part][name] for each in every]) for part in (0, 1))
            _put(found, name, ("forecaster", "lead_time", *extra), by_lead, told, spec)
            _put(found, f"{name}_pooled", ("forecaster", *extra), pooled, told, spec)
    for part, ending, dims in ((0, "", ("reference", "lead_time")), (1, "_pooled", ("reference",))):
        rmse = np.stack([each[part]["rmse"] for each in every])
        mine, theirs = rmse[[names.index(model)]], rmse[[names.index(rung) for rung in ladder]]
        told = {"long_name": "RMSE, the model's less the rung's", "units": record.picture.units}
        _put(found, f"rmse_difference{ending}", dims, mine - theirs, told, spec)
        told = {"long_name": "skill, 1 minus RMSE over that of the rung", "units": "1"}
        _put(found, f"skill{ending}", dims, skill_over(mine, theirs), told, spec)
    grouped = by_group(
        statistics,
        windows,
        record.ids,
        spec,
        model=model,
        ladder=ladder,
    )
    for name, each in grouped.items():
        (coords if name == "group" else found)[name] = each
    over_all = dict(zip(names, (float(each[1]["rmse"][0]) for each in every), strict=True))
    best = min(ladder, key=lambda name: over_all[name], default=None)
    shown = {"model": forecasters[model]} | ({} if best is None else {"best_rung": forecasters[best]})
    shown |= {f"rung_{rung}": forecasters[rung] for rung in ladder if rung != best}
    pictures, axes = examples(shown, record, windows)
    return xr.Dataset(
        found | pictures,
        coords=coords | axes,
        attrs={
            "model": model,
            "best_rung": best or "",
            "confidence": spec.confidence,
            "resamples": spec.resamples,
            "windows": len(windows),
            "drawn": what_is_drawn(windows),
            "movies": len(np.unique(windows.movie)),
            "units": record.picture.units,
            "picture": record.picture.long_name,
            "shown": list(record.picture.shown),
            "step_seconds": record.picture.step or 0,
            **provenance,
        },
    )


def examples(
    shown: Mapping[str, Forecast], record: MovieSet, windows: MovieWindows
) -> tuple[dict[str, Variable], dict[str, Any]]:
    """Some windows, evenly spread: `example_history`, `example_truth`, `example_model`, `example_best_rung` and others.

    Each (example, past or lead_time, example_y, example_x), the other rungs as `example_rung_…`; large pictures are
    thinned. A forecast is shown where there is a truth.
    """
    spec = windows.spec
    rows, columns = len(record.y.values), len(record.x.values)
    thin = max(1, math.ceil(math.sqrt(rows * columns / EXAMPLE_CELLS)))
    cells = len(range(0, rows, thin)) * len(range(0, columns, thin))
    room = EXAMPLE_VALUES // (cells * (spec.history + (1 + len(shown)) * spec.horizon))
    many = min(len(windows), max(1, min(EXAMPLES, room)))
    chosen = np.unique(np.linspace(0, len(windows) - 1, many).round().astype(int))
    some = windows.part(chosen)
    whole = some.pictures(record.values, 0, spec.history)
    truth = some.pictures(record.asked, spec.history, spec.length)
    parts = {"history": whole, "truth": truth}
    # Of forecasts at each step, the last.
    for name, forecast in shown.items():
        given = forecast(whole, spec.horizon)[:, -spec.horizon :]
        parts[name] = np.where(np.isfinite(truth), given, np.float32(np.nan))
    told = {"units": record.picture.units, "long_name": record.picture.long_name}
    found: dict[str, Variable] = {
        f"example_{name}": (
            ("example", "past" if name == "history" else "lead_time", "example_y", "example_x"),
            np.ascontiguousarray(each[..., ::thin, ::thin], np.float32),
            told,
        )
        for name, each in parts.items()
    }
    begins = record.time[some.first + spec.history - 1]
    labels = [
        record.ids[movie] if np.isnat(time) else f"{time.astype('datetime64[m]')}".replace("T", " ")
        for movie, time in zip(some.movie, begins, strict=True)
    ]
    return found, {
        "example": np.array(labels, dtype=object),
        "past": np.arange(1 - spec.history, 1),
        "example_y": np.array(record.y.values[::thin]),
        "example_x": np.array(record.x.values[::thin]),
    }


def _put(
    found: dict[str, Variable],
    name: str,
    dims: tuple[str, ...],
    values: Array,
    told: dict[str, str],
    spec: EvaluationSpec,
) -> None:
    """A measure (row, 1 + resample, …), and its interval."""
    found[name] = (dims, values[:, 0], told)
    interval = percentile_interval(np.moveaxis(values[:, 1:], 1, 0), spec.confidence)
    found[f"{name}_interval"] = ((*dims, "bound"), interval, told)


def _units(name: str, units: str) -> str:
    return f"{units}2" if name in SQUARED and units != "1" else units

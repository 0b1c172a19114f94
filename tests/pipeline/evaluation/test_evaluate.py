"""Scores against plain loops, against `scores` itself, and the laws that they keep."""

import numpy as np
import pytest
import scores.continuous
import xarray as xr

from pipeline.errors import ConfigError, GridError, WindowError
from pipeline.evaluation import METRICS
from pipeline.evaluation.aggregate import SEASONS, sample
from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.specs import EvaluationSpec
from pipeline.types import Box

SPEC = EvaluationSpec(
    resamples=60, block_length=10, areas={"east": Box(latitude=(-55, -25), longitude=(178, -165))}
)


def run(data, spec=SPEC, **changes):
    given = {**vars(data), **changes}
    return evaluate(
        given["forecasts"], given["truth"], given["climatology"], given["ocean"], spec, model="net"
    )


def by_loops(forecast, truth, climatology, members, cells, latitude):
    """rmse, mae, bias and acc over explicit windows and cells, one value at a time."""
    weight = square = magnitude = error = product = ours = theirs = 0.0
    for i, k in members:
        for row, column in cells:
            w = np.cos(np.deg2rad(latitude[row]))
            f, t, c = (float(a.values[i, k, row, column]) for a in (forecast, truth, climatology))
            weight += w
            square += w * (f - t) ** 2
            magnitude += w * abs(f - t)
            error += w * (f - t)
            product += w * (f - c) * (t - c)
            ours += w * (f - c) ** 2
            theirs += w * (t - c) ** 2
    return {
        "rmse": np.sqrt(square / weight),
        "mae": magnitude / weight,
        "bias": error / weight,
        "acc": product / np.sqrt(ours * theirs),
    }


@pytest.mark.parametrize("area", ["all", "east"])
@pytest.mark.parametrize("season", ["all", "DJF", "MAM"])
def test_every_metric_is_what_plain_loops_give(windows, area, season):
    data = windows()
    result = run(data).sel(area=area, season=season)
    latitude, longitude = data.ocean.latitude.values, data.ocean.longitude.values
    cells = [
        (row, column)
        for row, column in np.argwhere(data.ocean.values)
        if area == "all" or (latitude[row] >= -55 and longitude[column] >= 178)
    ]
    valid = data.truth.init_time + data.truth.lead_time
    months = valid.dt.month.values
    every = [(i, k) for i, k in np.ndindex(months.shape) if months[i, k] in SEASONS[season]]
    for name, forecast in data.forecasts.items():
        for k in range(3):
            members = [(i, lead) for i, lead in every if lead == k]
            expected = by_loops(forecast, data.truth, data.climatology, members, cells, latitude)
            for metric, value in expected.items():
                got = float(result[metric].sel(forecaster=name).isel(lead_time=k))
                assert got == pytest.approx(value, rel=1e-6)
            assert int(result["count"].isel(lead_time=k)) == len(members)
        expected = by_loops(forecast, data.truth, data.climatology, every, cells, latitude)
        for metric, value in expected.items():
            assert float(result[f"{metric}_pooled"].sel(forecaster=name)) == pytest.approx(value, rel=1e-6)


def test_errors_are_those_of_the_scores_library(windows):
    data = windows()
    result = run(data)
    whole = result.sel(area="all", season="all", forecaster="damped")
    forecast, truth = data.forecasts["damped"].astype(float), data.truth.astype(float)
    weights = np.cos(np.deg2rad(data.ocean.latitude)) * data.ocean
    options = {"preserve_dims": "lead_time", "weights": weights}
    xr.testing.assert_allclose(
        whole.rmse.drop_vars(("area", "season", "forecaster")),
        scores.continuous.rmse(forecast, truth, **options),
    )
    np.testing.assert_allclose(whole.mae, scores.continuous.mae(forecast, truth, **options))
    np.testing.assert_allclose(
        whole.bias, scores.continuous.additive_bias(forecast, truth, **options), atol=1e-9
    )
    expected = scores.continuous.rmse(forecast, truth, reduce_dims="init_time").where(data.ocean)
    np.testing.assert_allclose(whole.rmse_map, expected, rtol=1e-6)
    expected = scores.continuous.additive_bias(forecast, truth, reduce_dims="init_time").where(data.ocean)
    np.testing.assert_allclose(whole.bias_map, expected, atol=1e-6)


def test_land_never_counts(windows):
    data = windows()
    odd = {name: one.where(data.ocean, 1e6) for name, one in data.forecasts.items()}
    xr.testing.assert_identical(run(data), run(data, forecasts=odd))


def test_an_unexpected_nan_spreads_as_far_as_it_matters_and_no_further(windows):
    data = windows()
    row, column = next((r, c) for r, c in np.argwhere(data.ocean.values) if c <= 1)
    hole = data.forecasts["damped"].copy()
    hole[1, 0, row, column] = np.nan
    result = run(data, forecasts={**data.forecasts, "damped": hole})
    hurt = result.sel(area="all", season=["all", "DJF"], forecaster="damped").isel(lead_time=0)
    for metric in METRICS:
        assert np.isnan(hurt[metric]).all()
        assert np.isnan(hurt[f"{metric}_interval"]).all()
        assert np.isfinite(result[metric].sel(season="MAM")).all()
        assert np.isfinite(result[metric].sel(area="east", season="all")).all()
        assert np.isfinite(result[metric].sel(forecaster=["net", "persistence"], season="all")).all()
        assert np.isfinite(result[metric].isel(lead_time=[1, 2]).sel(season="all")).all()


def test_a_nan_in_the_truth_spoils_every_forecaster(windows):
    data = windows()
    truth = data.truth.copy()
    row, column = np.argwhere(data.ocean.values)[0]
    truth[3, 1, row, column] = np.nan
    result = run(data, truth=truth).sel(area="all", season="all").isel(lead_time=1)
    assert np.isnan(result.rmse).all()
    assert np.isnan(result.skill).all()


@pytest.mark.parametrize("cut", [1, 17, 32, 49])
def test_chunks_combine_to_the_whole(windows, cut):
    data = windows()
    whole = sample(data.forecasts, data.truth, data.climatology, data.ocean, {})
    parts = [
        sample(
            {name: one.isel(init_time=part) for name, one in data.forecasts.items()},
            data.truth.isel(init_time=part),
            data.climatology.isel(init_time=part),
            data.ocean,
            {},
        )
        for part in (slice(None, cut), slice(cut, None))
    ]
    joined = np.concatenate([part.windows for part in parts], axis=3)
    np.testing.assert_allclose(joined, whole.windows, rtol=1e-12)
    shares = np.array([cut, 50 - cut]) / 50
    for metric in METRICS.values():
        positions = [whole.statistics.index(name) for name in metric.statistics]
        combined = [
            sum(p.cells[:, at] * share for p, share in zip(parts, shares, strict=True)) for at in positions
        ]
        np.testing.assert_allclose(
            metric.finish(*combined), metric.finish(*(whole.cells[:, at] for at in positions)), rtol=1e-9
        )
    # The law has teeth: a mean of roots is another number.
    roots = [np.sqrt(part.cells[:, 0]) for part in parts]
    assert not np.allclose(roots[0] * shares[0] + roots[1] * shares[1], np.sqrt(whole.cells[:, 0]), rtol=1e-9)


def test_a_forecaster_has_no_skill_against_itself_and_knows_it(windows):
    result = run(windows())
    for name in ("persistence", "damped"):
        pair = result.sel(forecaster=name, reference=name, season="all")
        for variable in ("skill", "rmse_difference"):
            for pooled in ("", "_pooled"):
                assert (pair[f"{variable}{pooled}"] == 0).all()
                assert (pair[f"{variable}{pooled}_interval"] == 0).all()


def test_paired_intervals_are_narrower_than_those_of_the_parts(windows):
    data = windows(length=200)
    shifted = data.forecasts["net"] + 0.01
    result = run(data, forecasts={"net": data.forecasts["net"], "shifted": shifted})
    whole = result.sel(area="all", season="all")

    def width(interval):
        return float((interval.sel(bound="high") - interval.sel(bound="low")).mean())

    paired = width(whole.rmse_difference_interval.sel(forecaster="net", reference="shifted"))
    assert paired < 0.1 * width(whole.rmse_interval.sel(forecaster="net"))


def test_skill_and_difference_agree_with_the_rmse(windows):
    result = run(windows())
    reference = result.rmse.rename(forecaster="reference").sel(reference=["persistence", "damped"])
    np.testing.assert_allclose(
        result.rmse_difference, (result.rmse - reference).transpose(*result.rmse_difference.dims)
    )
    np.testing.assert_allclose(result.skill, (1 - result.rmse / reference).transpose(*result.skill.dims))


def test_intervals_hold_their_value_and_the_model_comes_first(windows):
    data = windows(length=200)
    result = run(data, forecasts=dict(reversed(data.forecasts.items())))
    assert list(result.forecaster.values) == ["net", "damped", "persistence"]
    assert list(result.reference.values) == ["damped", "persistence"]
    for name in ("rmse", "mae", "bias", "acc", "skill", "rmse_difference"):
        value, interval = (result[n].sel(season="all") for n in (name, f"{name}_interval"))
        assert (interval.sel(bound="low") <= value + 1e-12).all()
        assert (value <= interval.sel(bound="high") + 1e-12).all()


def test_climatology_itself_has_no_anomaly_correlation(windows):
    data = windows()
    result = run(data, forecasts={**data.forecasts, "climatology": data.climatology})
    assert np.isnan(result.acc.sel(forecaster="climatology")).all()
    assert np.isfinite(result.rmse.sel(forecaster="climatology", season="all")).all()


def test_too_few_windows_give_values_without_intervals(windows):
    result = run(windows(length=19))
    assert np.isfinite(result.rmse.sel(season="all")).all()
    assert np.isnan(result.rmse_interval).all()
    assert np.isnan(result.rmse.sel(season="JJA")).all()
    assert (result["count"].sel(season="JJA") == 0).all()


def test_seasons_part_the_windows(windows):
    counts = run(windows(length=400))["count"]
    np.testing.assert_array_equal(
        counts.sel(season="all"), counts.sel(season=["DJF", "MAM", "JJA", "SON"]).sum("season")
    )


def test_lazy_forecasts_score_alike(windows):
    data = windows()
    lazy = {name: one.chunk(init_time=7) for name, one in data.forecasts.items()}
    xr.testing.assert_identical(run(data), run(data, forecasts=lazy))


def test_other_windows_are_refused_by_name(windows):
    data = windows()
    late = {**data.forecasts, "damped": data.forecasts["damped"].isel(init_time=slice(1, None))}
    with pytest.raises(WindowError, match=r"damped .* init_time") as caught:
        run(data, forecasts=late)
    assert caught.value.fields["forecaster"] == "damped"
    short = {**data.forecasts, "damped": data.forecasts["damped"].isel(lead_time=slice(2))}
    with pytest.raises(WindowError, match="lead_time"):
        run(data, forecasts=short)


def test_another_grid_an_empty_area_and_an_unknown_model_are_refused(windows):
    data = windows()
    moved = {**data.forecasts, "damped": data.forecasts["damped"].assign_coords(latitude=np.arange(4.0))}
    with pytest.raises(GridError, match=r"damped .* latitude"):
        run(data, forecasts=moved)
    with pytest.raises(GridError, match="arctic"):
        run(data, EvaluationSpec(areas={"arctic": Box(latitude=(70, 80), longitude=(0, 10))}))
    with pytest.raises(ConfigError, match="lstm"):
        evaluate(data.forecasts, data.truth, data.climatology, data.ocean, SPEC, model="lstm")
    with pytest.raises(ValueError, match="whole region"):
        EvaluationSpec(areas={"all": Box(latitude=(70, 80), longitude=(0, 10))})

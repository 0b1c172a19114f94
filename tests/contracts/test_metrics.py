"""What every entry of METRICS promises."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation import METRICS
from pipeline.evaluation.base import Samples

SHAPE = (6, 3, 7)
DIMS = ("init_time", "lead_time", "cell")
every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)


def samples(seed: int) -> Samples:
    rng = np.random.default_rng(seed)
    return Samples(*(xr.DataArray(rng.normal(size=SHAPE), dims=DIMS) for _ in range(3)))


def finished(metric, given, weights=None) -> np.ndarray:
    means = [np.average(s(given).values, axis=(0, 2), weights=weights) for s in metric.statistics.values()]
    return metric.finish(*means)


@every_metric
@given(seed=st.integers(0, 2**32 - 1))
def test_statistics_keep_the_shape_and_leave_their_arguments_alone(metric, seed):
    given, twin = samples(seed), samples(seed)
    for statistic in metric.statistics.values():
        values = statistic(given)
        assert values.dims == DIMS
        assert values.shape == SHAPE
        assert np.isfinite(values).all()
    for one, other in ((given.forecast, twin.forecast), (given.truth, twin.truth)):
        xr.testing.assert_identical(one, other)


@every_metric
@pytest.mark.parametrize("part", ["forecast", "truth"])
def test_a_nan_reaches_the_metric_of_its_lead_only(metric, part):
    given = samples(1)
    getattr(given, part)[2, 1, 3] = np.nan
    values = finished(metric, given)
    assert np.isnan(values[1])
    assert np.isfinite(values[[0, 2]]).all()


@every_metric
def test_finish_works_elementwise_on_any_shape(metric):
    given = samples(2)
    means = [s(given).values for s in metric.statistics.values()]
    whole = metric.finish(*means)
    assert whole.shape == SHAPE
    one = metric.finish(*(mean[3, 2] for mean in means))
    np.testing.assert_array_equal(whole[3, 2], one)


@every_metric
@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(1, SHAPE[0] - 1))
def test_means_of_chunks_finish_to_the_metric_of_the_whole(metric, seed, cut):
    given = samples(seed)
    parts = [
        Samples(*(array[piece] for array in (given.forecast, given.truth, given.climatology)))
        for piece in (slice(None, cut), slice(cut, None))
    ]
    shares = (cut / SHAPE[0], 1 - cut / SHAPE[0])
    combined = [
        sum(
            share * statistic(part).values.mean(axis=(0, 2))
            for share, part in zip(shares, parts, strict=True)
        )
        for statistic in metric.statistics.values()
    ]
    np.testing.assert_allclose(metric.finish(*combined), finished(metric, given), rtol=1e-9, atol=1e-12)


@every_metric
def test_a_perfect_forecast_is_perfect(metric):
    given = samples(3)
    best = 1.0 if metric is METRICS["acc"] else 0.0
    perfect = Samples(given.truth, given.truth, given.climatology)
    np.testing.assert_allclose(finished(metric, perfect), best, atol=1e-12)


@every_metric
def test_it_says_what_it_is(metric):
    assert metric.long_name
    assert metric.units is None or metric.units
    assert metric.statistics


def test_metrics_that_share_a_statistic_mean_the_same_by_it():
    known = {}
    for metric in METRICS.values():
        for name, statistic in metric.statistics.items():
            assert known.setdefault(name, statistic) is statistic

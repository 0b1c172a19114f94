import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.climatology import HarmonicClimatology
from pipeline.errors import NotFittedError
from pipeline.forecasts.base import Record
from pipeline.scaling import AnomalyScaling
from tests.records import SPLITS, YEARLY, changed, make_sea

SEA = make_sea()


def scaling_of(record):
    climatology = HarmonicClimatology.fit(record.values, record.time, YEARLY, within=SPLITS.train)
    return AnomalyScaling.fit(record, climatology)


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), first=st.integers(0, 600), length=st.integers(1, 40))
def test_decode_undoes_encode(seed, first, length):
    scaling = scaling_of(SEA)
    time = SEA.time[first : first + length]
    values = np.random.default_rng(seed).uniform(-2, 35, (len(time), 8, 8)).astype(np.float32)
    values[:, ~SEA.ocean] = np.nan
    scaled = scaling.encode(values, time)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaling.decode(scaled, time), values, rtol=0, atol=1e-5)
    np.testing.assert_allclose(scaling.encode(scaling.decode(scaled, time), time), scaled, rtol=0, atol=1e-4)


def test_training_anomalies_have_unit_variance_over_the_area():
    scaled = scaling_of(SEA).encode(SEA.values, SEA.time)[:450]
    weights = np.where(SEA.ocean, np.cos(np.radians(SEA.latitude))[:, None], 0)
    square = np.average(np.mean(np.nan_to_num(scaled) ** 2, axis=0), weights=weights)
    assert square == pytest.approx(1, abs=1e-5)


def test_nothing_after_the_training_times_has_a_part_in_it():
    assert scaling_of(changed(SEA, slice(450, None))).deviation == scaling_of(SEA).deviation
    assert scaling_of(changed(SEA, slice(440, 450))).deviation != scaling_of(SEA).deviation


def test_a_nan_stays_where_it_is():
    scaled = scaling_of(SEA).encode(changed(SEA, slice(7, 8), by=np.nan).values, SEA.time)
    assert np.isnan(scaled[7]).all()
    assert np.isfinite(scaled[[6, 8]][:, SEA.ocean]).all()


@pytest.mark.parametrize("shape", [(3, 8, 7), (3, 1, 8), (8,), (3, 1)])
def test_another_grid_is_refused(shape):
    scaling = scaling_of(SEA)
    for use in (scaling.encode, scaling.decode):
        with pytest.raises(NotFittedError, match=r"grid \(8, 8\)") as caught:
            use(np.zeros(shape, np.float32), SEA.time[:3])
        assert caught.value.fields["expected"] == (8, 8)


def test_a_sea_without_any_variability_cannot_be_scaled():
    flat = np.where(SEA.ocean, np.float32(4), np.float32(np.nan)) + np.zeros((650, 1, 1), np.float32)
    record = Record(flat, SEA.time, SEA.latitude, SEA.longitude, SEA.ocean)
    with pytest.raises(NotFittedError, match="no variability"):
        scaling_of(record)

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.climatology import ClimatologySpec, HarmonicClimatology, harmonics
from pipeline.errors import NotFittedError
from tests.records import START, period

DAYS = 800
TIME = (np.datetime64(START) + np.arange(DAYS)).astype("datetime64[ns]")
WITHIN = period(0, 499)
seeds = st.integers(0, 2**32 - 1)


def known(seed, count, cells=3):
    """Coefficients, and the values that they make on every day."""
    coefficients = np.random.default_rng(seed).normal(scale=5, size=(1 + 2 * count, cells))
    return coefficients, harmonics(TIME, count) @ coefficients


@given(seed=seeds, count=st.integers(0, 4))
def test_known_harmonics_are_recovered(seed, count):
    coefficients, values = known(seed, count)
    fitted = HarmonicClimatology.fit(values, TIME, ClimatologySpec(harmonics=count), within=WITHIN)
    np.testing.assert_allclose(fitted.coefficients, coefficients, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(fitted.at(TIME), values, rtol=1e-5, atol=1e-5)


@given(seed=seeds)
def test_it_is_the_least_squares_fit(seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(DAYS, 2, 3))
    fitted = HarmonicClimatology.fit(values, TIME, ClimatologySpec(harmonics=2), within=WITHIN)
    left_over = (values - np.tensordot(harmonics(TIME, 2), fitted.coefficients, axes=1))[:500]
    np.testing.assert_allclose(np.tensordot(harmonics(TIME, 2)[:500].T, left_over, axes=1), 0, atol=1e-8)


@given(seed=seeds, first=st.integers(500, DAYS - 1), noise=st.sampled_from([np.nan, np.inf, 1e6]))
def test_nothing_outside_its_time_has_a_part_in_it(seed, first, noise):
    values = np.random.default_rng(seed).normal(size=(DAYS, 4)).astype(np.float32)
    spec = ClimatologySpec(harmonics=2)
    before = HarmonicClimatology.fit(values, TIME, spec, within=WITHIN)
    values[first:] = noise
    after = HarmonicClimatology.fit(values, TIME, spec, within=WITHIN)
    np.testing.assert_array_equal(after.coefficients, before.coefficients)
    assert after.sha256 == before.sha256
    later = period(1, 500)
    assert HarmonicClimatology.fit(np.nan_to_num(values), TIME, spec, within=later).sha256 != before.sha256


@given(seed=seeds, land=st.sets(st.integers(0, 4), max_size=4), gap=st.integers(0, 100))
def test_land_stays_nan_and_a_gap_is_left_out(seed, land, gap):
    coefficients, values = known(seed, 1, cells=5)
    values[gap : gap + 3, 0] = np.nan
    values[50] = np.nan
    values[:, sorted(land)] = np.nan
    fitted = HarmonicClimatology.fit(values, TIME, ClimatologySpec(harmonics=1), within=WITHIN)
    coefficients[:, sorted(land)] = np.nan
    np.testing.assert_allclose(fitted.coefficients, coefficients, rtol=1e-8, atol=1e-8)


@settings(max_examples=10)
@given(seed=seeds, shape=st.sampled_from([(), (1,), (2, 3)]))
def test_it_is_given_at_times_of_any_shape(seed, shape):
    fitted = HarmonicClimatology(known(seed, 2)[0], WITHIN, "")
    time = TIME[np.random.default_rng(seed).integers(0, DAYS, shape)]
    got = fitted.at(time)
    assert got.shape == (*shape, 3)
    assert got.dtype == np.float32
    for place in np.ndindex(shape):
        np.testing.assert_allclose(got[place], fitted.at(time[place]), rtol=1e-6)


def test_saving_keeps_it_exactly(tmp_path):
    values = np.random.default_rng(1).normal(size=(DAYS, 2, 2))
    values[:, 0, 0] = np.nan
    kept = HarmonicClimatology.fit(values, TIME, ClimatologySpec(), within=WITHIN, snapshot="SNAP")
    kept.save(tmp_path / "c.npz")
    back = HarmonicClimatology.load(tmp_path / "c.npz")
    np.testing.assert_array_equal(back.coefficients, kept.coefficients)
    assert (back.fitted_on, back.snapshot, back.sha256) == (kept.fitted_on, "SNAP", kept.sha256)


@pytest.mark.parametrize("whole", [0, 1, 364])
def test_less_than_a_year_is_refused(whole):
    values = np.full((DAYS, 2), np.nan)
    values[:whole] = 1.0
    with pytest.raises(NotFittedError, match=f"a year of whole training days; .* holds {whole}\n") as caught:
        HarmonicClimatology.fit(values, TIME, ClimatologySpec(), within=WITHIN)
    assert caught.value.fields["days"] == whole

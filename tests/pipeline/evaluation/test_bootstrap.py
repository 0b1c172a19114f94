"""Laws of the moving-block bootstrap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation.bootstrap import block_counts, percentile_interval


@given(st.integers(1, 60), st.data())
def test_resamples_are_whole_blocks_of_the_right_number(length, data):
    block = data.draw(st.integers(1, length))
    counts = block_counts(length, block_length=block, resamples=20, seed=1)
    assert counts.shape == (20, length)
    np.testing.assert_array_equal(counts.sum(axis=1), length)
    assert (counts >= 0).all()
    # A start or an end of a block is a step in the counts, and there are no more steps than blocks have ends.
    steps = np.abs(np.diff(counts, axis=1, prepend=0, append=0)).sum(axis=1)
    assert (steps <= 2 * -(-length // block)).all()


def test_one_block_of_everything_is_the_sample_itself():
    np.testing.assert_array_equal(block_counts(12, block_length=12, resamples=5, seed=0), 1)


def test_the_seed_decides():
    first, again, other = (block_counts(90, block_length=7, resamples=9, seed=s) for s in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_product_with_the_counts_is_a_mean_over_drawn_blocks():
    rng = np.random.default_rng(5)
    values = rng.normal(size=23)
    starts = np.random.default_rng(8).integers(0, 23 - 5 + 1, size=(4, 5))
    drawn = [np.concatenate([values[s : s + 5] for s in row])[:23].mean() for row in starts]
    counts = block_counts(23, block_length=5, resamples=4, seed=8)
    np.testing.assert_allclose(counts @ values / 23, drawn)


@pytest.mark.parametrize("block", [0, 11])
def test_a_block_that_does_not_fit_is_refused(block):
    with pytest.raises(ValueError, match="does not fit"):
        block_counts(10, block_length=block, resamples=2, seed=0)


def coverage(block: int) -> float:
    """Share of 95 % intervals of the mean of AR(1) series (φ = 0.8, true mean 0) that hold the true mean."""
    rng = np.random.default_rng(11)
    trials, length, memory = 600, 900, 0.8
    series = np.zeros((trials, length + 100))
    noise = rng.normal(size=series.shape)
    for step in range(1, series.shape[1]):
        series[:, step] = memory * series[:, step - 1] + noise[:, step]
    counts = block_counts(length, block_length=block, resamples=400, seed=2)
    bounds = percentile_interval(counts @ series[:, 100:].T / length, 0.95)
    return float(np.mean((bounds[:, 0] <= 0) & (bounds[:, 1] >= 0)))


def test_intervals_cover_the_truth_of_correlated_series():
    # Percentile intervals of twenty blocks are a little short: 91 % in 3,000 trials.
    assert 0.87 <= coverage(block=45) <= 0.97
    assert coverage(block=1) < 0.65, "single steps must be seen to be too sure of themselves"

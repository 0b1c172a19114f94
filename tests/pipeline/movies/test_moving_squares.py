"""Moving squares: what is drawn obeys the description, by an independent look at the pictures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.errors import ConfigError
from pipeline.sources import movie_source
from pipeline.sources.moving_squares import MovingSquaresConfig, make_movie
from tests.squares import squares


@settings(max_examples=20)
@given(number=st.integers(1, 500), seed=st.integers(0, 9))
def test_noise_is_a_tenth_at_a_time_and_never_brighter_than_one(number, seed):
    values, truth = make_movie(number, 6, size=24, noise=True, seed=seed)
    assert set(np.unique(truth)) <= {0.0, 1.0}
    tenths = values * 10
    np.testing.assert_allclose(tenths, np.round(tenths), atol=1e-5)
    assert values.max() <= 1.0
    off = np.abs(values - truth)
    assert off.max() <= 0.7 + 1e-6  # of seven squares
    without, same = make_movie(number, 6, size=24, noise=False, seed=seed)
    np.testing.assert_array_equal(without, truth)
    np.testing.assert_array_equal(same, truth)


@settings(max_examples=20)
@given(number=st.integers(1, 500))
def test_squares_go_on_in_straight_lines(number):
    """A square that is alone and whole in three pictures has moved by the same step twice."""
    _, truth = make_movie(number, 8, size=60, noise=False, seed=1)
    bright = truth.sum(axis=(1, 2))
    # Inside the picture squares neither appear nor fade: brightness changes by overlap and by leaving alone.
    assert bright.min() >= 0
    assert bright.max() <= 7 * 36
    rows = (truth * np.arange(60)[:, None]).sum(axis=(1, 2)) / np.maximum(bright, 1)
    steady = np.flatnonzero((bright[2:] == bright[1:-1]) & (bright[1:-1] == bright[:-2]))
    if np.ptp(bright) == 0:
        np.testing.assert_allclose(np.diff(rows, 2)[steady], 0, atol=0.35)


@given(short=st.integers(1, 6), more=st.integers(0, 6), number=st.integers(1, 50))
@settings(max_examples=20)
def test_a_longer_movie_begins_as_a_shorter_one(short, more, number):
    one = make_movie(number, short, size=12, noise=True, seed=3)
    two = make_movie(number, short + more, size=12, noise=True, seed=3)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b[:short])


def test_a_window_of_a_larger_canvas_shows_the_same():
    """Drawn as the example does: on a canvas twice as large, of which the middle is cut out."""
    rng = np.random.default_rng((0, 5))
    squares_, size = int(rng.integers(3, 8)), 40
    begin, pace = rng.integers(0, size, size=(squares_, 2)), rng.integers(-1, 2, size=(squares_, 2))
    half = rng.choice((2, 3), size=squares_)
    canvas = np.zeros((15, 80, 80))
    for frame in range(15):
        for (row, column), side in zip(begin + 20 + pace * frame, half, strict=True):
            canvas[frame, row - side : row + side, column - side : column + side] = 1
    _, truth = make_movie(5, 15, size=40, noise=True, seed=0)
    np.testing.assert_array_equal(truth, canvas[:, 20:60, 20:60])


def test_the_last_movies_are_longer_and_each_depends_on_its_number_alone():
    table = squares(5, 4, longer=2, longer_pictures=7)
    assert table.lengths.tolist() == [4, 4, 4, 7, 7]
    fewer = squares(2, 4)
    np.testing.assert_array_equal(table.values[:8], fewer.values)
    assert squares(5, 4, seed=1).sha256 != squares(5, 4).sha256
    assert table.truth is not None
    assert squares(2, 4, noise=False).truth is None


def test_full_size_is_as_published():
    config = MovingSquaresConfig()
    assert (config.movies, config.pictures, config.size) == (1200, 16, 40)
    assert config.longer_pictures == 7 + 16


def test_what_cannot_be_made_is_refused():
    with pytest.raises(ConfigError, match="cannot be longer"):
        movie_source("moving-squares", movies=3, longer=4)
    with pytest.raises(ConfigError, match="key of source moving-squares"):
        movie_source("moving-squares", moovies=3)
    with pytest.raises(ValidationError):
        MovingSquaresConfig(size=1)

"""Extrapolation by motion: held against pictures whose motion is known, not against itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipeline.movies.motion import extrapolated, filled, motion, moved

SIZE = 64


def showers(down: float, across: float, turn: float = 0.0) -> np.ndarray:
    """Smooth rain (y, x), shifted by cells and turned by radians about the middle."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    y, x = y - down, x - across
    y, x = np.cos(turn) * y - np.sin(turn) * x, np.sin(turn) * y + np.cos(turn) * x
    total = np.zeros((SIZE, SIZE))
    for _ in range(40):
        row, column = rng.uniform(-SIZE / 2, SIZE / 2, 2)
        total += rng.uniform(0.5, 2) * np.exp(-((y - row) ** 2 + (x - column) ** 2) / rng.uniform(10, 40))
    return total.astype(np.float32)


INSIDE = np.s_[14:-14, 14:-14]


@pytest.mark.parametrize(("down", "across"), [(0, 2), (1.5, -0.5), (-1, -2), (0.25, 0)])
def test_a_shift_is_found_and_goes_on(down: float, across: float) -> None:
    history = np.stack([showers(at * down, at * across) for at in (-1, 0)])
    found = motion(*history)
    for each, expected in zip(found, (down, across), strict=True):
        np.testing.assert_allclose(each[INSIDE], expected, atol=0.1)
    forecast = extrapolated(history, history, 4)
    for lead in range(4):
        truth = showers((lead + 1) * down, (lead + 1) * across)
        apart = np.abs(forecast[lead] - truth)[INSIDE].mean()
        stayed = np.abs(history[-1] - truth)[INSIDE].mean()
        assert apart < 0.35 * stayed


def test_a_turn_is_followed_round() -> None:
    turn = 0.05
    history = np.stack([showers(0, 0, at * turn) for at in (-1, 0)])
    truth = showers(0, 0, 6 * turn)
    forecast = extrapolated(history, history, 6)[-1]
    assert np.abs(forecast - truth)[INSIDE].mean() < 0.25 * np.abs(history[-1] - truth)[INSIDE].mean()


@given(
    picture=arrays(np.float32, (7, 9), elements=st.floats(0, 50, width=32)),
    down=st.integers(-3, 3),
    across=st.integers(-3, 3),
    leads=st.integers(1, 4),
)
@settings(max_examples=60)
def test_whole_cells_are_moved_exactly(picture: np.ndarray, down: int, across: int, leads: int) -> None:
    flow = np.stack([np.full(picture.shape, each, np.float32) for each in (down, across)])
    rows, columns = np.indices(picture.shape)
    for lead, each in enumerate(moved(picture, flow, leads), start=1):
        expected = picture[
            np.clip(rows - lead * down, 0, picture.shape[0] - 1),
            np.clip(columns - lead * across, 0, picture.shape[1] - 1),
        ]
        np.testing.assert_array_equal(each, expected)


def test_what_does_not_move_persists_and_is_known_everywhere() -> None:
    picture = showers(0, 0)
    picture[:5] = np.nan
    history = np.stack([picture, picture])
    for each in extrapolated(history, history, 3):
        np.testing.assert_array_equal(each, filled(picture))
    np.testing.assert_array_equal(extrapolated(history[-1:], history[-1:], 2)[1], filled(picture))


def test_a_margin_of_which_nothing_is_known_does_not_hold_the_rain_back() -> None:
    history = np.stack([showers(0, -2), showers(0, 0)])
    masked = history.copy()
    masked[:, :, :10] = np.nan
    masked[:, :10] = np.nan
    forecast = extrapolated(masked, masked, 3)
    assert np.isfinite(forecast).all()
    truth = showers(0, 6)
    inside = np.s_[22:-14, 22:-14]
    apart = np.abs(forecast[2] - truth)[inside].mean()
    assert apart < 0.35 * np.abs(history[-1] - truth)[inside].mean()


@given(
    picture=arrays(np.float32, (6, 5), elements=st.one_of(st.just(np.nan), st.floats(0, 9, width=32))),
)
def test_a_gap_is_filled_with_the_nearest_known_value(picture: np.ndarray) -> None:
    found = filled(picture)
    known = np.argwhere(np.isfinite(picture))
    assert np.isfinite(found).all()
    for at in np.argwhere(np.isnan(picture)):
        if not len(known):
            assert found[tuple(at)] == 0
            continue
        away = ((known - at) ** 2).sum(axis=1)
        nearest = {float(picture[tuple(each)]) for each in known[away == away.min()]}
        assert float(found[tuple(at)]) in nearest
    np.testing.assert_array_equal(found[np.isfinite(picture)], picture[np.isfinite(picture)])


def test_small_pictures_have_no_motion_to_be_seen() -> None:
    assert not motion(np.zeros((2, 2), np.float32), np.ones((2, 2), np.float32)).any()

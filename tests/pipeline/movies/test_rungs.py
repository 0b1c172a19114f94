"""The ladder of movies, where a picture lacks cells."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipeline.movies.rungs import RUNGS, Persistence

CELLS = st.one_of(st.just(np.nan), st.floats(0, 9, width=32))


@given(history=arrays(np.float32, (2, 3, 4, 5), elements=CELLS), horizon=st.integers(1, 3))
def test_the_last_picture_stays_and_a_cell_that_it_lacks_is_as_the_nearest_known_one(
    history, horizon
) -> None:
    found = Persistence().predict(history, horizon)
    assert found.shape == (2, horizon, 4, 5)
    for last, each in zip(history[:, -1], found, strict=True):
        known = np.argwhere(np.isfinite(last))
        for row, column in np.ndindex(last.shape):
            away = ((known - (row, column)) ** 2).sum(axis=1)
            near = {float(last[tuple(at)]) for at in known[away == away.min(initial=99)]} or {0.0}
            assert {float(value) for value in each[:, row, column]} <= near


@pytest.mark.parametrize("name", RUNGS)
def test_no_rung_lacks_a_cell_where_a_radar_was_out_for_one_picture(name: str) -> None:
    history = np.random.default_rng(0).gamma(1, 2, (2, 3, 9, 9)).astype(np.float32)
    history[0, -1, :, :5] = np.nan
    rung = RUNGS[name]()
    assert np.isfinite(rung.predict(history, 2)).all()

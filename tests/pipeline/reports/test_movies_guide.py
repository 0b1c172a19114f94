"""What the guide to a report of movies explains is what the report has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.movies.windows import MovieSpec
from pipeline.reports import movies_guide
from tests.pages import Page
from tests.squares import make_movies_inputs


@pytest.mark.parametrize(
    ("windows", "stepwise", "rolled"),
    [
        (MovieSpec(history=3, horizon=2, learn="next"), True, True),
        (MovieSpec(history=3, horizon=1, learn="next"), True, False),
        (MovieSpec(history=3, horizon=2, learn="horizon"), False, False),
    ],
)
def test_a_roll_out_is_explained_where_there_is_one(windows: MovieSpec, stepwise: bool, rolled: bool) -> None:
    inputs = make_movies_inputs()
    inputs = replace(inputs, movies=(replace(inputs.movies[0], windows=windows),))
    text = " ".join(Page.parse(movies_guide.build(inputs).html).text.split())
    assert ("one after each that is given" in text) is stepwise
    assert ("Roll-out" in text) is rolled
    assert ("no measure of a roll-out" in text) is rolled

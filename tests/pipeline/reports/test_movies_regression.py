"""The regression table of a report says what the scores say."""

from __future__ import annotations

import pytest

from pipeline.evaluation.regression import STATISTICS
from pipeline.reports import markup, movies_regression
from tests import sea_sequences, squares
from tests.pages import Page


def test_every_cell_and_every_mean_is_that_of_the_scores() -> None:
    inputs = sea_sequences.make_sea_inputs()
    (movies,) = inputs.movies
    page = Page.parse(movies_regression.build(inputs, movies).html)
    scores = movies.scores.squeeze("lead_time")
    pair = ("halfway", "persistence")
    cells = page.tables["movies-cells"][2:]
    assert [row[:2] for row in cells] == [[str(y), str(x)] for y in (1, 2, 3) for x in (1, 2)]
    for row in cells:
        y, x = int(row[0]) - 1, int(row[1]) - 1
        expected = [
            markup.number(float(scores[f"cell_{name}"].sel(forecaster=one)[y, x]), 4)
            for one in pair
            for name in STATISTICS
        ]
        assert row[2:] == expected
    for one, row in zip(pair, page.tables["movies-regression"][1:], strict=True):
        for name, told in zip(STATISTICS, row[1:], strict=True):
            mean = markup.number(float(scores[f"mean_{name}"].sel(forecaster=one)), 4)
            assert told.startswith(mean)
    below = int(
        (scores.cell_rmse.sel(forecaster="halfway") < scores.cell_rmse.sel(forecaster="persistence")).sum()
    )
    assert f"below which the model is in {below} of 6 cells" in " ".join(page.text.split())
    assert [row[0] for row in page.tables["movies-groups"][1:]] == ["black", "bengal"]


@pytest.mark.parametrize(("movies", "told"), [(30, False), (12, True)])
def test_a_part_with_too_few_windows_is_told_why_it_has_no_interval(movies: int, told: bool) -> None:
    inputs = sea_sequences.make_sea_inputs(movies=movies)
    page = Page.parse(movies_regression.build(inputs, inputs.movies[0]).html)
    assert [row[-1] == markup.MISSING for row in page.tables["movies-groups"][1:]] == [told, told]
    assert ("too few of them to draw from" in " ".join(page.text.split())) is told


@pytest.mark.parametrize(
    ("make", "has"), [(sea_sequences.make_sea_inputs, True), (squares.make_movies_inputs, False)]
)
def test_only_movies_that_were_scored_so_have_it(make: object, has: bool) -> None:
    (movies,) = make().movies  # type: ignore[operator]
    assert movies_regression.has_table(movies) is has

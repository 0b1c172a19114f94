"""The regression table among the measures of movies, and forecasts that are judged at each step."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.evaluation.movie_regression import Regression
from pipeline.evaluation.movies import MoviesVerdict
from pipeline.evaluation.regression import STATISTICS, regression_table, summands
from pipeline.movies.base import MovieSet
from pipeline.movies.partition import MoviePartition
from pipeline.movies.windows import MovieSpec
from pipeline.splits import Numbers
from tests.sea_sequences import DAYS, SPEC, scored, seas


def test_each_step_is_a_forecast_from_what_was_there_by_then() -> None:
    record = seas()
    scores = scored(record)
    movies = record.values.reshape(14, DAYS + 1, 3, 2)[2:].astype(np.float64)
    persistence = movies[:, 1:] - movies[:, :-1]
    means = np.stack([movies[:, : step + 1].mean(axis=1) for step in range(DAYS)], axis=1)
    mine = 0.9 * movies[:, :-1] + 0.1 * means + 0.1 - movies[:, 1:]
    for name, error in (("persistence", persistence), ("halfway", mine)):
        found = scores.sel(forecaster=name)
        assert float(found.rmse_pooled) == pytest.approx(np.sqrt((error**2).mean()), rel=1e-5)
        assert float(found.mae.squeeze()) == pytest.approx(np.abs(error).mean(), rel=1e-5)
        np.testing.assert_allclose(found.cell_mse.squeeze(), (error**2).mean(axis=(0, 1)), rtol=1e-4)
    assert scores.attrs["windows"] == 12
    assert scores.sizes["lead_time"] == 1


def test_the_table_is_that_of_all_steps_of_all_movies() -> None:
    record = seas()
    scores = scored(record).sel(forecaster="persistence").squeeze("lead_time")
    movies = record.values.reshape(14, DAYS + 1, 3, 2)[2:]
    truth, given = (part.reshape(-1, 3, 2) for part in (movies[:, 1:], movies[:, :-1]))
    table = regression_table(summands(truth, given).sum(axis=1))
    for name in STATISTICS:
        np.testing.assert_allclose(scores[f"cell_{name}"], table[name], rtol=1e-6)
        assert float(scores[f"mean_{name}"]) == pytest.approx(table[name].mean(), rel=1e-6)
        low, high = scores[f"mean_{name}_interval"].values
        assert low <= high
    assert scores.cell_mse.attrs["units"] == "degree_Celsius2"
    assert scores.cell_r2.attrs["units"] == "1"
    assert scores.cell_rmse.attrs["units"] == "degree_Celsius"


def test_each_group_has_its_own_rmse_and_skill() -> None:
    record = seas()
    names = [("bengal", "black")[at % 2] for at in range(14)]
    of_seas = replace(record, ids=tuple(f"{at} {name} day" for at, name in enumerate(names, 1)))
    scores = scored(of_seas)
    assert scores.group.values.tolist() == ["bengal", "black"]
    movies = record.values.reshape(14, DAYS + 1, 3, 2).astype(np.float64)
    for group in ("bengal", "black"):
        mine = [at for at in range(2, 14) if names[at] == group]
        error = movies[mine, 1:] - movies[mine, :-1]
        found = scores.sel(group=group)
        rmse = float(found.group_rmse.sel(forecaster="persistence"))
        assert rmse == pytest.approx(np.sqrt((error**2).mean()), rel=1e-6)
        skill = float(found.group_skill.sel(reference="persistence"))
        assert skill == pytest.approx(1 - float(found.group_rmse.sel(forecaster="halfway")) / rmse)
    assert "group_rmse" not in scored(record)


def test_a_group_has_the_intervals_that_it_has_alone() -> None:
    record, many = seas(200), 14 * (DAYS + 1)
    names = ["black" if at < 14 else "bengal" for at in range(200)]
    scores = scored(replace(record, ids=tuple(f"{at} {name} day" for at, name in enumerate(names, 1))))
    alone = scored(
        replace(
            record,
            ids=record.ids[:14],
            offset=record.offset[:15],
            time=record.time[:many],
            values=record.values[:many],
        )
    )
    black = scores.sel(group="black")
    for name in ("rmse", "skill"):
        np.testing.assert_allclose(black[f"group_{name}"], alone[f"{name}_pooled"])
        np.testing.assert_allclose(black[f"group_{name}_interval"], alone[f"{name}_pooled_interval"])


def test_a_group_of_too_few_windows_has_its_skill_without_an_interval() -> None:
    few = tuple(f"{at} {'black' if at < 6 else 'bengal'} day" for at in range(1, 31))
    scores = scored(replace(seas(30), ids=few))
    assert np.isnan(scores.group_skill_interval.sel(group="black")).all()
    assert np.isfinite(scores.group_skill_interval.sel(group="bengal")).all()
    assert np.isfinite(scores.group_skill).all()


def test_the_verdict_rests_on_all_steps() -> None:
    verdict = MoviesVerdict.of(scored(seas(40)))
    assert not verdict.promoted
    assert verdict.best_rung == "persistence"
    assert "the next picture" in verdict.sentence


def test_parts_of_the_table_add_up() -> None:
    rng = np.random.default_rng(6)
    truth, given = (rng.normal(size=(9, 2, 3, 2)).astype(np.float32) for _ in range(2))
    group = Regression()
    sums = group.statistics(given, truth)["sums"]
    parts = [group.statistics(given[some], truth[some])["sums"] for some in (slice(4), slice(4, 9))]
    np.testing.assert_array_equal(np.concatenate(parts), sums)
    whole = group.measures({"sums": sums.sum(axis=0)})
    assert set(whole) == set(group.names)
    assert whole["cell_pc"].shape == (2, 3, 2)
    assert whole["mean_pc"].shape == (2,)


def test_a_split_by_number_is_the_same_where_movies_were_left_out() -> None:
    record = seas()
    kept = [at for at in range(14) if at not in (0, 7)]
    fewer = MovieSet(
        ids=tuple(record.ids[at] for at in kept),
        offset=np.arange(13) * (DAYS + 1),
        time=record.time[: 12 * (DAYS + 1)],
        values=record.values.reshape(14, DAYS + 1, 3, 2)[kept].reshape(-1, 3, 2),
        picture=record.picture,
        y=record.y,
        x=record.x,
    )
    splits = Numbers(train=(1, 6), validation=(7, 8), test=(9, 14))
    for name, numbers in (("train", [2, 3, 4, 5, 6]), ("validation", [7]), ("test", [9, 10, 11, 12, 13, 14])):
        windows = MoviePartition(fewer, splits, SPEC).windows(name)  # type: ignore[arg-type]
        assert [int(fewer.ids[at].split()[0]) for at in windows.movie] == numbers


@pytest.mark.parametrize("wrong", [{"learn": "horizon"}, {"learn": "next", "horizon": 2}])
def test_each_step_goes_with_the_next_picture_alone(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="each-step"):
        MovieSpec.model_validate({"history": 5, "judged": "each-step", **wrong})

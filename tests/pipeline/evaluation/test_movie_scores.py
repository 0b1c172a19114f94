"""Scores of movies beside independent sums, their intervals, and the verdict on them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigError, StoreError
from pipeline.evaluation import movie_scores
from pipeline.evaluation.movie_dataset import movies_dataset
from pipeline.evaluation.movie_scores import drawn
from pipeline.evaluation.movies import MoviesStanding, MoviesVerdict, score_movies
from pipeline.evaluation.specs import EvaluationSpec
from pipeline.evaluation.standing import Judged
from pipeline.evaluation.versions import read_scores
from pipeline.movies.base import MovieSet
from pipeline.movies.partition import MoviePartition
from pipeline.movies.rungs import Persistence
from pipeline.movies.windows import MovieSpec, MovieWindows
from pipeline.splits import Numbers
from tests.squares import SPEC, knowing, make_scores, rain, squares, windows_of

FEW = EvaluationSpec(resamples=50)
WHO = Judged(name="model", id="model-1", card_sha256="c", fitted_sha256="f")


def of_rain(forecast, spec=SPEC, **more):
    record = MovieSet.of(rain((6,) * 12))
    return record, movies_dataset(
        {"model": forecast, "persistence": Persistence().predict},
        record,
        windows_of(record, spec),
        FEW,
        model="model",
        ladder=("persistence",) if more.get("ladder", True) else (),
        provenance={"region": "rain"},
    )


def noisy(history, horizon):
    """Of each cell the mean of the pictures that show it, and ten where none does."""
    known = np.isfinite(history)
    mean = np.where(known, history, 0).sum(1) / np.maximum(known.sum(1), 1)
    return np.repeat(np.where(known.any(1), mean, 10)[:, None], horizon, axis=1).astype(np.float32)


def lacking(history, horizon):
    """The last picture, without the cells that it lacks."""
    return np.repeat(history[:, -1:], horizon, axis=1)


def filled(history, horizon):
    return np.nan_to_num(lacking(history, horizon), nan=5.0)


def test_errors_are_means_over_known_cells_of_all_windows():
    record = MovieSet.of(rain((6,) * 12))
    windows = windows_of(record)
    scores = movies_dataset(
        {"model": noisy, "filled": filled},
        record,
        windows,
        FEW,
        model="model",
        ladder=("filled",),
        provenance={"region": "rain"},
    )
    for name, forecast in (("model", noisy), ("filled", filled)):
        history = np.stack([record.values[at : at + 3] for at in windows.first])
        truth = np.stack([record.values[at + 3 : at + 5] for at in windows.first])
        error = forecast(history, 2).astype(float) - truth
        here = scores.sel(forecaster=name)
        np.testing.assert_allclose(here.mse, np.nanmean(error**2, axis=(0, 2, 3)), rtol=1e-6)
        np.testing.assert_allclose(here.mae, np.nanmean(np.abs(error), axis=(0, 2, 3)), rtol=1e-6)
        np.testing.assert_allclose(here.rmse, np.sqrt(here.mse), rtol=1e-12)
        np.testing.assert_allclose(here.rmse_pooled, np.sqrt(np.nanmean(error**2)), rtol=1e-6)
    assert float(scores.skill_pooled[0]) == pytest.approx(
        1 - float(scores.rmse_pooled[0] / scores.rmse_pooled[1])
    )


def test_blocks_of_windows_add_up_to_the_same(monkeypatch):
    whole = make_scores()
    monkeypatch.setattr(movie_scores, "CELLS", 1)
    assert make_scores().drop_attrs().identical(whole.drop_attrs())


def test_a_forecast_that_lacks_a_cell_with_a_truth_is_refused_by_the_verdict():
    _, scores = of_rain(lacking)
    with pytest.raises(StoreError, match="the RMSE is undefined of model: a forecast lacks"):
        MoviesVerdict.of(scores)


def test_a_picture_that_lacks_cells_is_persisted_and_judged_like_any_other():
    record, scores = of_rain(noisy)
    assert np.isnan(record.values[windows_of(record).first + 2]).any()
    verdict = MoviesVerdict.of(scores)
    assert (verdict.windows, verdict.best_rung) == (12, "persistence")
    assert verdict.best_rmse > 0


def test_a_model_that_is_the_truth_beats_persistence_and_one_that_is_it_does_not():
    perfect = MoviesVerdict.of(make_scores(share=1.0))
    assert (perfect.rmse, perfect.skill, perfect.promoted, perfect.better_leads) == (0, 1, True, 2)
    assert "beats the best baseline in squares, persistence" in perfect.sentence
    same = MoviesVerdict.of(make_scores(share=0.0))
    assert (same.difference, same.promoted) == (0, False)
    assert same.sentence.endswith("It is not promoted.")
    assert "does not beat" in same.sentence


def test_few_windows_have_no_interval_and_nothing_is_promoted():
    verdict = MoviesVerdict.of(make_scores(share=1.0, movies=4))
    assert verdict.difference_interval is None
    assert not verdict.promoted
    assert "on too few windows for an interval" in verdict.sentence


def dry_but_forecast_wet(history, horizon):
    return np.full((len(history), horizon, *history.shape[2:]), 0.1, np.float32)


@pytest.mark.parametrize(
    ("forecast", "rmse"),
    [(dry_but_forecast_wet, 0.1), (lambda *given_: 0 * dry_but_forecast_wet(*given_), 0)],
)
def test_beside_a_baseline_without_error_there_is_no_skill_and_the_standing_comes_back(
    tmp_path, forecast, rmse
):
    record = MovieSet.of(squares(16))
    record.values[:] = 0
    record.asked[:] = 0
    standing = score_movies(
        record,
        {"model": forecast},
        tmp_path,
        experiment="moving",
        region="squares",
        judged=WHO,
        ladder=("persistence",),
        splits=Numbers(train=(1, 4), test=(5, 16)),
        windows=MovieSpec(history=3, horizon=2, scaling="none"),
        spec=FEW,
        cube_snapshot="S",
    )
    assert MoviesStanding.read(tmp_path) == standing
    verdict = standing.verdict
    assert (verdict.skill, verdict.skill_interval, verdict.promoted, verdict.best_rmse) == (
        None,
        None,
        False,
        0,
    )
    assert verdict.rmse == pytest.approx(rmse)
    assert verdict.sentence.endswith("no skill beside a baseline without error. It is not promoted.")
    assert verdict.row["skill"] == "–"


def test_a_forecast_that_overflows_is_refused_by_the_verdict():
    _, scores = of_rain(filled)
    scores["rmse_pooled"] = scores.rmse_pooled.where(scores.forecaster != "model", np.inf)
    with pytest.raises(StoreError, match="the RMSE is undefined of model: "):
        MoviesVerdict.of(scores)


def test_a_standing_reads_what_is_not_finite_as_it_was(tmp_path):
    _, standing = scored(tmp_path)
    odd = standing.model_copy(update={"verdict": standing.verdict.model_copy(update={"skill": -np.inf})})
    odd.write(tmp_path)
    assert MoviesStanding.read(tmp_path).verdict.skill == -np.inf


def test_without_a_ladder_there_is_no_verdict():
    _, scores = of_rain(filled, ladder=False)
    with pytest.raises(StoreError, match="no ladder"):
        MoviesVerdict.of(scores)


@settings(max_examples=20)
@given(movies=st.integers(1, 30), each=st.integers(1, 4), seed=st.integers(0, 5))
def test_movies_are_drawn_whole_and_as_many_as_there_are(movies, each, seed):
    movie = np.repeat(np.arange(movies), each)
    windows = MovieWindows(SPEC, np.arange(len(movie)), movie, SPEC.length)
    weights = drawn(windows, EvaluationSpec(resamples=7, seed=seed, block_length=3))
    np.testing.assert_array_equal(weights[0], 1)
    if movies >= movie_scores.MOVIES_FOR_DRAWING:
        np.testing.assert_array_equal(weights[1:].sum(axis=1), len(movie))
        by_movie = weights.reshape(len(weights), movies, each)
        np.testing.assert_array_equal(by_movie, by_movie[:, :, :1].repeat(each, axis=2))
    elif len(movie) < 6:
        assert np.isnan(weights[1:]).all()
    else:
        assert weights.shape == (8, len(movie))
        np.testing.assert_array_equal(weights[1:].sum(axis=1), len(movie))


def test_examples_are_those_of_the_windows():
    record = MovieSet.of(squares())
    scores = make_scores(share=1.0)
    assert scores.example.values[0] == record.ids[0]
    np.testing.assert_array_equal(scores.example_history[0], record.values[:3])
    np.testing.assert_array_equal(scores.example_truth[0], record.asked[3:5])
    np.testing.assert_array_equal(scores.example_model, scores.example_truth)
    np.testing.assert_array_equal(scores.example_best_rung[:, 1], scores.example_history[:, -1])


def scored(folder, **changes):
    record = MovieSet.of(squares(16))
    given_ = {
        "experiment": "moving",
        "region": "squares",
        "judged": WHO,
        "ladder": ("persistence",),
        "splits": Numbers(train=(1, 4), test=(5, 16)),
        "windows": MovieSpec(history=3, horizon=2, scaling="none"),
        "spec": FEW,
        "cube_snapshot": "S",
    }
    return record, score_movies(record, {"model": filled}, folder, **(given_ | changes))


def test_scores_and_standing_are_kept_and_come_back(tmp_path):
    record, standing = scored(tmp_path)
    assert MoviesStanding.read(tmp_path) == standing
    scores = read_scores(tmp_path, standing.scores_version)
    test = MoviePartition(record, standing.splits, standing.windows).windows("test")
    assert int(scores.attrs["windows"]) == len(test) == 12 * 2
    assert standing.forecaster == "persistence"
    assert scored(tmp_path)[1] == standing


def test_movies_that_are_too_short_are_told_by_the_standing(tmp_path):
    record = MovieSet.of(rain((8,) * 13 + (2,)))
    given_ = {"splits": Numbers(train=(1, 3), test=(4, 14)), "ladder": ("persistence",)}
    record.values[:] = np.nan_to_num(record.values)
    standing = score_movies(
        record,
        {"model": filled},
        tmp_path,
        experiment="moving",
        region="rain",
        judged=WHO,
        windows=MovieSpec(history=3, horizon=2),
        spec=FEW,
        cube_snapshot="S",
        **given_,
    )
    assert standing.short == {"test": ("m13",)}
    assert MoviesStanding.read(tmp_path).short == {"test": ("m13",)}


def test_measures_and_rungs_that_there_are_not_are_named(tmp_path):
    with pytest.raises(ConfigError, match="no group of measures of movies 'errrors'"):
        scored(tmp_path, spec=EvaluationSpec(measures=("errrors",)))
    with pytest.raises(ConfigError, match="no rung of movies 'persistance'"):
        scored(tmp_path, ladder=("persistance",))


def test_knowing_half_of_the_way_halves_the_error():
    record = MovieSet.of(squares())
    half = make_scores(share=0.5)
    ratio = half.rmse_pooled.sel(forecaster="next_frame") / half.rmse_pooled.sel(forecaster="persistence")
    assert float(ratio) == pytest.approx(0.5, rel=1e-6)
    assert knowing(record, 0.5)(record.values[None, :3], 2).shape == (1, 2, 8, 8)

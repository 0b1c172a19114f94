import datetime as dt

import keras
import numpy as np
import pytest

from models import comparing
from models.base import build_of
from models.comparing import compare
from models.comparison import comparisons
from models.encoders import ENCODERS
from models.recipe import inputs_sha256
from models.trained import TrainedModel
from pipeline.errors import ConfigError, StoreError
from pipeline.evaluation.specs import EvaluationSpec
from pipeline.splits import Splits
from pipeline.store.readings import CubeReading
from pipeline.types import Box
from pipeline.windows import WindowSpec
from tests.models.bay import CONFIG, GAPPED, recipe
from tests.models.test_trained import card
from tests.records import SPEC, SPLITS, START, period, write_cube

SPLIT = SPLITS.guarded(SPEC.length)
EARLIER = Splits(train=period(0, 399), validation=period(407, 470), test=period(480, 540))
EVALUATION = EvaluationSpec(resamples=40, block_length=9, seed=5, confidence=0.9)


def make_model(folder, model_id, *, noise, splits=SPLIT, spec=SPEC):
    """A model that corrects its base by `noise`, and so is the worse the more of it there is."""
    mine = recipe(splits=splits, windows=spec)
    encoder = ENCODERS["fields"].fit(GAPPED, mine, snapshot="SNAP")
    keras.utils.set_random_seed(3)
    model = build_of("convlstm")(CONFIG, encoder.shape)
    rng = np.random.default_rng(7)
    weights = model.get_weights()
    model.set_weights([rng.normal(scale=noise, size=each.shape) if noise else each for each in weights])
    made = card(
        model_id=model_id,
        name=model_id.partition("-")[0],
        train=splits.train,
        validation=splits.validation,
        test=splits.test,
        windows=spec,
        inputs_sha256=inputs_sha256(GAPPED),
    )
    TrainedModel(model, encoder, made).save(folder / model_id)


@pytest.fixture(scope="module")
def sea(tmp_path_factory):
    """The cube of the bay, its snapshot, and models that are good (their base alone) and bad."""
    root = tmp_path_factory.mktemp("sea")
    snapshot = write_cube(root / "cube", GAPPED)
    folder = root / "models"
    make_model(folder, "good-former", noise=0, splits=EARLIER)
    make_model(folder, "bad-former", noise=0.3, splits=EARLIER)
    make_model(folder, "good-new", noise=0)
    make_model(folder, "twin-new", noise=0)
    make_model(folder, "bad-new", noise=0.3)
    late = Splits(train=period(0, 500), validation=period(510, 635), test=period(645, 649))
    make_model(folder, "late-former", noise=0, splits=late)
    make_model(folder, "wide-former", noise=0, spec=WindowSpec(history=5, horizon=3))
    return root, snapshot, folder


def compared(sea, champion, challenger, **changes):
    root, snapshot, folder = sea
    return compare(
        CubeReading(path=root / "cube", region="bay", final_only=True),
        recipe(splits=SPLIT),
        folder,
        champion,
        {challenger.partition("-")[0]: challenger},
        spec=EVALUATION.model_copy(update=changes),
        snapshot=snapshot,
    )


def expected(sea, champion, challenger):
    """RMSE of both, their difference and its interval, by loops over windows and resamples."""
    *_, folder = sea
    guarded = [
        at
        for at in range(SPEC.history - 1, len(GAPPED.time) - SPEC.horizon)
        if START + dt.timedelta(at - SPEC.history + 1) >= SPLIT.test.start
        and np.isfinite(GAPPED.values[at - SPEC.history + 1 : at + SPEC.horizon + 1, GAPPED.ocean]).all()
    ]
    weights = (np.cos(np.radians(GAPPED.latitude))[:, None] * np.ones(6))[GAPPED.ocean]
    weights = weights / weights.sum()
    squares = {}
    for name in (challenger, champion):
        model = TrainedModel.load(folder / name)
        squares[name] = np.empty(len(guarded))
        for row, at in enumerate(guarded):
            history = GAPPED.values[None, at - SPEC.history + 1 : at + 1]
            forecast = model.predict(history, GAPPED.time[at : at + 1])[0][:, GAPPED.ocean]
            truth = GAPPED.values[at + 1 : at + 1 + SPEC.horizon, GAPPED.ocean]
            errors = (forecast.astype(float) - truth.astype(float)) ** 2
            squares[name][row] = np.mean([np.sum(lead * weights) for lead in errors])
    blocks = -(-len(guarded) // EVALUATION.block_length)
    rng = np.random.default_rng(EVALUATION.seed)
    starts = rng.integers(0, len(guarded) - EVALUATION.block_length + 1, size=(EVALUATION.resamples, blocks))
    differences = []
    for drawn in starts:
        rows = np.concatenate([start + np.arange(EVALUATION.block_length) for start in drawn])[: len(guarded)]
        new, former = (np.sqrt(squares[name][rows].mean()) for name in (challenger, champion))
        differences.append(new - former)
    both = [np.sqrt(squares[name].mean()) for name in (challenger, champion)]
    return guarded, both, np.quantile(differences, [0.05, 0.95])


@pytest.mark.parametrize(
    ("champion", "challenger", "better"),
    [("bad-former", "good-new", True), ("good-former", "bad-new", False)],
)
def test_the_better_one_is_found_with_the_interval_that_loops_give(sea, champion, challenger, better):
    found = compared(sea, champion, challenger)
    guarded, (new, former), interval = expected(sea, champion, challenger)
    assert found.windows == len(guarded)
    verdict = found.verdict
    np.testing.assert_allclose([verdict.rmse_pooled, verdict.best_rmse_pooled], [new, former], rtol=1e-5)
    np.testing.assert_allclose(verdict.difference_pooled, new - former, rtol=1e-4)
    np.testing.assert_allclose(verdict.difference_interval, interval, rtol=1e-4)
    assert found.promoted == better == (interval[1] < 0)
    assert len(verdict.leads) == SPEC.horizon
    first, last = (GAPPED.time[guarded[at]].astype("datetime64[s]").item() for at in (0, -1))
    assert (found.first_init, found.last_init) == (first, last)
    told = ("beats", "It is promoted.") if better else ("does not clearly beat", "The champion stays.")
    assert all(words in found.sentence for words in (*told, champion, challenger, f"{len(guarded)} windows"))


def test_no_window_begins_in_what_either_has_seen(sea):
    for champion in ("good-former", "bad-former"):
        found = compared(sea, champion, "good-new", resamples=2)
        seen = [
            day
            for name in (champion, "good-new")
            for day in (
                TrainedModel.load(sea[2] / name).card.train.end,
                TrainedModel.load(sea[2] / name).card.validation.end,
            )
        ]
        begins = found.first_init.date() - dt.timedelta(SPEC.history - 1)
        assert (begins - max(seen)).days - 1 >= SPEC.length


def test_models_that_forecast_the_same_leave_the_champion(sea):
    found = compared(sea, "good-new", "twin-new")
    assert found.verdict.difference_interval == (0, 0)
    assert not found.promoted


def test_too_few_windows_are_told_and_promote_nothing(sea):
    found = compared(sea, "late-former", "good-new")
    assert found.verdict is None
    assert not found.promoted
    assert found.windows < 2 * EVALUATION.block_length
    assert f"{found.windows} recent window" in found.sentence
    assert "18 are needed" in found.sentence
    long = compared(sea, "bad-former", "good-new", block_length=60)
    assert long.verdict is None
    assert "120 are needed" in long.sentence


def test_a_stride_takes_every_so_many_windows(sea):
    assert compared(sea, "bad-former", "good-new", stride=3).windows == -(
        -compared(sea, "bad-former", "good-new").windows // 3
    )


def test_the_same_again_does_nothing_new(sea, monkeypatch):
    first = compared(sea, "bad-former", "good-new")
    kept = {each.id for each in comparisons(sea[2])}

    def again(_):
        raise AssertionError("it was compared again")

    monkeypatch.setattr(comparing.TrainedModel, "load", again)
    assert compared(sea, "bad-former", "good-new") == first
    areas = {"north": Box(latitude=(-38, -36), longitude=(150, 152))}
    assert compared(sea, "bad-former", "good-new", areas=areas) == first
    assert {each.id for each in comparisons(sea[2])} == kept
    assert first.id in kept
    with pytest.raises(AssertionError, match="compared again"):
        compared(sea, "bad-former", "good-new", seed=6)


def test_a_champion_that_does_not_fit_is_told(sea):
    with pytest.raises(ConfigError, match=r"wide-former does not fit.*history 5 and not 4"):
        compared(sea, "wide-former", "good-new")


def test_a_record_that_cannot_be_read_is_named(sea, tmp_path):
    broken = tmp_path / "comparisons" / "x.json"
    broken.parent.mkdir()
    broken.write_text("{")
    with pytest.raises(StoreError, match=r"x\.json is no comparison"):
        comparisons(tmp_path)

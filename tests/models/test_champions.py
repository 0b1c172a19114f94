import datetime as dt
import errno
import json
import threading

import pytest

from models.champions import (
    FORMER,
    REGISTER,
    Reign,
    champion,
    champion_models,
    crown,
    kept_models,
    predecessor,
    reigns,
    roll_back,
)
from models.promotion import crown_trained, is_kept, line_up, promote
from models.recipe import inputs_sha256, said
from pipeline.errors import ConfigError, DiskFullError, NotFoundError, StoreError
from pipeline.publish import product
from pipeline.splits import Splits
from pipeline.store.readings import CubeReading, SeriesReading
from pipeline.windows import WindowSpec
from tests.models.bay import BAY, CONFIG, SHORT, recipe
from tests.models.test_trained import card
from tests.records import SPLITS, changed, make_sea, period

WHO = {"by": "ann@ship", "because": "a trial"}


@pytest.fixture
def folder(place):
    """Models a-1, a-2, b-1 and b-2 of the bay, which are cards alone."""
    found = place / "trial" / "bay"
    for model_id in ("a-1", "a-2", "b-1", "b-2"):
        (found / model_id).mkdir(parents=True)
        card(model_id=model_id, name=model_id[0], test=SPLITS.test, inputs_sha256=inputs_sha256(BAY)).write(
            found / model_id
        )
    return found


def crowned(folder, models, how="promoted", **told):
    held = reigns(folder)
    reign = Reign.of(folder, models, how=how, **(WHO | told))
    return crown(folder, reign, over=held[-1] if held else None)


def champions(folder):
    return [each.champion for each in reigns(folder)]


def test_without_a_champion_it_is_told(folder):
    assert reigns(folder) == ()
    assert kept_models(folder) == set()
    assert predecessor(folder) is None
    for ask in (champion, champion_models, lambda at: roll_back(at, **WHO)):
        with pytest.raises(
            NotFoundError, match="region 'bay' of experiment 'trial' has no trained"
        ) as caught:
            ask(folder)
        assert "isotherm train trial" in caught.value.remedy


def test_the_champion_is_the_newest_and_the_register_keeps_all(folder):
    crowned(folder, {"a": "a-1"}, how="trained")
    before = (folder / REGISTER / "0001.json").read_bytes()
    crowned(folder, {"b": "b-1", "a": "a-2"})
    assert list(champion_models(folder).items()) == [("b", "b-1"), ("a", "a-2")]
    assert (folder / REGISTER / "0001.json").read_bytes() == before
    assert kept_models(folder) == {"a-1", "b-1", "a-2"}
    found = champion(folder)
    assert (found.model_id, found.name, found.train) == ("b-1", "b", SPLITS.train)
    assert found.trained_at == dt.datetime(2024, 1, 2, tzinfo=dt.UTC)
    assert found.age_days(dt.datetime(2024, 1, 3, 12, tzinfo=dt.UTC)) == 1.5
    assert [(each.how, each.by, each.because, each.cube_snapshot) for each in found.history] == [
        ("trained", "ann@ship", "a trial", "SNAP"),
        ("promoted", "ann@ship", "a trial", "SNAP"),
    ]
    assert found.reign.since.tzinfo is not None


def test_the_same_models_again_go_on(folder):
    first = crowned(folder, {"a": "a-1"})
    assert crowned(folder, {"a": "a-1"}) == first
    assert len(reigns(folder)) == 1
    crowned(folder, {"a": "a-1", "b": "b-1"})
    crowned(folder, {"b": "b-1", "a": "a-1"})
    assert champions(folder) == ["a-1", "a-1", "b-1"]


def test_rolling_back_goes_back_one_after_another_and_no_further(folder):
    for model_id in ("a-1", "b-1", "a-2"):
        crowned(folder, {model_id[0]: model_id})
    assert predecessor(folder).champion == "b-1"
    assert roll_back(folder, **WHO).champion == "b-1"
    assert roll_back(folder, **WHO).champion == "a-1"
    with pytest.raises(
        NotFoundError, match=r"nothing to roll back to in region 'bay'.*a-1 had no predecessor"
    ):
        roll_back(folder, **WHO)
    assert champions(folder) == ["a-1", "b-1", "a-2", "b-1", "a-1"]
    crowned(folder, {"b": "b-2"})
    assert roll_back(folder, **WHO).champion == "a-1"
    assert [each.how for each in reigns(folder)][-2:] == ["promoted", "rolled back"]


def test_rolling_back_to_a_model_that_is_gone_is_refused(folder):
    crowned(folder, {"a": "a-1"})
    crowned(folder, {"b": "b-1"})
    (folder / "a-1" / "card.json").unlink()
    with pytest.raises(NotFoundError, match="a-1 is no longer in") as caught:
        roll_back(folder, **WHO)
    assert "isotherm promote" in caught.value.remedy
    assert champion_models(folder) == {"b": "b-1"}


def test_what_an_earlier_version_kept_is_read_and_taken_over(folder):
    (folder / FORMER).write_text(json.dumps({"models": {"b": "b-1", "a": "a-1"}}))
    (before,) = reigns(folder)
    assert list(before.models.items()) == [("b", "b-1"), ("a", "a-1")]
    assert before.how == "adopted"
    assert (folder / FORMER).exists()
    crowned(folder, {"a": "a-2"})
    assert not (folder / FORMER).exists()
    assert reigns(folder)[0] == before
    assert champions(folder) == ["b-1", "a-2"]
    assert roll_back(folder, **WHO).models == before.models


def test_of_two_who_saw_the_same_champion_one_comes_first(folder):
    seen = crowned(folder, {"a": "a-1"})
    crown(folder, Reign.of(folder, {"b": "b-1"}, how="promoted", **WHO), over=seen)
    with pytest.raises(StoreError, match="became champion meanwhile"):
        crown(folder, Reign.of(folder, {"b": "b-2"}, how="promoted", **WHO), over=seen)
    assert champions(folder) == ["a-1", "b-1"]


def test_many_at_once_leave_a_whole_register(folder):
    seen = crowned(folder, {"a": "a-1"})
    outcome = []
    together = threading.Barrier(8)

    def one(model_id):
        together.wait()
        try:
            outcome.append(crown(folder, Reign.of(folder, {"m": model_id}, how="promoted", **WHO), over=seen))
        except StoreError as error:
            outcome.append(error)

    threads = [threading.Thread(target=one, args=(name,)) for name in ("b-1", "b-2", "a-2", "b-1") * 2]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    won = {each.champion for each in outcome if isinstance(each, Reign)}
    assert len(outcome) == 8
    assert won == {champion(folder).model_id}
    assert len(reigns(folder)) == 2


@pytest.mark.parametrize("place", ["disk"], indirect=True)
def test_a_full_disk_changes_nothing(folder, monkeypatch):
    crowned(folder, {"a": "a-1"})

    def full(*args, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(product.Path, "write_text", full)
        with pytest.raises(DiskFullError):
            crowned(folder, {"b": "b-1"})
    assert champions(folder) == ["a-1"]
    assert [each.name for each in (folder / REGISTER).iterdir()] == ["0001.json"]


def test_an_entry_that_cannot_be_read_is_named(folder):
    crowned(folder, {"a": "a-1"})
    (folder / REGISTER / "0001.json").write_text("{}")
    with pytest.raises(StoreError, match=r"0001\.json is no entry of the register"):
        reigns(folder)


def test_training_crowns_what_it_trained_until_somebody_decides_otherwise(folder):
    def trained(model_id, said):
        return crown_trained(folder, {"a": model_id}, by="cycle", recipe_sha256=said)

    first = trained("a-1", "x")
    assert (first.how, first.because) == ("trained", "first training")
    assert trained("a-2", "x").champion == "a-2"
    promote(folder, "b-1", BAY, recipe(), recipe_sha256="x", **WHO)
    assert is_kept(reigns(folder)[-1], "x")
    assert trained("a-1", "x").champion == "b-1"
    roll_back(folder, recipe_sha256="x", **WHO)
    assert trained("a-1", "x").champion == "a-2"
    assert not is_kept(reigns(folder)[-1], "y")
    assert trained("a-1", "y").champion == "a-1"


def test_what_an_experiment_says_is_all_that_decides_its_models_but_the_data():
    fields = CubeReading(path="cube", region="bay")
    station = SeriesReading(path="cube", region="roof", target="air_temperature")
    before = said([recipe()], fields)
    assert said([recipe()], fields) == before
    later = recipe(splits=Splits(train=SPLITS.train, validation=SPLITS.validation, test=period(560, 640)))
    elsewhere = CubeReading(path="another", region="bay", final_only=True)
    assert said([later], elsewhere) == before
    others = [
        said([recipe(config=CONFIG.model_copy(update={"filters": 3}))], fields),
        said([recipe(training=SHORT)], fields),
        said([recipe(windows=WindowSpec(history=5, horizon=3))], fields),
        said([recipe(splits=Splits(train=period(0, 440), **_after(SPLITS)))], fields),
        said([recipe(), recipe(name="another")], fields),
        said([recipe()], station),
        said([recipe()], station.model_copy(update={"variables": ("air_temperature",)})),
        said([recipe()], station.model_copy(update={"time_features": True})),
    ]
    assert len({before, *others}) == 9


def _after(splits):
    return {"validation": splits.validation, "test": splits.test}


def test_promotion_by_hand_takes_those_along_that_were_trained_beside(folder):
    crowned(folder, {"a": "a-1", "b": "b-1"})
    crowned(folder, {"a": "a-2", "b": "b-2"})
    assert list(line_up(folder, "b-1").items()) == [("b", "b-1"), ("a", "a-1")]
    got = promote(folder, "b-1", BAY, recipe(), **WHO)
    assert list(got.models.items()) == [("b", "b-1"), ("a", "a-1")]
    assert (got.how, got.by, got.because) == ("promoted", "ann@ship", "a trial")
    (folder / "b-2" / "card.json").unlink()
    assert line_up(folder, "a-2") == {"a": "a-2"}


def test_a_typo_in_a_model_id_names_the_nearest(folder):
    with pytest.raises(NotFoundError, match="no model 'b-11'") as caught:
        promote(folder, "b-11", BAY, recipe(), **WHO)
    assert "did you mean 'b-1'?" in caught.value.remedy


def test_a_model_that_does_not_fit_the_experiment_now_is_refused(folder):
    wider = make_sea(shape=(5, 7))
    for record, mine, why in (
        (BAY, recipe(windows=WindowSpec(history=6, horizon=3)), r"\[windows\] have history 4 and not 6"),
        (wider, recipe(), "another grid"),
    ):
        with pytest.raises(ConfigError, match="model a-1 does not fit the experiment 'trial'") as caught:
            promote(folder, "a-1", record, mine, **WHO)
        assert caught.match(why)
    assert reigns(folder) == ()
    thinned = recipe(windows=WindowSpec(history=4, horizon=3, stride=2))
    assert promote(folder, "a-1", changed(BAY, slice(0, 3)), thinned, **WHO).champion == "a-1"

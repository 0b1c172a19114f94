"""Champion and challenger on the small sea: retraining, promotion, roll-back, and what is evaluated of them."""

from __future__ import annotations

import datetime as dt
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from flows.composing import job_for
from flows.jobs import Job
from models.card import ModelCard
from models.champions import champion, champion_models, reigns
from models.comparison import comparisons
from models.pinned import find_pinned
from pipeline.errors import ConfigError, NotFoundError, WindowError
from pipeline.evaluation.standing import Standing
from pipeline.forecasts import archive
from pipeline.partition import Partition
from pipeline.store.state import last_day
from pipeline.types import Status
from pipeline.workspace import Workspace
from tests import seas

LATER = dt.date(2020, 11, 30)
LATEST = dt.date(2020, 12, 20)
GUARD = 5

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which a champion was trained by the experiment's dates, and the record grew since."""
    root = tmp_path_factory.mktemp("grown")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ISOTHERM_EXPERIMENTS", str(root / "experiments"))
        patch.setenv("ISOTHERM_WORKERS", "1")
        seas.write_experiment(root / "experiments", end=LATEST)
        seas.write(root / "all.nc", seas.sea(seas.days(last=LATER)))
        from flows.ingest import ingest
        from flows.train import train

        ingest("small", workspace=root / "w", from_files=(str(root / "all.nc"),))
        train("small", workspace=root / "w")
    return root


@pytest.fixture
def sea(grown: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A copy of its own, and the experiment."""
    monkeypatch.setenv("ISOTHERM_EXPERIMENTS", str(tmp_path / "experiments"))
    seas.write_experiment(tmp_path / "experiments", end=LATEST)
    shutil.copytree(grown / "w", tmp_path / "w")
    return Workspace((tmp_path / "w").resolve())


def spoil(workspace: Workspace, model_id: str) -> None:
    """Let a model forecast noise, as if it had gone bad."""
    from models.trained import TrainedModel

    folder = workspace.models("small", "small") / model_id
    made = TrainedModel.load(folder)
    rng = np.random.default_rng(1)
    made.model.set_weights([rng.normal(scale=0.5, size=each.shape) for each in made.model.get_weights()])
    shutil.rmtree(folder)
    made.save(folder)


def job_of(workspace: Workspace) -> Job:
    with job_for("small", workspace=workspace.root) as job:
        return job


def written(workspace: Workspace) -> dict[str, int]:
    """What lies in the folder of models, and when it was written."""
    folder = workspace.models("small", "small")
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_a_challenger_takes_the_place_of_a_worse_champion_and_what_follows(sea: Workspace) -> None:
    from flows.evaluate import evaluate
    from flows.forecast import forecast
    from flows.promotions import promote_model, roll_back_model
    from flows.publish import publish, report
    from flows.retrain import retrain
    from flows.train import train

    folder = sea.models("small", "small")
    (first,) = reigns(folder)
    assert (first.how, first.because) == ("trained", "first training")
    assert first.by.startswith("flow run ")
    spoil(sea, first.champion)
    forecast("small", workspace=sea.root)

    told = retrain("small", workspace=sea.root)
    (made,) = comparisons(folder)
    assert told == {"small": made.sentence}
    assert "It is promoted." in made.sentence
    assert made.verdict is not None
    assert made.verdict.difference_interval is not None
    assert made.verdict.difference_interval[1] < 0
    now = champion(folder)
    assert (now.model_id, made.champion, made.challenger) == (made.challenger, first.champion, now.model_id)
    assert (now.reign.how, now.reign.comparison, now.reign.because) == ("promoted", made.id, made.sentence)
    assert now.reign.by.startswith("flow run ")
    assert [each.champion for each in now.history] == [first.champion, now.model_id]
    assert find_pinned(folder) is None

    # Its splits end with the record, as long as those of the experiment, with their gaps.
    card = ModelCard.read(folder / now.model_id)
    job = job_of(sea)
    given = job.experiment.splits
    wanted = given.guarded(GUARD).moved(seas.FIRST, LATER, GUARD)
    assert card.learned == wanted
    assert wanted.test.end == LATER
    assert card.train.end > ModelCard.read(folder / first.champion).train.end

    # The dates of the experiment now lie in what the champion has seen: others are evaluated.
    assert given.test.start <= card.validation.end
    forecast("small", workspace=sea.root)
    roll_back_model("small", region=None, workspace=sea.root, because="")
    with pytest.raises(WindowError, match=f"are not by {first.champion} but by {now.model_id}") as caught:
        evaluate("small", workspace=sea.root)
    assert "isotherm forecast" in caught.value.remedy
    promote_model("small", now.model_id, region=None, workspace=sea.root, because="")
    evaluate("small", workspace=sea.root)
    standing = Standing.read(sea.scores("small", "small"))
    assert standing.judged.id == now.model_id
    assert (standing.splits.train, standing.splits.validation) == (card.train, card.validation)
    record = job.reading("small").read(standing.cube_snapshot)
    windows = Partition(record, standing.given, standing.windows).windows("test")
    begins = record.time[windows.history_index()[:, 0]].astype("datetime64[D]")
    assert begins.min() > np.datetime64(card.validation.end) + GUARD
    assert record.time[windows.horizon_index()].max().astype("datetime64[D]") == np.datetime64(LATER)
    held = archive.read(sea.archive("small"), "small", "convlstm").sel(init_time=windows.init_time)
    assert set(held.model_id.values) == {now.model_id}
    assert report("small", workspace=sea.root).is_file()
    assert Path(publish("small", workspace=sea.root)[0].forecast).is_dir()

    # Neither a second retraining, nor the experiment's own training or cycle, undoes or repeats anything.
    before = written(sea)
    assert "champion already" in retrain("small", workspace=sea.root)["small"]
    told = train("small", workspace=sea.root)["small"]
    assert told.startswith(f"{now.model_id} is champion since ")
    assert "promoted by " in told
    assert "left alone" in told
    assert written(sea) == before


def test_what_was_rolled_back_is_not_promoted_again_by_the_flow(sea: Workspace) -> None:
    from flows.promotions import promote_model, roll_back_model
    from flows.retrain import retrain

    folder = sea.models("small", "small")
    (first,) = reigns(folder)
    spoil(sea, first.champion)
    retrain("small", workspace=sea.root)
    second = reigns(folder)[-1]
    place, back = roll_back_model("small", region=None, workspace=sea.root, because="it drifts")
    assert (place, back.champion, back.how) == ("small", first.champion, "rolled back")
    assert (back.by, back.because) == (f"{getpass.getuser()}@{socket.gethostname()}", "it drifts")
    assert "was champion before" in retrain("small", workspace=sea.root)["small"]
    assert champion_models(folder) == first.models
    with pytest.raises(NotFoundError, match="nothing to roll back to"):
        roll_back_model("small", region="small", workspace=sea.root, because="")
    _, again = promote_model(
        "small", second.champion, region=None, workspace=sea.root, because="it was the sensor"
    )
    assert (again.champion, again.because) == (second.champion, "it was the sensor")
    with pytest.raises(NotFoundError) as caught:
        promote_model("small", second.champion[:-1], region=None, workspace=sea.root, because="")
    assert f"did you mean {second.champion!r}?" in caught.value.remedy
    assert [each.how for each in reigns(folder)] == ["trained", "promoted", "rolled back", "promoted"]


def test_the_figures_decide_and_the_same_again_does_nothing_new(sea: Workspace) -> None:
    from flows.retrain import retrain

    folder = sea.models("small", "small")
    (first,) = reigns(folder)
    retrain("small", workspace=sea.root)
    (made,) = comparisons(folder)
    assert made.verdict is not None
    interval = made.verdict.difference_interval
    assert interval is not None
    assert made.champion == first.champion
    wanted = [made.champion, made.challenger] if interval[1] < 0 else [made.champion]
    assert [each.champion for each in reigns(folder)] == wanted
    before = written(sea)
    retrain("small", workspace=sea.root)
    assert written(sea) == before


def test_without_a_champion_the_first_is_one(sea: Workspace) -> None:
    from flows.retrain import retrain

    folder = sea.models("small", "small")
    shutil.rmtree(folder)
    assert "is the first" in retrain("small", workspace=sea.root)["small"]
    assert champion(folder).reign.how == "promoted"
    assert ModelCard.read(folder / champion(folder).model_id).test.end == LATER  # type: ignore[union-attr]
    assert comparisons(folder) == []


def test_preliminary_days_are_neither_trained_nor_judged_on(sea: Workspace, tmp_path: Path) -> None:
    from flows.ingest import ingest
    from flows.retrain import retrain

    newest = seas.days(LATER + dt.timedelta(1), LATEST)
    for day in newest:
        final = seas.write_day(tmp_path / "daily", day)
        if day > newest[7] or day == newest[3]:
            final.rename(final.with_name(final.name.replace(".nc", "_preliminary.nc")))
    ingest("small", workspace=sea.root, from_files=(f"{tmp_path}/daily/*.nc",))
    store = sea.cube("small")
    assert last_day(store) == LATEST
    assert last_day(store, least=Status.FINAL) == newest[7]
    folder = sea.models("small", "small")
    retrain("small", workspace=sea.root)
    (made,) = comparisons(folder)
    card = ModelCard.read(folder / made.challenger)
    assert card.test is not None
    assert card.test.end == newest[7]
    job = job_of(sea)
    whole, final = (job.reading("small", final_only=only).read(None) for only in (False, True))
    day = final.time.astype("datetime64[D]")
    left_out = np.flatnonzero(whole.usable & ~final.usable)
    assert [str(each) for each in day[left_out]] == [str(each) for each in (newest[3], *newest[8:])]
    np.testing.assert_array_equal(whole.values[final.usable], final.values[final.usable])


def test_a_record_that_is_too_short_is_told_and_pins_nothing(sea: Workspace) -> None:
    from flows.retrain import retrain

    path = Path(os.environ["ISOTHERM_EXPERIMENTS"]) / "small.toml"
    long = "validation = { start = 2020-02-10, end = 2025-04-15 }\ntest = { start = 2025-04-30, end = 2026-08-31 }"
    lines = path.read_text().splitlines()
    kept = [line for line in lines if not line.startswith(("validation =", "test ="))]
    kept.insert(kept.index("[splits]") + 2, long)
    path.write_text("\n".join(kept))
    with pytest.raises(ConfigError, match="too few days to train on") as caught:
        retrain("small", workspace=sea.root)
    assert "longer record" in caught.value.remedy
    assert find_pinned(sea.models("small", "small")) is None


def isotherm(*words: str, server: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [Path(sys.executable).with_name("isotherm"), *words],
        env={**os.environ, "PREFECT_API_URL": server, "PYTHONUNBUFFERED": "1"},
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_a_retraining_that_is_killed_goes_on_on_the_snapshot_that_it_was_pinned_to(
    sea: Workspace, tmp_path: Path, prefect_server: str
) -> None:
    from flows.ingest import ingest

    path = Path(os.environ["ISOTHERM_EXPERIMENTS"]) / "small.toml"
    path.write_text(path.read_text().replace("epochs = 1", "epochs = 3"))
    words = ("retrain", "small", "--workspace", str(sea.root))
    folder = sea.models("small", "small")
    (tmp_path / "one").mkdir()
    with isotherm(*words, server=prefect_server, cwd=tmp_path / "one") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "train small: 1/3 loss" in line:
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    pinned = find_pinned(folder)
    assert pinned is not None
    seas.write(tmp_path / "newer.nc", seas.sea(seas.days(LATER + dt.timedelta(1), LATEST)))
    ingest("small", workspace=sea.root, from_files=("newer.nc",))
    assert last_day(sea.cube("small"), least=Status.FINAL) == LATEST
    (tmp_path / "two").mkdir()
    with isotherm(*words, server=prefect_server, cwd=tmp_path / "two") as process:
        out, err = process.communicate()
    assert process.returncode == 0, err
    assert "epoch 1," not in err
    assert "train small: 1/3" in err
    (made,) = comparisons(folder)
    assert made.sentence in out.replace("\n", " ")
    assert made.cube_snapshot == pinned.cube_snapshot
    assert ModelCard.read(folder / made.challenger).test.end == LATER  # type: ignore[union-attr]
    assert find_pinned(folder) is None

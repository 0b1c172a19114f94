"""The whole way of movies: squares made here, a small network, its roll-out, verdict and report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.cycle import Cycle, cycle
from flows.evaluate import evaluate
from flows.ingest import ingest, run_ingest
from flows.jobs import Job
from flows.loading import load_experiment
from flows.movie_tasks import evaluate_movies, ingest_movies
from flows.publish import report
from flows.settings import Settings
from flows.show import result
from flows.show_status import status
from flows.status import workspace_status
from flows.train import train
from models.card import MoviesCard
from models.champions import Reign, crown
from models.fitting import fit_models
from pipeline.errors import ConfigError, WindowError
from pipeline.evaluation.movies import MoviesStanding
from pipeline.evaluation.versions import read_scores
from pipeline.workspace import Workspace
from tests.experiment_files import replaced, require_refused
from tests.pages import Page
from tests.shown import told, told_of

SOURCE = """\
name = "moving-squares"
movies = 30
pictures = 6
longer = 12
longer_pictures = 8
size = 8
"""
EXPERIMENT = """
title = "A few squares"
description = "Made in NumPy."

[source]
{SOURCE}
[movies]
name = "squares"
title = "The squares"
windows = { history = 3, horizon = 5, learn = "next", steps = 5, scaling = "none" }

[movies.published]
source = "a book"
note = "Of larger squares."
epochs = [1, 5]
validation_loss = [0.1, 0.001]

[splits]
train = [1, 15]
validation = [16, 18]
test = [19, 30]

[model]
name = "next_frame"
layers = 1
filters = 2

[training]
loss = "binary-cross-entropy"
optimizer = "adadelta"
learning_rate = 1.0
schedule = "constant"
epochs = 2
batch_size = 5

[evaluation]
resamples = 50
"""
EXPERIMENT = EXPERIMENT.replace("{SOURCE}", SOURCE)


@pytest.fixture
def experiment(written: Callable[[str, str], Path]) -> Path:
    return written("few", EXPERIMENT)


@pytest.mark.usefixtures("prefect_server")
def test_the_whole_way_twice_and_step_by_step(experiment: Path, tmp_path: Path) -> None:
    place = tmp_path / "w"
    done = cycle("few", workspace=place)
    assert isinstance(done, Cycle)
    said = told(result, done)
    assert "ingested 30 movies (204 pictures)" in said
    assert "catalog" not in said
    assert not done.released
    workspace = Workspace(place)
    standing = MoviesStanding.read(workspace.scores("few", "squares"))
    scores = read_scores(workspace.scores("few", "squares"), standing.scores_version)
    assert scores.forecaster.values.tolist() == ["next_frame", "persistence"]
    assert scores.lead_time.values.tolist() == [1, 2, 3, 4, 5]
    assert (standing.verdict.windows, standing.verdict.movies) == (12, 12)
    card = MoviesCard.read(workspace.models("few", "squares") / done.models["squares"])
    assert (card.train_windows, card.validation_windows, card.shape) == (15, 3, standing.windows)

    html = done.report.read_text(encoding="utf-8")
    headings = ("Verdict", "Forecast and truth", "By lead", "Training", "Data", "Lineage", "How to read this")
    Page.whole(html, *headings, "Of larger squares.")
    script = next(each for each in html.split("<script")[1:] if "json" in each[:40])
    starts = json.loads(script.partition(">")[2].partition("</script>")[0])
    assert {len(each["frames"]) for each in starts} == {3 + 5}
    assert {len(frame["pictures"]) for each in starts for frame in each["frames"]} == {3}

    shown = told_of(place)
    assert "30 movies of 6 to 8 pictures, 204 pictures of 8 × 8 cells" in shown
    assert "champion next_frame-" in shown
    assert workspace_status(Settings.load(workspace=place)).model_dump_json()

    again = cycle("few", workspace=place)
    assert isinstance(again, Cycle)
    assert again.models == done.models
    assert again.ingested.snapshot is None
    assert train("few", workspace=place)["squares"].startswith(f"{done.models['squares']} is champion since")
    assert evaluate("few", workspace=place) == done.verdicts
    assert report("few", workspace=place) == done.report
    assert ingest("few", workspace=place).snapshot is None


@pytest.mark.usefixtures("prefect_server")
def test_movies_that_are_too_short_for_their_windows_are_refused(experiment: Path, tmp_path: Path) -> None:
    experiment.write_text(EXPERIMENT.replace("horizon = 5, ", "horizon = 9, "))
    ingest("few", workspace=tmp_path / "w")
    train("few", workspace=tmp_path / "w")
    with pytest.raises(
        WindowError, match="no movie of test is as long as a window of 12 pictures; the longest has 8"
    ):
        evaluate("few", workspace=tmp_path / "w")


def test_a_model_of_another_experiment_is_not_judged(experiment: Path, tmp_path: Path) -> None:
    settings = Settings.load(workspace=tmp_path / "w")

    def judged() -> MoviesStanding:
        job = Job(experiment=load_experiment("few", experiment.parent), settings=settings)
        return evaluate_movies.fn(job, "squares", snapshot)

    few = Job(experiment=load_experiment("few", experiment.parent), settings=settings)
    ingest_movies.fn(few)
    snapshot, folder = few.cube_snapshot(), few.workspace.models("few", "squares")
    ids = fit_models(few.any_reading("squares"), few.recipes("squares"), folder, snapshot=snapshot)
    crown(folder, Reign.of(folder, ids, how="trained", by="a test", because="of it"), over=None)
    for old, new in (
        (
            "train = [1, 15]\nvalidation = [16, 18]\ntest = [19, 30]",
            "train = [13, 27]\nvalidation = [28, 30]\ntest = [1, 12]",
        ),
        ("validation = [16, 18]", "validation = [17, 18]"),
        ("horizon = 5, ", "horizon = 4, "),
        ('scaling = "none"', 'scaling = "unit"'),
        ("filters = 2", "filters = 3"),
    ):
        assert old in EXPERIMENT
        experiment.write_text(EXPERIMENT.replace(old, new))
        with pytest.raises(
            ConfigError, match=r"the model next_frame-.* was not trained with the experiment"
        ) as caught:
            judged()
        assert caught.value.remedy == "run `isotherm train few` first"
    experiment.write_text(EXPERIMENT.replace("resamples = 50", "resamples = 60"))
    assert judged().verdict.windows == 12


@pytest.mark.usefixtures("prefect_server")
def test_the_status_tells_of_movies_that_are_too_short(experiment: Path, tmp_path: Path) -> None:
    ingest("few", workspace=tmp_path / "w")
    settings = Settings.load(workspace=tmp_path / "w")
    assert workspace_status(settings).experiments[0].too_short == 0
    experiment.write_text(
        EXPERIMENT.replace("horizon = 5, ", "horizon = 9, ").replace("steps = 5", "steps = 6")
    )
    assert workspace_status(settings).experiments[0].too_short == 18
    assert "18 movies, not used" in told(status, workspace_status(settings))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[movies]", "[period]\nstart = 2020-01-01\n[movies]", r"\[period\] and \[movies\] are of different"),
        (
            'loss = "binary-cross-entropy"',
            'loss = "cross-entropy"',
            "the loss 'cross-entropy' is none of movies",
        ),
        ('name = "next_frame"', 'name = "dense"', "no model of movies 'dense'"),
        (SOURCE, 'name = "jena"\n', "jena is no source of movies"),
        ("movies = 30", "moovies = 30", "no key of source moving-squares 'moovies'"),
        ("longer = 12", "longer = 31", "cannot be longer"),
        ("test = [19, 30]", "test = [18, 30]", "validation and test have 18 in common"),
        ("horizon = 5", "horizn = 5", "horizn"),
        ("validation_loss = [0.1, 0.001]", "validation_loss = [0.1]", "each has one validation_loss"),
        ("filters = 2", "fliters = 2", "fliters"),
        ("filters = 2", "filters = 2\nkernel_size = 2", "kernel_size"),
        (
            "[movies]",
            "[quality]\nmean_jump = 3.0\n[movies]",
            r"\[quality\] is of days, which movies have none of",
        ),
        ("[movies]", "[climatology]\n[movies]", r"\[climatology\] is of days"),
        ("[movies]", "[operations]\n[movies]", r"\[operations\] is of days"),
        (
            "[movies]",
            "[simulation]\nfirst_day = 2020-01-01\ntoday = 2020-02-01\n[movies]",
            r"\[simulation\] is of oisst, oisst-sequences, jena, and not of moving-squares",
        ),
        (
            'learn = "next", steps = 5, ',
            "",
            r"next_frame gives the next picture at every step, and learn is 'horizon'",
        ),
        (
            'name = "next_frame"\nlayers = 1\nfilters = 2',
            'name = "encoder_forecaster"',
            r"encoder_forecaster gives the pictures of the horizon, all at once, and learn is 'next'",
        ),
        (
            "filters = 2",
            'filters = 2\nactivation = "linear"',
            "binary-cross-entropy is of pictures between 0",
        ),
        ('scaling = "none"', 'scaling = "standard"', "binary-cross-entropy is of pictures between 0"),
        (
            'horizon = 5, learn = "next", steps = 5',
            'horizon = 1, learn = "next", judged = "each-step", steps = 5',
            r'judged = "each-step" is of histories of 3 pictures, and steps is 5',
        ),
        (
            'name = "next_frame"\nlayers = 1\nfilters = 2\n\n[training]\nloss = "binary-cross-entropy"',
            'name = "conv_lstm_hybrid"\n\n[training]\nloss = "mse"',
            "conv_lstm_hybrid takes 5 pictures, as it is trained, .* history of 3",
        ),
    ],
)
def test_a_file_that_cannot_be_is_refused_by_name(experiment: Path, old: str, new: str, said: str) -> None:
    require_refused(experiment, replaced(EXPERIMENT, old, new), said)


def test_movies_are_not_audited(experiment: Path, tmp_path: Path) -> None:
    few = Job(
        experiment=load_experiment("few", experiment.parent), settings=Settings.load(workspace=tmp_path / "w")
    )
    with pytest.raises(ConfigError, match="an audit asks for the files of days, and 'few' has none"):
        run_ingest(few, audit=True)


def test_rungs_of_another_kind_are_refused(experiment: Path) -> None:
    require_refused(experiment, 'ladder = ["naive"]\n' + EXPERIMENT, "no rung of movies 'naive'")


def test_only_movies_are_split_by_their_numbers(tmp_path: Path) -> None:
    text = (Settings().experiments / "demo-station.toml").read_text(encoding="utf-8")
    begin = text.index("[splits")
    end = text.find("\n[", begin + 1)
    while text[end + 2 :].startswith("splits"):
        end = text.find("\n[", end + 1)
    numbers = "[splits]\ntrain = [1, 2]\ntest = [3, 4]\n"
    (tmp_path / "odd.toml").write_text(text[:begin] + numbers + text[end:])
    with pytest.raises(ConfigError, match=r"only \[movies\] are split by their numbers"):
        load_experiment("odd", tmp_path)


@pytest.mark.parametrize("name", ["moving-squares", "moving-squares-small"])
def test_the_experiments_of_moving_squares_are_sound(name: str) -> None:
    found = load_experiment(name, Settings().experiments)
    assert found.kind == "movies"
    assert found.movies is not None
    windows, made = found.movies.windows, found.make_movie_source().config
    lengths = (made.pictures, made.longer_pictures if made.longer else made.pictures)
    assert windows.learned <= lengths[0]
    assert windows.length <= lengths[1]
    assert max(last for _, last in found.splits.parts.values()) == made.movies

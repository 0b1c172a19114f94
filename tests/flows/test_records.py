"""The whole way of labelled records: an archive and outcomes, a small network, its verdict and report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flows.cycle import Cycle, cycle
from flows.evaluate import evaluate
from flows.ingest import ingest
from flows.jobs import Job
from flows.loading import load_experiment
from flows.publish import report
from flows.record_tasks import evaluate_records, ingest_records
from flows.settings import Settings
from flows.show import result
from flows.train import train
from models.champions import Reign, crown
from models.fitting import fit_models
from pipeline.errors import ConfigError
from pipeline.evaluation.records import RecordsStanding
from pipeline.evaluation.versions import read_scores
from pipeline.workspace import Workspace
from tests.experiment_files import replaced, require_refused
from tests.icu import FIRST, stay, stays, write_archive, write_outcomes
from tests.pages import Page
from tests.shown import told, told_of

EXPERIMENT = """
title = "A small ward"
description = "Made in NumPy."

[source]
name = "physionet2012"

[records]
name = "ward"
title = "The ward"
steps = { step = 240 }

[splits]
train = 0.5
validation = 0.2
test = 0.3

[model]
name = "lstm_classifier"
units = 4
members = 1

[training]
loss = "cross-entropy"
epochs = 3
batch_size = 16

[evaluation]
resamples = 50
"""


@pytest.fixture
def experiment(written: Callable[[str, str], Path]) -> Path:
    return written("ward", EXPERIMENT)


def files(folder: Path, count: int = 120) -> tuple[str, ...]:
    made, outcomes = stays(count)
    made[FIRST + 5] = stay(FIRST + 5)[:7]
    archive = write_archive(folder / "set.tar.gz", made)
    return str(archive), str(write_outcomes(folder / "outcomes.txt", outcomes))


@pytest.mark.usefixtures("prefect_server")
def test_the_whole_way_twice_and_step_by_step(experiment: Path, tmp_path: Path) -> None:
    place, given = tmp_path / "w", files(tmp_path)
    done = cycle("ward", workspace=place, from_files=given)
    assert isinstance(done, Cycle)
    said = told(result, done)
    assert "ingested 119 records" in said
    assert "1 left out: 1 no-series" in said
    assert "catalog" not in said
    workspace = Workspace(place)
    standing = RecordsStanding.read(workspace.scores("ward", "ward"))
    scores = read_scores(workspace.scores("ward", "ward"), standing.scores_version)
    ladder = ["prevalence", "logistic-means", "logistic-last", "logistic"]
    assert scores.forecaster.values.tolist() == ["lstm_classifier", *ladder]
    assert scores.sizes["record"] == standing.verdict.records
    assert float(scores.auc.sel(forecaster="prevalence")) == 0.5
    assert not done.released
    headings = ("Verdict", "Discrimination", "Calibration", "Training", "Data", "Lineage", "How to read this")
    Page.whole(done.report.read_text(encoding="utf-8"), *headings, "it has descriptors and no series")
    shown = told_of(place)
    assert "119 records" in shown
    assert f"{FIRST + 5}.txt line 7" in shown
    assert "champion lstm_classifier-" in shown

    again = cycle("ward", workspace=place, from_files=given)
    assert isinstance(again, Cycle)
    assert again.models == done.models
    assert again.ingested.snapshot is None
    trained = train("ward", workspace=place)
    assert {region: said.split()[0] for region, said in trained.items()} == done.models
    assert evaluate("ward", workspace=place) == done.verdicts
    assert report("ward", workspace=place) == done.report
    assert ingest("ward", workspace=place, from_files=given).snapshot is None


def test_a_model_of_another_experiment_or_of_fewer_records_is_not_judged(
    experiment: Path, tmp_path: Path
) -> None:
    settings = Settings.load(workspace=tmp_path / "w")

    def judged() -> RecordsStanding:
        job = Job(experiment=load_experiment("ward", experiment.parent), settings=settings)
        return evaluate_records.fn(job, "ward", job.cube_snapshot())

    def refused() -> None:
        with pytest.raises(ConfigError, match=r"the model lstm_classifier-.* was not trained with") as caught:
            judged()
        assert caught.value.remedy == "run `isotherm train ward` first"

    def held(count: int) -> Job:
        sourced = load_experiment("ward", experiment.parent).sourced(files=files(tmp_path, count))
        job = Job(experiment=sourced, settings=settings)
        assert ingest_records.fn(job).snapshot
        return job

    ward = held(120)
    snapshot, folder = ward.cube_snapshot(), ward.workspace.models("ward", "ward")
    ids = fit_models(ward.any_reading("ward"), ward.recipes("ward"), folder, snapshot=snapshot)
    crown(folder, Reign.of(folder, ids, how="trained", by="a test", because="of it"), over=None)
    for old, new in (
        ("train = 0.5\nvalidation = 0.2\ntest = 0.3", "train = 0.1\nvalidation = 0.1\ntest = 0.8"),
        ("step = 240", "step = 240, split_seed = 5"),
        ("step = 240", "step = 120"),
    ):
        assert old in EXPERIMENT
        experiment.write_text(EXPERIMENT.replace(old, new))
        refused()
    experiment.write_text(EXPERIMENT)
    assert judged().verdict.records
    held(150)
    refused()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "[records]",
            "[period]\nstart = 2020-01-01\n[records]",
            r"\[period\] and \[records\] are of different",
        ),
        ('loss = "cross-entropy"', 'loss = "mse"', "the loss 'mse' is none of records"),
        ('name = "lstm_classifier"', 'name = "dense"', "no model of records 'dense'"),
        ('name = "physionet2012"', 'name = "jena"', "jena is no source of labelled records"),
        (
            "[splits]",
            "[operations]\n[splits]",
            r"\[operations\] is of days, which labelled records have none",
        ),
        ("[splits]", 'ladder = ["naive"]\n[splits]', "unknown key 'records.ladder'"),
        ("train = 0.5", "train = 0.6", "sum to 1.1"),
        ("step = 240", "stp = 240", "unknown key .*stp"),
    ],
)
def test_a_file_that_cannot_be_is_refused_by_name(experiment: Path, old: str, new: str, said: str) -> None:
    require_refused(experiment, replaced(EXPERIMENT, old, new), said)


def test_rungs_of_another_kind_are_refused(experiment: Path) -> None:
    require_refused(experiment, 'ladder = ["naive"]\n' + EXPERIMENT, "no rung of records 'naive'")


def test_a_series_may_not_be_learned_by_the_loss_of_labels(tmp_path: Path) -> None:
    text = load_text("demo-station").replace("[training]", '[training]\nloss = "cross-entropy"', 1)
    lines = [
        line
        for line in text.splitlines()
        if not line.startswith('loss = "ma') and not line.startswith('loss = "ms')
    ]
    (tmp_path / "odd.toml").write_text("\n".join(lines))
    with pytest.raises(ConfigError, match="the loss 'cross-entropy' is none of series"):
        load_experiment("odd", tmp_path)


def load_text(name: str) -> str:
    return (Settings().experiments / f"{name}.toml").read_text(encoding="utf-8")

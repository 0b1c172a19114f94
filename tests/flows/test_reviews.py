"""The whole way of labelled texts: reviews, two small networks, their verdict and report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flows.cycle import Cycle, cycle
from flows.ingest import ingest
from flows.loading import load_experiment
from flows.settings import Settings
from flows.show import result
from pipeline.errors import ConfigError, GranuleError
from pipeline.evaluation.records import RecordsStanding
from pipeline.evaluation.versions import read_scores
from pipeline.workspace import Workspace
from tests.experiment_files import replaced, require_refused
from tests.pages import Page
from tests.reviews import lines_of, reviews, write_folder, write_lines
from tests.shown import told, told_of

EXPERIMENT = """
title = "Small reviews"
description = "Made in NumPy."

[source]
name = "imdb"

[records]
name = "reviews"
title = "The reviews"
words = { vocabulary = 18, length = 20, padding = 0.6 }
published = { accuracy = { small = 0.6 } }

[splits]
train = 0.7
validation = 0.3
test = "published"

[models.small]
name = "text_simple_rnn"
embedding = 3
units = 4

[models.convolved]
name = "text_conv_lstm"
embedding = 3
filters = 3
units = 4

[training]
loss = "cross-entropy"
epochs = 2
batch_size = 16

[evaluation]
resamples = 50
"""


@pytest.fixture
def experiment(written: Callable[[str, str], Path]) -> Path:
    return written("small", EXPERIMENT)


@pytest.mark.usefixtures("prefect_server")
def test_the_whole_way_and_again_from_the_same_reviews(experiment: Path, tmp_path: Path) -> None:
    place, made = tmp_path / "w", reviews(120, 60)
    given = str(write_lines(tmp_path / "reviews.jsonl.gz", [*lines_of(made), "{"]))
    done = cycle("small", workspace=place, from_files=(given,))
    assert isinstance(done, Cycle)
    said = told(result, done)
    assert "ingested 180 records (90 positive), 1 left out: 1 structure" in said
    workspace = Workspace(place)
    standing = RecordsStanding.read(workspace.scores("small", "reviews"))
    scores = read_scores(workspace.scores("small", "reviews"), standing.scores_version)
    assert set(scores.forecaster.values) == {"small", "convolved", "prevalence", "bag-of-words"}
    assert (scores.sizes["record"], scores.sizes["train_record"]) == (60, 84)
    assert scores.accuracy_published.sel(forecaster="small") == 0.6
    headings = (
        "Verdict", "Decisions", "Discrimination", "Calibration", "Probabilities", "Training", "Accuracy by epoch",
        "Data", "Lineage", "How to read this",
    )  # fmt: skip
    page = Page.whole(done.report.read_text(encoding="utf-8"), *headings, "Bag of words")
    assert "forecasts?" not in page.text
    assert "isotherm lineage" not in page.text
    shown = told_of(place)
    assert "180 records, 90 positive; " in shown
    assert "reviews.jsonl.gz line 181: it is no JSON" in shown
    assert "measurement" not in shown

    again = cycle("small", workspace=place, from_files=(given,))
    assert isinstance(again, Cycle)
    assert (again.models, again.ingested.snapshot) == (done.models, None)
    other = write_folder(tmp_path / "aclImdb", made | {"train/pos/1_9.txt": b"caf\xe9"})
    changed = ingest("small", workspace=place, from_files=(str(other),))
    assert changed.snapshot is not None
    assert changed.excluded == {"encoding": 1}
    assert ingest("small", workspace=place, from_files=(str(other),)).snapshot is None


@pytest.mark.usefixtures("prefect_server")
def test_reviews_of_which_none_can_be_used_are_refused(experiment: Path, tmp_path: Path) -> None:
    given = str(write_lines(tmp_path / "a.jsonl", ["{", "[]"]))
    with pytest.raises(GranuleError, match=r"no record could be used; 2 were left out, the first a.jsonl:1"):
        ingest("small", workspace=tmp_path / "w", from_files=(given,))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "text_simple_rnn"', 'name = "lstm"', "no model of texts 'lstm'"),
        (
            "words = { vocabulary = 18, length = 20, padding = 0.6 }",
            "",
            r"(?s)only of texts .* give \[records\] words = {}",
        ),
        (
            'name = "imdb"',
            'name = "physionet2012"',
            "physionet2012 has records, and the experiment is of texts",
        ),
        ("{ vocabulary = 18,", "{ vocabulry = 18,", "(?s)unknown key .*vocabulry.*vocabulary"),
        ("{ small = 0.6 }", "{ smal = 0.6 }", "no model of the experiment 'smal'.*small"),
        ("{ accuracy = {", "{ acuracy = {", "acuracy"),
        ("{ small = 0.6 }", "{ small = 64 }", "less than or equal to 1"),
        (
            "published = { acc",
            "steps = { step = 60 }\npublished = { acc",
            "steps are of records of measurements",
        ),
        ('loss = "cross-entropy"', 'loss = "mse"', "the loss 'mse' is none of texts"),
        ("train = 0.7", "train = 0.6", "train and validation sum to 0.9"),
        (
            'test = "published"',
            'test = "publshed"',
            r"splits\.test.* a part, such as 0.2, or 'published', and not 'publshed'",
        ),
        ("[splits]", 'ladder = ["logistic"]\n[splits]', "unknown key 'records.ladder'"),
    ],
)
def test_a_file_that_cannot_be_is_refused_by_name(experiment: Path, old: str, new: str, said: str) -> None:
    require_refused(experiment, replaced(EXPERIMENT, old, new), said)


def test_rungs_of_measurements_are_none_of_texts(experiment: Path) -> None:
    require_refused(experiment, 'ladder = ["logistic"]\n' + EXPERIMENT, "no rung of texts 'logistic'")


def test_what_was_published_for_test_is_known_of_texts_alone(tmp_path: Path) -> None:
    for name in ("icu-mortality", "jena-as-published"):
        text = (Settings().experiments / f"{name}.toml").read_text(encoding="utf-8")
        lines = ['test = "published"' if line.startswith("test =") else line for line in text.splitlines()]
        changed = (
            "\n".join(lines)
            .replace("validation = 0.25", "validation = 0.5")
            .replace("train = 0.7", "train = 0.9")
        )
        (tmp_path / f"{name}.toml").write_text(changed)
        with pytest.raises(ConfigError, match="only of texts is it known which were published for test"):
            load_experiment(name, tmp_path)


def test_a_source_of_texts_is_told_from_one_of_measurements(experiment: Path) -> None:
    text = EXPERIMENT.replace("words = { vocabulary = 18, length = 20, padding = 0.6 }", "")
    text = text.replace("train = 0.7", "train = 0.5").replace('test = "published"', "test = 0.2")
    experiment.write_text(text)
    with pytest.raises(
        ConfigError, match=r"(?s)imdb has texts, and the experiment is of records.*words = {}"
    ):
        load_experiment("small", experiment.parent)

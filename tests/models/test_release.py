"""From the archive to scores, report and products."""

import hashlib
import shutil
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from models import fitting
from models.card import CARD, ModelCard, judged
from pipeline.errors import NotFoundError, WindowError
from pipeline.evaluation.region import score_region
from pipeline.evaluation.specs import EvaluationSpec
from pipeline.evaluation.standing import Standing
from pipeline.evaluation.versions import read_scores
from pipeline.forecasts import archive
from pipeline.lineage import Lineage, read_lineage, render, sources_digest
from pipeline.publish.release import release_region
from pipeline.reports.gather import gather_report
from pipeline.reports.render import render as render_report
from pipeline.splits import Splits
from pipeline.windows import find_windows
from pipeline.workspace import Workspace
from tests.models.bay import GAPPED, SHORT, recipe
from tests.models.conftest import LADDER
from tests.records import SPEC, SPLITS, YEARLY, make_sea, period, write_cube

SPLIT = SPLITS.guarded(SPEC.length)
TEST = find_windows(GAPPED.time, GAPPED.usable, SPLIT.test, SPEC)


def score(made, folder, *, splits=SPLITS, ladder=LADDER):
    return score_region(
        made.reading,
        made.archive,
        folder,
        experiment="trial",
        judged=judged(made.models / made.model_id),
        ladder=ladder,
        splits=splits,
        windows=SPEC,
        climatology=YEARLY,
        spec=EvaluationSpec(resamples=50, block_length=10),
        cube_snapshot=made.snapshot,
        archive_snapshot=made.archive_snapshot,
    )


@pytest.fixture(scope="module")
def standing(made):
    return score(made, made.workspace.scores("trial", "bay"))


@pytest.fixture
def release(made, standing, tmp_path):
    """Publish as if the verdict were so."""

    def publish(*, promoted):
        verdict = standing.verdict.model_copy(update={"promoted": promoted})
        told = standing.model_copy(update={"verdict": verdict})
        scores = tmp_path / "scores" / "trial" / "bay"
        score(made, scores)
        told.write(scores)
        report = tmp_path / "index.html"
        report.write_text("<html></html>")
        published = tmp_path / "published"
        released = release_region(
            made.cube, made.archive, scores, published, report=report, title="Trial", description="A trial."
        )
        return released, published

    return publish


def test_scores_are_those_of_the_archived_forecasts(made, standing):
    scores = read_scores(made.workspace.scores("trial", "bay"), standing.scores_version)
    assert scores.attrs["version"] == standing.scores_version
    assert scores.forecaster.values.tolist() == ["convlstm", *LADDER]
    weights = np.cos(np.radians(GAPPED.latitude))[:, None] * GAPPED.ocean
    whole = scores.sel(area="all", season="all")
    assert int(whole["count"].max()) == len(TEST)
    for name in scores.forecaster.values.tolist():
        forecasts = archive.read(made.archive, "bay", name).sst.values[:-1]
        square = np.nan_to_num(forecasts - GAPPED.truth(TEST)) ** 2
        expected = np.sqrt(np.sum(square * weights, axis=(2, 3)).mean(axis=0) / weights.sum())
        np.testing.assert_allclose(whole.rmse.sel(forecaster=name), expected, rtol=1e-5)
    provenance = ("experiment", "region", "model_id", "archive_snapshot", "cube_snapshot")
    assert [scores.attrs[key] for key in provenance] == [
        "trial",
        "bay",
        made.model_id,
        made.archive_snapshot,
        made.snapshot,
    ]


def test_the_standing_is_read_back_as_it_was_written(made, standing):
    folder = made.workspace.scores("trial", "bay")
    assert Standing.read(folder) == standing
    assert standing.splits == SPLIT
    assert score(made, folder) == standing
    assert sorted(each.name for each in folder.iterdir()) == [
        f"{standing.scores_version}.zarr",
        "standing.json",
    ]


def test_a_region_without_scores_is_told(made, tmp_path):
    with pytest.raises(NotFoundError, match="region 'bay' of experiment 'trial' has no scores yet") as caught:
        Standing.read(tmp_path / "trial" / "bay")
    assert "isotherm evaluate trial" in caught.value.remedy


def test_test_windows_that_were_not_forecast_are_told(made, tmp_path):
    earlier = Splits(train=SPLITS.train, validation=period(460, 480), test=period(500, 649))
    with pytest.raises(WindowError, match=r"lacks \d+ of the \d+ test windows of 'convlstm'") as caught:
        score(made, tmp_path, splits=earlier)
    assert "isotherm forecast" in caught.value.remedy
    with pytest.raises(NotFoundError, match="no forecasts of 'eof-ridge'"):
        score(made, tmp_path, ladder=(*LADDER, "eof-ridge"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("promoted", [True, False])
def test_what_is_published_is_the_promoted_model_or_else_the_best_rung(made, standing, release, promoted):
    released, _ = release(promoted=promoted)
    name = "convlstm" if promoted else standing.verdict.best_rung
    assert released.forecaster == name
    assert released.init_time == str(GAPPED.time[-1].astype("datetime64[D]"))
    newest = archive.read(made.archive, "bay", name).isel(init_time=[-1])
    with xr.open_zarr(released.forecast) as product:
        np.testing.assert_array_equal(product.sst.values, newest.sst.values)
        assert product.init_time.values[0] == GAPPED.time[-1]
        lineage = Lineage.model_validate_json(product.attrs["lineage"])
    assert (lineage.model.name, lineage.model.id) == (name, str(newest.model_id.values[0]))


@pytest.mark.parametrize("promoted", [True, False])
def test_the_lineage_leads_back_to_the_files(made, standing, release, promoted):
    released, published = release(promoted=promoted)
    lineage = read_lineage(released.item)
    assert read_lineage(released.forecast) == lineage
    held = np.isfinite(GAPPED.values).any(axis=(1, 2))
    hashes = [hashlib.sha256(field.tobytes()).hexdigest() for field in GAPPED.values[held]]
    assert lineage.sources.count == held.sum() == len(GAPPED.time) - 2
    assert lineage.sources.digest == sources_digest(hashes)
    assert lineage.sources.first_url == "https://mirror.test/2001-01-01.nc"
    assert lineage.cube_snapshot == made.snapshot
    assert lineage.archive_snapshot == made.archive_snapshot
    assert lineage.scores_version == standing.scores_version
    assert lineage.windows == SPEC
    card = made.models / made.model_id / CARD
    digest = hashlib.sha256(card.read_bytes()).hexdigest()
    assert lineage.model.card_sha256 == (digest if promoted else "")
    assert lineage.fitted_sha256 == ModelCard.read(made.models / made.model_id).fitted_sha256
    text = render(lineage)
    for link in (lineage.sources.digest, made.snapshot, made.archive_snapshot, lineage.model.id):
        assert link in text
    assert ("card sha256" in text) == promoted
    kept = [xr.open_zarr(path).attrs for path in published.rglob("scores-*.zarr")]
    assert [attrs["cube_snapshot"] for attrs in kept] == [made.snapshot]


def test_releasing_again_changes_nothing(made, release):
    first, published = release(promoted=False)
    stamps = {path: path.stat().st_mtime_ns for path in published.rglob("*.zarr/**/*")}
    again, _ = release(promoted=False)
    assert again == first
    assert {path: path.stat().st_mtime_ns for path in published.rglob("*.zarr/**/*")} == stamps


def test_the_report_shows_what_was_scored(made, standing, tmp_path):
    inputs = gather_report(
        made.workspace,
        "trial",
        title="Trial",
        description="A trial.",
        places={"bay": ("The bay", made.reading)},
    )
    (region,) = inputs.regions
    assert region.verdict == standing.verdict
    assert region.scores.attrs["version"] == standing.scores_version
    assert region.newest_by == standing.forecaster
    assert region.data.counts == {"final": 648, "preliminary": 0, "missing": 2}
    assert [(gap.start, gap.days) for gap in region.data.gaps] == [(period(600, 600).start, 2)]
    assert region.training.best_epoch == 1
    assert region.card["model id"] == made.model_id
    assert region.lineage["cube_snapshot"] == made.snapshot
    examples = region.examples
    assert examples.sizes["init_time"] == 4
    assert set(examples.init_time.values) <= set(TEST.init_time)
    place = np.searchsorted(GAPPED.time, examples.init_time.values)[:, None] + [1, 2, 3]
    np.testing.assert_array_equal(examples.truth, GAPPED.values[place])
    for variable, name in (("model", "convlstm"), ("best_rung", standing.verdict.best_rung)):
        expected = archive.read(made.archive, "bay", name).sst.sel(init_time=examples.init_time)
        np.testing.assert_array_equal(examples[variable], expected)
    page = render_report(inputs, tmp_path / "index.html").read_text()
    assert "The bay" in page
    assert standing.scores_version in page


def test_one_more_day_is_forecast_by_the_same_model_and_scored_alike(made, standing, tmp_path, monkeypatch):
    shutil.copytree(made.workspace.root, tmp_path / "w")
    longer = make_sea(len(GAPPED.time) + 1, shape=GAPPED.ocean.shape)
    longer.values[: len(GAPPED.time)] = GAPPED.values
    grown = replace(made, workspace=Workspace.open(tmp_path / "w"))
    grown = replace(grown, snapshot=write_cube(grown.cube, longer))
    monkeypatch.setattr(fitting, "train", None)
    again = fitting.fit_models(grown.reading, [recipe(training=SHORT)], grown.models, snapshot=grown.snapshot)
    assert again == {"convlstm": made.model_id}
    grown = replace(grown, archive_snapshot=grown.issue())
    for name in ("convlstm", *LADDER):
        before = archive.read(grown.archive, "bay", name, snapshot=made.archive_snapshot)
        after = archive.read(grown.archive, "bay", name, snapshot=grown.archive_snapshot)
        assert after.init_time.values.tolist() == [*before.init_time.values.tolist(), int(longer.time[-1])]
        np.testing.assert_array_equal(after.sst.values[:-1], before.sst.values)
    scored = score(grown, grown.workspace.scores("trial", "bay"))
    assert scored.verdict == standing.verdict
    inputs = gather_report(
        grown.workspace,
        "trial",
        title="Trial",
        description="A trial.",
        places={"bay": ("The bay", grown.reading)},
    )
    assert inputs.regions[0].newest.init_time.values[0] == longer.time[-1]
    assert set(inputs.regions[0].examples.init_time.values) <= set(TEST.init_time)

"""Retention of a whole workspace: what is named stays readable, what is not goes, and nothing is met half gone."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import xarray as xr
from typer.testing import CliRunner

from flows import cli
from flows import retain as retaining
from flows.composing import job_for
from flows.jobs import Job
from flows.retain import Retained, run_retain
from models.champions import champion_models
from pipeline.lineage import read_lineage
from pipeline.publish.pruning import lineages, listed
from pipeline.store import reader, repository, retention
from pipeline.workspace import Workspace
from tests import seas

pytestmark = pytest.mark.usefixtures("prefect_server")

LATER = dt.datetime.now(dt.UTC) + dt.timedelta(days=40)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, prefect_server: str) -> Path:
    """A workspace in which the small experiment went the whole way twice, the second time with more days."""
    from flows.cycle import cycle

    root = tmp_path_factory.mktemp("retained")
    seas.write_experiment(root / "experiments")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ISOTHERM_EXPERIMENTS", str(root / "experiments"))
        patch.setenv("ISOTHERM_WORKERS", "1")
        for name, last in (("first", seas.LAST - dt.timedelta(3)), ("second", seas.LAST)):
            given = seas.write(root / f"{name}.nc", seas.sea(seas.days(last=last)))
            cycle("small", workspace=root / "workspace", from_files=(str(given),))
    return root


@pytest.fixture
def job(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    """The experiment in a copy of that workspace."""
    shutil.copytree(trained / "workspace", tmp_path / "workspace", dirs_exist_ok=True)
    monkeypatch.setenv("ISOTHERM_EXPERIMENTS", str(trained / "experiments"))
    with job_for("small", workspace=tmp_path / "workspace") as made:
        yield made


def files(workspace: Workspace) -> dict[str, str]:
    return {
        str(path.relative_to(workspace.root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(workspace.root.rglob("*"))
        if path.is_file() and "prefect" not in path.parts and not path.name.endswith(".lock")
    }


def litter(workspace: Workspace) -> list[Path]:
    """What nothing refers to: a model, a training given up, scores, products, and what a killed run left."""
    models = workspace.models("small", "small")
    (model_id,) = champion_models(models).values()
    other = models / f"{model_id[:-4]}0000"
    shutil.copytree(models / model_id, other)
    card = other / "card.json"
    card.write_text(card.read_text().replace(model_id, other.name))
    draft = models / ".training-convlstm-0123"
    half = models / ".gone-0123"
    scores = workspace.scores("small", "small")
    published = workspace.published / "small" / "small"
    left = [
        other,
        draft,
        half,
        scores / "0123.zarr",
        published / "forecast-0123.zarr",
        published / "report-0123.html",
    ]
    for path in left[1:5]:
        path.mkdir()
        (path / "some").write_text("x" * 100)
    left[5].write_text("x")
    return left


def require_whole(job: Job) -> None:
    """Everything that a catalog, a card or the newest scores name can be read."""
    workspace = job.workspace
    for target in listed(workspace.published, "small"):
        assert target.exists()
    for lineage in lineages(workspace.published, "small"):
        assert len(reader.open_region(workspace.cube("small"), "small", snapshot=lineage.cube_snapshot).time)
        repository.read_session(workspace.archive("small"), lineage.archive_snapshot)
    for path in job.models("small").values():
        assert (path / "card.json").is_file()


def test_what_is_named_stays_and_the_rest_goes(job: Job) -> None:
    workspace = job.workspace
    left = litter(workspace)
    items = [path for path in listed(workspace.published, "small") if path.suffix == ".zarr"]
    assert len({read_lineage(str(path)).cube_snapshot for path in items if "forecast" in path.name}) == 2
    before = files(workspace)
    record = reader.read_record(workspace.cube("small"), "small").values.tobytes()
    young = run_retain(job)
    assert [each.what for each in young.removed] == []
    told = run_retain(job, dry_run=True, now=LATER)
    stored = {path: text for path, text in files(workspace).items() if "refs" not in path}
    assert stored.items() >= {path: text for path, text in before.items() if "refs" not in path}.items()
    done = run_retain(job, now=LATER)
    assert {workspace.root / each.path for each in done.removed} >= set(left)
    assert done.model_copy(update={"dry_run": True}) == told
    assert not [path for path in left if path.exists()]
    require_whole(job)
    assert reader.read_record(workspace.cube("small"), "small").values.tobytes() == record
    assert xr.open_zarr(items[0]).sizes
    again = run_retain(job, now=LATER)
    assert (again.removed, again.bytes) == ((), 0)
    assert "0 snapshots expired" in again.lines[0]


def test_killed_between_two_removals_it_goes_on(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    left = litter(job.workspace)
    removed = shutil.rmtree
    calls: list[Path] = []

    def ends(path: Path, *_: object, **__: object) -> None:
        calls.append(path)
        if len(calls) == 2:
            raise KeyboardInterrupt
        removed(path)

    monkeypatch.setattr(retaining.shutil, "rmtree", ends)
    with pytest.raises(KeyboardInterrupt):
        run_retain(job, now=LATER)
    monkeypatch.undo()
    require_whole(job)
    run_retain(job, now=LATER)
    require_whole(job)
    assert not [path for path in left if path.exists()]
    assert not [*job.workspace.root.rglob(".gone-*")]


def test_the_pin_of_a_pruned_model_goes_with_it(job: Job) -> None:
    workspace = job.workspace
    cube = workspace.cube("small")
    ids = [str(snapshot.id) for snapshot in repository.open_repository(cube).ancestry(branch="main")]
    other = litter(workspace)[0]
    card = other / "card.json"
    (own,) = job.models("small").values()
    oldest = ids[-1]
    snapshot = (own / "card.json").read_text().split('"cube_snapshot": "')[1].split('"')[0]
    card.write_text(card.read_text().replace(snapshot, oldest))
    run_retain(job)
    assert oldest in retention.pinned(cube)
    run_retain(job, now=LATER)
    assert oldest not in retention.pinned(cube)
    assert snapshot in retention.pinned(cube)


def test_the_command(job: Job) -> None:
    told = CliRunner().invoke(
        cli.app, ["retain", "small", "--workspace", str(job.workspace.root), "--dry-run"]
    )
    assert told.exit_code == 0, told.output
    assert "would remove 0.0 KiB in all" in told.output
    assert isinstance(run_retain(job), Retained)

"""The flow `retain`: what nothing refers to any more goes, by policy."""

from __future__ import annotations

import datetime as dt
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import uuid4

from prefect import flow

from flows import artifacts, runtime
from flows.composing import job_for
from flows.jobs import Job
from flows.kinds import require_kind
from flows.parameters import TimedExperimentName, WorkspaceFolder, diary_entry
from models.card import CARD
from models.pinned import find_pinned
from models.pruning import cards, drafts, unused_models
from pipeline.errors import NotFoundError
from pipeline.evaluation.rolling import FILE as SCORECARD
from pipeline.evaluation.rolling import FOLDER as SCORECARDS
from pipeline.evaluation.rolling import Rolling
from pipeline.evaluation.standing import FILE, Standing
from pipeline.forecasts import archive
from pipeline.lineage import Lineage
from pipeline.location import is_remote
from pipeline.naming import counted
from pipeline.publish.product import ZARR_MARK
from pipeline.publish.pruning import lineages, unlisted_products, unused_scores
from pipeline.store import repository, retention
from pipeline.store.retention import Collected
from pipeline.types import Spec

GONE = ".gone-"


class Removed(Spec):
    """Something that went, or would."""

    what: str
    path: str
    bytes: int


class Retained(Spec):
    """What a retention removed, or would."""

    dry_run: bool
    removed: tuple[Removed, ...] = ()
    cube: Collected = Collected()
    archive: Collected = Collected()

    @property
    def bytes(self) -> int:
        """All of it."""
        return sum(each.bytes for each in self.removed) + self.cube.bytes + self.archive.bytes

    @property
    def lines(self) -> list[str]:
        """As they are told."""
        does = "would remove" if self.dry_run else "removed"
        told = [f"{does} {each.what} {each.path} ({_size(each.bytes)})" for each in self.removed]
        for name, store in (("cube", self.cube), ("archive", self.archive)):
            told.append(
                f"{name}: {counted(store.snapshots, 'snapshot')} {'would expire' if self.dry_run else 'expired'}, "
                f"{store.pinned} pinned, {does} {counted(store.objects, 'object')} ({_size(store.bytes)})"
            )
        return [*told, f"{does} {_size(self.bytes)} in all"]


def run_retain(job: Job, *, dry_run: bool = False, now: dt.datetime | None = None) -> Retained:
    """Remove what is older than the experiment's policy and named by nothing; then collect the stores."""
    now = now or dt.datetime.now(dt.UTC)
    older_than = now - dt.timedelta(job.experiment.operations.retain_days)
    workspace, name = job.workspace, job.experiment.name
    published = lineages(workspace.published, name)
    removed = []
    for what, path, since in _unused(job, published):
        limit = now - retention.SAFETY if since == "safety" else older_than
        if _touched(path) < limit.timestamp():
            removed.append(Removed(what=what, path=str(path.relative_to(workspace.root)), bytes=_bytes(path)))
            if not dry_run:
                _remove(path)
    stores = {}
    # After the models and products: pins follow what is kept.
    kept = {workspace.root / each.path for each in removed}
    cube_pins, archive_pins = _pins(job, published, kept)
    for store, path, pins in (
        ("cube", workspace.cube(name), cube_pins),
        ("archive", workspace.archive(name), archive_pins),
    ):
        if repository.exists(path):
            stores[store] = retention.retain(path, pins, older_than=older_than, now=now, dry_run=dry_run)
    return Retained(dry_run=dry_run, removed=tuple(removed), **stores)


@flow(name="retain", flow_run_name=diary_entry)
def retain(
    experiment: TimedExperimentName,
    workspace: WorkspaceFolder = None,
    dry_run: bool = False,  # noqa: FBT001, FBT002  a parameter of deployments
) -> Retained:
    """Let snapshots, models, scores and products that nothing refers to expire, by the policy of `experiment`."""
    with job_for(experiment, workspace=workspace, embedded=False) as job:
        require_kind(job.experiment, "retain")
        done = run_retain(job, dry_run=dry_run)
        lines = {str(number): line for number, line in enumerate(done.lines, 1)}
        artifacts.outcomes(job, "retention", lines, f"What went of **{job.experiment.name}**")
    report = runtime.progress("retain")
    report(1, 1, done.lines[-1])
    return done


def _unused(job: Job, published: list[Lineage]) -> Iterator[tuple[str, Path, str]]:
    """What nothing refers to: its kind, where it is, and by which age it goes."""
    workspace, name = job.workspace, job.experiment.name
    for place in job.experiment.places:
        models, scores = workspace.models(name, place), workspace.scores(name, place)
        mine = [each for each in published if each.region == place]
        unused = unused_models(models, _models_named(scores, mine))
        yield from (("model", path, "policy") for path in unused)
        yield from (("training given up", path, "policy") for path in drafts(models))
        versions = {each.scores_version for each in mine}
        yield from (("scores", path, "policy") for path in unused_scores(scores, versions))
        yield from (("scorecard", path, "policy") for path in _old_scorecards(scores))
        folders = (models, scores, workspace.published / name / place)
        yield from (("half removed", path, "safety") for each in folders for path in each.glob(f"{GONE}*"))
        yield from (("draft", path, "safety") for each in folders for path in each.glob(".*.zarr.*"))
    yield from (("product", path, "policy") for path in unlisted_products(workspace.published, name))


def _models_named(scores: Path, published: Iterable[Lineage]) -> set[str]:
    named = {each.model.id for each in published}
    if (scores / FILE).is_file():
        standing = Standing.read(scores)
        named |= {standing.judged.id, *(other.id for other in standing.others)}
    return named


def _old_scorecards(scores: Path) -> list[Path]:
    told = scores / SCORECARD
    newest = Rolling.model_validate_json(told.read_text()).version if told.is_file() else None
    return sorted(path for path in (scores / SCORECARDS).glob("*.zarr") if path.stem != newest)


def _pins(job: Job, published: list[Lineage], gone: set[Path]) -> tuple[set[str], set[str]]:
    """Snapshots of the cube and of the archive that something refers to."""
    workspace, name = job.workspace, job.experiment.name
    store = workspace.archive(name)
    cube = {each.cube_snapshot for each in published}
    archived = {each.archive_snapshot for each in published}
    for place in job.experiment.places:
        models, scores = workspace.models(name, place), workspace.scores(name, place)
        cube |= {card.cube_snapshot for path, card in cards(models).items() if path not in gone}
        retraining = find_pinned(models)
        if retraining is not None:
            cube.add(retraining.cube_snapshot)
        issued: list[str | None] = [None]
        if (scores / FILE).is_file():
            standing = Standing.read(scores)
            cube.add(standing.cube_snapshot)
            archived.add(standing.archive_snapshot)
            issued.append(standing.archive_snapshot)
        if repository.exists(store):
            cube |= {made for at in issued for made in _newest_made_from(store, place, at)}
    return cube, archived


def _newest_made_from(store: Path, place: str, snapshot: str | None) -> set[str]:
    """The snapshots of the cube behind the newest forecast of each forecaster, which may be published yet."""
    try:
        names = archive.forecasters(store, place, snapshot=snapshot)
    except NotFoundError:
        return set()
    forecasts = (archive.read(store, place, name, snapshot=snapshot) for name in names)
    return {str(each.cube_snapshot.values[-1]) for each in forecasts if each.sizes["init_time"]}


def _touched(path: Path) -> float:
    """When anything of it was last written; now, where it has just gone."""
    try:
        return max(each.stat().st_mtime for each in (path, *path.rglob("*")))
    except FileNotFoundError:
        return time.time()


def _bytes(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())


def _remove(path: Path) -> None:
    """First out of sight, so that no half of it is ever met."""
    if is_remote(path):
        objects = [path] if path.is_file() else path.walk()
        for each in sorted(
            objects, key=lambda each: each.name not in {CARD, ZARR_MARK} or each.parent != path
        ):
            each.unlink()
        return
    hidden = path if path.name.startswith(GONE) else path.with_name(f"{GONE}{uuid4().hex}")
    path.rename(hidden)
    if hidden.is_dir():
        shutil.rmtree(hidden)
    else:
        hidden.unlink()


def _size(count: int) -> str:
    return f"{count / 2**20:.1f} MiB" if count >= 2**20 else f"{count / 2**10:.1f} KiB"

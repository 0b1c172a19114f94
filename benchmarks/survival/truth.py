"""A store beside the files of its mirror, decoded and regridded anew; and what retention leaves of it."""

from __future__ import annotations

import datetime as dt
import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.survival import require
from benchmarks.survival.contents import contents
from benchmarks.survival.troubles import AROUND, HORIZON, NAME, SEA, START
from benchmarks.survival.watching import look
from pipeline.grid import Grid
from pipeline.lineage import read_lineage
from pipeline.regrid import Regridder
from pipeline.sources import source
from pipeline.sources.base import Granule
from pipeline.store import reader, repository
from pipeline.store.state import read_state, source_list

if TYPE_CHECKING:
    from flows.jobs import Job
    from pipeline.mirror import Mirror
    from pipeline.workspace import Workspace


def equal_to_truth(mirror: Mirror, workspace: Workspace) -> int:
    """How many days have the values, bit by bit, the status and the hash of the mirror's file: all of them.

    Raises
    ------
    AssertionError
        One has not.
    """
    held = read_state(workspace.cube(NAME))
    values = reader.open_region(workspace.cube(NAME), SEA).sst
    oisst = source("oisst", addresses=mirror.addresses)
    target = Grid(values.latitude.values, values.longitude.values)
    first: dt.date = held.days[0].item()
    with tempfile.TemporaryDirectory() as folder:
        for file in mirror.shelf.days():
            if file.day < START:
                continue
            path = Path(folder) / file.name
            path.write_bytes(mirror.shelf.daily(file))
            raw = oisst.decode(path, Granule("files", str(path), (file.day,), file.status), AROUND)
            expected = Regridder(Grid(raw.latitude, raw.longitude), target)(raw.values)[0]
            place = (file.day - first).days
            require(held.status[place] == file.status, f"{file.day} is not {file.status.name}")
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            require(held.source_sha256[place] == sha256, f"{file.day} is of another file")
            stored = values.sel(time=np.datetime64(file.day)).values
            equal = stored.tobytes() == expected.astype(np.float32).tobytes()
            require(equal, f"{file.day} has other values than the mirror")
            path.unlink()
    require(len(held.days) == (mirror.today - START).days, "the cube has days that no mirror has")
    return len(held.days)


def retained(job: Job) -> tuple[int, int]:
    """Let all expire that may, as if it were a year later; how many snapshots went, and of how many forecasts none did.

    Raises
    ------
    AssertionError, NotFoundError
        A store has changed, or a published forecast cannot be traced any more.
    """
    from flows.retain import run_retain

    workspace = job.workspace
    before = contents(workspace, NAME)
    done = run_retain(job, now=dt.datetime.now(dt.UTC) + dt.timedelta(days=365))
    look(workspace, NAME, HORIZON, job.today)
    after = contents(workspace, NAME)
    kept = {name for name in before if name.startswith(("cube", "archive", "catalog"))}
    other = sorted(name for name in kept if before[name] != after.get(name))
    require(not other, f"retention changed {other}")
    items = [
        item
        for item in sorted((workspace.published / NAME).glob("*/*/*.json"))
        if item.parent.suffix != ".zarr"
    ]
    require(bool(items), "no forecast is in the catalog")
    for item in items:
        lineage = read_lineage(item)
        source_list(workspace.cube(NAME), lineage.cube_snapshot)
        repository.read_session(workspace.archive(NAME), lineage.archive_snapshot)
    return done.cube.snapshots + done.archive.snapshots, len(items)

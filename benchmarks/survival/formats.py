"""A workspace as the previous format had it: a daily run migrates it; one of a newer format is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr

from benchmarks.survival import require
from benchmarks.survival.contents import contents
from benchmarks.survival.kills import HORIZON, NAME, Trial
from benchmarks.survival.watching import look
from models.champions import FORMER, REGISTER, reigns
from pipeline.store import repository, schema
from pipeline.workspace import MARK, Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.survival.commands import Commands

NEW = ("input_status", "revision_", "champions/", FORMER)
"""What an older workspace cannot have known."""


@dataclass
class Formats:
    """What was seen."""

    equal: int = 0
    """Things that are as in a workspace that was never older."""
    migrated: tuple[str, ...] = ()
    refused: str = ""


def as_format_1(workspace: Workspace) -> None:
    """Take away what came later: revisions, stamps of input days, the register of champions."""

    def older(path: Path, change: Any) -> None:
        session = repository.open_repository(path).writable_session(repository.BRANCH)
        metadata = dict(repository.head(repository.open_repository(path)).metadata)
        change(zarr.open_group(session.store, mode="a"))
        session.commit("as format 1 was", metadata=metadata | {repository.FORMAT_KEY: 1})

    def cube(root: zarr.Group) -> None:
        for _, group in list(root.groups()):
            for name in schema.REVISION:
                del group[name]

    def forecasts(root: zarr.Group) -> None:
        for _, region in root.groups():
            for _, group in list(region.groups()):
                del group["input_status"]
                field = group["sst"]
                field.attrs["coordinates"] = field.attrs["coordinates"].replace(" input_status", "")

    older(workspace.cube(NAME), cube)
    older(workspace.archive(NAME), forecasts)
    for folder in (workspace.root / "models" / NAME).iterdir():
        (reign,) = reigns(folder)
        shutil.rmtree(folder / REGISTER)
        (folder / FORMER).write_text(json.dumps({"models": reign.models}))


def formats(trial: Trial, commands: Commands) -> Formats:
    """A daily run in a workspace of the previous format, and in one of the next.

    Raises
    ------
    AssertionError
        It is neither migrated nor refused with what to do.
    """
    found = Formats()
    folder = trial.root / "older"
    shutil.copytree(trial.starts["daily"], folder)
    workspace = Workspace(folder / "workspace")
    as_format_1(workspace)
    look(workspace, NAME, HORIZON)
    running = commands.start(folder, *trial.words("daily"), environment=trial.environment(1))
    require(running.wait() == 0, f"a daily run in an older workspace: {running.out.read_text()}")
    look(workspace, NAME, HORIZON)
    held, wanted = (
        {name: told for name, told in each.items() if not any(new in name for new in NEW)}
        for each in (contents(workspace, NAME), trial.wanted["daily"])
    )
    other = sorted(name for name in held.keys() | wanted.keys() if held.get(name) != wanted.get(name))
    require(not other, f"migrated, it has other contents: {other}")
    found.equal = len(held)
    found.migrated = _formats_of(workspace)

    shutil.copytree(folder / "workspace", folder / "newer")
    mark = folder / "newer" / MARK
    mark.write_text(json.dumps({"format": json.loads(mark.read_text())["format"] + 1}))
    running = commands.start(
        folder, *("daily", NAME, "--workspace", "newer"), environment=trial.environment(1)
    )
    status, found.refused = running.wait(), running.out.read_text()
    require(status == 1, f"a newer workspace: {status}: {found.refused}")
    require("upgrade Isotherm" in found.refused and "Traceback" not in found.refused, found.refused)
    return found


def _formats_of(workspace: Workspace) -> tuple[str, ...]:
    """Of the stores, after their next commit; what was forecast before says that its days are not known."""
    told = []
    for what, path in (("cube", workspace.cube(NAME)), ("archive", workspace.archive(NAME))):
        version = repository.head(repository.open_repository(path)).metadata[repository.FORMAT_KEY]
        require(version == repository.FORMAT, f"the {what} is of format {version}")
        told.append(f"{what} of format {version}")
    session = repository.read_session(workspace.archive(NAME))
    stamps = np.asarray(zarr.open_group(session.store, mode="r")["small/persistence/input_status"][...])
    require(set(stamps[:-1]) == {""} and stamps[-1], f"stamps: {stamps}")
    (folder,) = (workspace.root / "models" / NAME).iterdir()
    require(reigns(folder)[0].how == "adopted", f"{reigns(folder)}")
    return (*told, "the champion adopted")

"""Writers at once, readers beside them: overlapping ingestions, and daily runs."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.survival import require
from benchmarks.survival.commands import Commands, Running
from benchmarks.survival.contents import contents
from benchmarks.survival.kills import HORIZON, NAME, Trial
from benchmarks.survival.watching import Readers
from pipeline.store.state import read_state
from pipeline.types import Status
from pipeline.workspace import Workspace
from tests import seas

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

OVERLAPS = {"early": (seas.FIRST, dt.date(2020, 5, 31)), "late": (dt.date(2019, 9, 1), seas.LAST)}


@dataclass
class Together:
    """What was counted."""

    ingests: int = 0
    dailies: int = 0
    looks: int = 0


def _both(
    starts: list[tuple[Commands, tuple[str, ...]]],
    folder: Path,
    environment: Mapping[str, str],
    allowed: tuple[int, ...] = (0,),
) -> None:
    """Start all at once and see that each ends well."""
    running: list[Running] = []
    for number, (commands, words) in enumerate(starts):
        # Each in a folder of its own; the workspace is the one that both are told.
        own = folder.with_name(f"{folder.name}-{number}")
        own.mkdir()
        running.append(commands.start(own, *words, environment=environment))
    for each in running:
        status = each.wait()
        # 3: an ingestion names the days that its own files lack.
        require(
            status in allowed, f"one of {len(running)} at once ended with {status}: {each.out.read_text()}"
        )


def together(
    trial: Trial,
    one: Commands,
    *,
    rounds: int = 3,
    readers: int = 10,
    say: Callable[[str], None] = print,
) -> Together:
    """Two ingestions of overlapping files and two daily runs, `rounds` times each, beside so many readers.

    Raises
    ------
    AssertionError
        One fails, a reader sees a half state, or the end is other than after one alone.
    """
    found = Together()
    with Commands() as other, Readers(NAME, HORIZON, number=readers) as watching:
        for number in range(rounds):
            _ingest_together(trial, (one, other), watching, number)
            found.ingests += 2
            say(f"  two ingestions at once, {number + 1} of {rounds}: {watching.looks} looks")
        for number in range(rounds):
            _daily_together(trial, (one, other), watching, number)
            found.dailies += 2
            say(f"  two daily runs at once, {number + 1} of {rounds}: {watching.looks} looks")
    found.looks = watching.looks
    require(not watching.seen, f"readers saw half states: {watching.seen}")
    return found


def _ingest_together(trial: Trial, both: tuple[Commands, Commands], watching: Readers, number: int) -> None:
    files = {name: trial.root / f"{name}.nc" for name in OVERLAPS}
    for name, span in OVERLAPS.items():
        if not files[name].exists():
            seas.write(files[name], seas.sea(seas.days(*span)))
    folder = trial.root / f"ingests-{number}"
    workspace = folder / "workspace"
    watching.at(workspace)
    starts = [
        (commands, ("ingest", NAME, "--workspace", str(workspace), "--from-files", str(path)))
        for commands, path in zip(both, files.values(), strict=True)
    ]
    if number % 2:  # that which begins later in the record makes the cube
        starts.reverse()
    _both(starts, folder, trial.environment(1 + number % 2), allowed=(0, 3))
    held = read_state(Workspace(workspace).cube(NAME))
    require(held.days.tolist() == seas.days(), "not every day of the two is there")
    require(bool((held.status == Status.FINAL).all()), "a day of the two is not final")
    _require_same_values(Workspace(workspace), Workspace(trial.root / "reference-run" / "workspace"))


def _daily_together(trial: Trial, both: tuple[Commands, Commands], watching: Readers, number: int) -> None:
    folder = trial.root / f"dailies-{number}"
    shutil.copytree(trial.starts["daily"], folder)
    workspace = folder / "workspace"
    watching.at(workspace)
    words = trial.words("daily")
    at = words.index("workspace")
    told = (*words[:at], str(workspace), *words[at + 1 :])
    _both([(commands, told) for commands in both], folder, trial.environment(1 + number % 2))
    held, wanted = contents(Workspace(workspace), NAME), trial.wanted["daily"]
    other = sorted(name for name in held.keys() | wanted.keys() if held.get(name) != wanted.get(name))
    require(not other, f"two daily runs at once leave other contents than one, in {folder}: {other}")


def _require_same_values(held: Workspace, wanted: Workspace) -> None:
    """All but the columns that say which file a day came from."""

    def cube(workspace: Workspace) -> dict[str, str]:
        told = contents(workspace, NAME)
        return {
            name: found
            for name, found in told.items()
            if name.startswith("cube: ") and "/source_" not in name and "/revision" not in name
        }

    require(cube(held) == cube(wanted), "two ingestions at once leave other values than one")

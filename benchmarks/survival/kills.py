"""SIGKILL at moments spread over a run and a daily run: after one more, every store is that of an undisturbed one."""

from __future__ import annotations

import datetime as dt
import os
import random
import shutil
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from unittest.mock import patch

from benchmarks.survival import require
from benchmarks.survival.commands import PHASES, Commands, Running
from benchmarks.survival.contents import contents, leftovers
from benchmarks.survival.watching import Readers
from pipeline.workspace import Workspace
from tests import seas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

NAME, HORIZON, EPOCHS = "small", 2, 6
TODAY = seas.LAST + dt.timedelta(1)
NEW = 3
"""Days that come after the record: what `isotherm daily` takes in."""
POLL = 0.002


@dataclass(frozen=True)
class Moment:
    """When to kill: a share of an undisturbed run's time, or the `nth` time that a phase begins and a share of it."""

    command: str
    share: float
    phase: str = ""
    nth: int = 0


@dataclass
class Killed:
    """What was counted."""

    phases: Counter[str] = field(default_factory=Counter)
    by_command: Counter[str] = field(default_factory=Counter)
    missed: int = 0
    """Moments that came after the end; another took their place."""
    equal: int = 0
    things: int = 0
    """Hashes that are compared after each."""
    looks: int = 0
    half_states: int = 0
    leftovers: int = 0


def moments(number: int, marks: Mapping[str, list[tuple[float, str]]], *, seed: int = 0) -> Iterator[Moment]:
    """Half of them evenly over the time of the two commands, half over the phases; then more, by chance."""
    half = number // 2
    for place in range(half):
        command = "daily" if place % 3 == 2 else "run"
        yield Moment(command, (place + 0.5) / half)
    drawn = random.Random(seed)
    began = {command: Counter(phase for _, phase in told) for command, told in marks.items()}
    while True:
        for phase in PHASES:
            for command in ("run", "run", "daily"):
                if began[command][phase]:
                    yield Moment(command, drawn.random(), phase, drawn.randrange(began[command][phase]))


class Trial:
    """A template of each command's start, what an undisturbed one leaves, and kills in copies."""

    def __init__(self, root: Path, *, epochs: int = EPOCHS) -> None:
        self.root, self.epochs = root, epochs
        self.found = Killed()
        self.starts: dict[str, Path] = {}
        self.wanted: dict[str, dict[str, str]] = {}
        self.marks: dict[str, list[tuple[float, str]]] = {}

    def environment(self, workers: int) -> dict[str, str]:
        """What the machine says."""
        today = TODAY + dt.timedelta(NEW)
        return {
            "ISOTHERM_EXPERIMENTS": str(self.root / "experiments"),
            "ISOTHERM_TODAY": str(today),
            "ISOTHERM_WORKERS": str(workers),
        }

    def words(self, command: str) -> tuple[str, ...]:
        """The command line."""
        files = [
            str(self.root / "record.nc"),
            *([str(self.root / "new" / "*.nc")] if command == "daily" else []),
        ]
        return (
            command,
            NAME,
            "--workspace",
            "workspace",
            *(word for path in files for word in ("--from-files", path)),
        )

    def prepare(self, commands: Commands) -> None:
        """An experiment, its files, and the two undisturbed runs; the first is the start of the second."""
        path = seas.write_experiment(self.root / "experiments", epochs=self.epochs)
        text = path.read_text().replace(f"end = {seas.LAST}\n", "", 1)
        path.write_text(text + "\n[operations]\nscorecard_days = 200\nrecheck_days = 20\n")
        seas.write(self.root / "record.nc", seas.sea(seas.days()))
        for number in range(NEW):
            day = TODAY + dt.timedelta(number)
            name = seas.daily_name(day).replace(".nc", "_preliminary.nc")
            seas.write(self.root / "new" / name, seas.sea([day]))
        empty = self.root / "empty"
        empty.mkdir()
        self.starts = {"run": empty, "daily": self.root / "whole-run"}
        for command in ("run", "daily"):
            folder = self._copied(command, f"whole-{command}")
            running = self._start(commands, command, folder)
            status = running.wait()
            require(status == 0, f"an undisturbed `{command}` ended with {status}: {running.out.read_text()}")
            self.marks[command] = running.marked()
            self.wanted[command] = contents(Workspace(folder / "workspace"), NAME)
            shutil.copytree(folder, self.root / f"reference-{command}")
        again = self._copied("run", "again")
        require(self._start(commands, "run", again).wait() == 0, "a second undisturbed run failed")
        require(
            contents(Workspace(again / "workspace"), NAME) == self.wanted["run"],
            "two undisturbed runs leave other contents",
        )

    def kill(self, commands: Commands, readers: Readers, moment: Moment, number: int) -> bool:
        """Kill one command at the moment, run it once more, and compare; False where it had ended before."""
        folder = self._copied(moment.command, f"kill-{number:03}")
        readers.at(folder / "workspace")
        workers = 1 + number % 2
        running = self._start(commands, moment.command, folder, workers)
        if not self._reached(running, moment):
            running.wait()
            self.found.missed += 1
            return False
        running.kill()
        status = running.wait()
        if status != -9:
            self.found.missed += 1
            return False
        phase = running.marked()[-1][1] if running.marked() else "start"
        self.found.phases[phase] += 1
        self.found.by_command[moment.command] += 1
        again = self._start(commands, moment.command, folder, workers)
        status = again.wait()
        require(
            status == 0,
            f"killed in {phase} ({moment}), the next ended with {status}: {again.out.read_text()}",
        )
        held = contents(Workspace(folder / "workspace"), NAME)
        wanted = self.wanted[moment.command]
        other = sorted(name for name in held.keys() | wanted.keys() if held.get(name) != wanted.get(name))
        require(not other, f"killed in {phase} ({moment}), other contents in {folder}: {other}")
        self.found.equal += 1
        self.found.things = len(wanted)
        self.found.leftovers += len(leftovers(Workspace(folder / "workspace")))
        return True

    def _reached(self, running: Running, moment: Moment) -> bool:
        """Wait for the moment; False where the command ends before it."""
        usual = self.marks[moment.command]
        first = usual[0][0]
        if moment.phase:
            places = [place for place, (_, phase) in enumerate(usual) if phase == moment.phase]
            place = places[min(moment.nth, len(places) - 1)]
            length = usual[min(place + 1, len(usual) - 1)][0] - usual[place][0]
        else:
            length = usual[-1][0] - first
        began = None
        while began is None:
            if not _alive(running.pid):
                return False
            told = running.marked()
            if moment.phase:
                hits = [when for when, phase in told if phase == moment.phase]
                began = hits[moment.nth] if len(hits) > moment.nth else None
            elif told:
                began = told[0][0]
            time.sleep(POLL)
        until = began + moment.share * length
        while time.monotonic() < until:
            if not _alive(running.pid):
                return False
            time.sleep(POLL)
        return _alive(running.pid)

    def _start(self, commands: Commands, command: str, folder: Path, workers: int = 1) -> Running:
        """With one worker it ingests shard after shard, with two all of them in one commit."""
        return commands.start(folder, *self.words(command), environment=self.environment(workers))

    def _copied(self, command: str, name: str) -> Path:
        folder = self.root / name
        shutil.copytree(self.starts[command], folder)
        return folder


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as told:  # noqa: PTH123
            return told.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def prepared(root: Path, *, epochs: int = EPOCHS) -> Iterator[tuple[Trial, Commands]]:
    """A trial in `root`, its undisturbed runs done, and where its commands are started."""
    root.mkdir(parents=True, exist_ok=True)
    trial = Trial(root.resolve(), epochs=epochs)
    with patch.dict(os.environ, trial.environment(1)), Commands() as commands:
        trial.prepare(commands)
        yield trial, commands


def kill_at_moments(
    trial: Trial, commands: Commands, number: int, *, say: Callable[[str], None] = print
) -> Killed:
    """Kill at `number` moments.

    Raises
    ------
    AssertionError
        After one more run something is other than an undisturbed run leaves it, or a reader saw a half state.
    """
    found = trial.found
    with Readers(NAME, HORIZON) as readers:
        wanted = moments(number, trial.marks)
        for tried in range(1, 3 * number + 1):
            if trial.kill(commands, readers, next(wanted), tried) and found.equal % 10 == 0:
                say(f"  {found.equal} of {number} kills, {readers.looks} looks of a reader")
            if found.equal == number:
                break
    require(found.equal == number, "most moments come after the end")
    found.looks, found.half_states = readers.looks, readers.seen.total()
    require(not readers.seen, f"readers saw half states: {readers.seen}")
    return found

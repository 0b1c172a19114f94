"""A disk that fills up at each write, a disk of every size, and a workspace that must not be written."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.survival import require
from benchmarks.survival.contents import contents, leftovers
from benchmarks.survival.kills import HORIZON, NAME
from benchmarks.survival.watching import look
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from benchmarks.survival.commands import Commands, Running
    from benchmarks.survival.kills import Trial

ROOM = 64 << 20


@dataclass
class Full:
    """What was counted, by command."""

    writes: Counter[str] = field(default_factory=Counter)
    """That an undisturbed one does with Python's own functions."""
    injected: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)
    """Of a real disk, that were too small."""
    sufficed: int = 0
    read_only: int = 0
    equal: int = 0
    skipped: str = ""


class FullDisk:
    """Commands of a `Trial` on disks without space."""

    def __init__(self, trial: Trial, commands: Commands) -> None:
        self.trial, self.commands = trial, commands
        self.found = Full()

    def at_writes(self, command: str, number: int) -> None:
        """There is no space from the n-th write on, for `number` values of n."""
        told = self._start(command, f"counted-{command}", full_at=0)
        require(told.wait() == 0, told.out.read_text())
        places = told.marks.with_suffix(".writes").read_text().splitlines()
        writes = len(places)
        self.found.writes[command] = writes
        for at in _spread(places, number):
            name = f"full-{command}-{at}"
            running = self._start(command, name, full_at=at)
            self._require_told(
                running, running.wait(), f"`{command}` without space from write {at} of {writes} on"
            )
            workspace = Workspace(self.trial.root / name / "workspace")
            self._again(command, workspace, self.trial.root / name)
            self.found.injected[command] += 1

    def at_sizes(self, command: str, number: int) -> None:
        """The disk has room for a part of what the command writes, for `number` parts; needs a right to mount."""
        start = self.trial.starts[command]
        before, after = _size(start), _size(self.trial.root / f"reference-{command}")
        for place in range(number):
            folder = self.trial.root / f"disk-{command}-{place}"
            room = before + round((place + 0.3) / number * (after - before) * 1.1) + (1 << 16)
            with tmpfs(folder, room) as resize:
                shutil.copytree(start, folder, dirs_exist_ok=True)
                running = self._start(command, folder.name, copied=True)
                status = running.wait()
                if status == 0:
                    self.found.sufficed += 1
                    continue
                self._require_told(running, status, f"`{command}` on a disk of {room} bytes")
                resize(room + ROOM)
                self._again(command, Workspace(folder / "workspace"), folder)
                self.found.sizes[command] += 1
        require(self.found.sizes[command] > 0, f"no disk was too small for `{command}`")

    def read_only(self) -> None:
        """Nothing is written, the error is clear, and `status` reads."""
        folder = self.trial.root / "read-only"
        with tmpfs(folder, ROOM) as resize:
            shutil.copytree(self.trial.starts["daily"], folder, dirs_exist_ok=True)
            before = _hashes(folder)
            resize(ROOM, "ro")
            for command in ("daily", "run"):
                running = self._start(command, folder.name, copied=True)
                status, told = running.wait(), running.out.read_text()
                require(status == 1, f"`{command}` in a read-only workspace ended with {status}: {told}")
                clear = "error:" in told and "→" in told and "Traceback" not in told
                require(clear and ("Read-only" in told or "not allowed" in told), told)
                self.found.read_only += 1
            look(Workspace(folder / "workspace"), NAME, HORIZON)
            require(_hashes(folder) == before, "something was written")
            resize(ROOM, "rw")
            self._again("daily", Workspace(folder / "workspace"), folder)

    def _start(self, command: str, name: str, *, full_at: int | None = None, copied: bool = False) -> Running:
        folder = self.trial.root / name
        if not copied:
            shutil.copytree(self.trial.starts[command], folder)
        environment = self.trial.environment(1)
        if full_at is not None:
            environment["SURVIVAL_FULL_AT"] = str(full_at)
        return self.commands.start(folder, *self.trial.words(command), environment=environment)

    def _require_told(self, running: Running, status: int, what: str) -> None:
        told = running.out.read_text()
        require(status == 1, f"{what} ended with {status}: {told}")
        clear = "no space is left" in told.lower() and "free some space" in told and "Traceback" not in told
        require(clear, f"{what} said: {told}")

    def _again(self, command: str, workspace: Workspace, folder: Path) -> None:
        """Nothing is half there, and one more run leaves what an undisturbed one does."""
        look(workspace, NAME, HORIZON)
        running = self._start(command, folder.name, copied=True)
        status = running.wait()
        require(
            status == 0, f"{folder.name}: with space again it ended with {status}: {running.out.read_text()}"
        )
        held, wanted = contents(workspace, NAME), self.trial.wanted[command]
        other = sorted(name for name in held.keys() | wanted.keys() if held.get(name) != wanted.get(name))
        require(not other, f"{folder.name}: other contents: {other}")
        require(not leftovers(workspace), f"{folder.name} keeps {leftovers(workspace)}")
        self.found.equal += 1


def _spread(places: list[str], number: int) -> list[int]:
    """Numbers of writes, from 1: the first in each folder of the workspace, then one in the middle of each, …."""
    folders: dict[str, list[int]] = {}
    for at, place in enumerate(places, 1):
        folders.setdefault(place.partition("/")[0], []).append(at)
    shares = (0.0, 0.5, 0.25, 0.75, 0.99, 0.1, 0.9)
    found = [each[int(share * (len(each) - 1))] for share in shares for each in folders.values()]
    return sorted(list(dict.fromkeys(found))[:number])


def can_mount(root: Path) -> bool:
    """Whether this process may mount a disk of its own."""
    try:
        with tmpfs(root / "tried", 1 << 20):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


@contextmanager
def tmpfs(folder: Path, size: int) -> Iterator[Callable[..., None]]:
    """A disk of `size` bytes at `folder` while the context is open; what is yielded gives it another size or mode."""
    folder.mkdir(parents=True, exist_ok=True)

    def mount(*words: str) -> None:
        subprocess.run(["mount", *words, str(folder)], check=True, capture_output=True)

    def resize(size: int, mode: str = "rw") -> None:
        mount("-o", f"remount,{mode},size={size}")

    mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs")
    try:
        yield resize
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


def _size(folder: Path) -> int:
    """Bytes that it takes on a disk, in whole pages."""
    return sum(-(-path.stat().st_size // 4096) * 4096 for path in folder.rglob("*") if path.is_file())


def _hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def full_disk(
    trial: Trial,
    commands: Commands,
    *,
    names: tuple[str, ...] = ("run", "daily"),
    writes: int = 12,
    sizes: int = 6,
    say: Callable[[str], None] = print,
) -> Full:
    """Try each with the commands of these `names`.

    Raises
    ------
    AssertionError
        An error is not clear, something is half there, or one more run does not put it right.
    """
    disk = FullDisk(trial, commands)
    mounts = bool(sizes) and can_mount(trial.root)
    for command in names:
        disk.at_writes(command, writes)
        say(f"  `{command}`: no space from one of {disk.found.writes[command]} writes on, {writes} times")
        if mounts:
            disk.at_sizes(command, sizes)
            say(f"  `{command}`: {sizes} sizes of a disk")
    if mounts:
        disk.read_only()
    else:
        disk.found.skipped = (
            "no right to mount a small disk: neither sizes nor a read-only workspace were tried"
        )
    return disk.found

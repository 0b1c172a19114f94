"""Claims: of several workers that would do the same long work, one does it at a time, and a dead one is followed.

A claim is a numbered file, written once, beside which its holder writes beats. A worker that sees no new beat for
`STALE` seconds of its own clock takes the next number. The highest number holds, so that a holder that was only asleep
finds out before it writes anything. That needs neither a lock of the file system nor clocks that agree.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import IsothermError, StoreError
from pipeline.publish.product import write_once, write_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BEAT = 15.0
"""Seconds between two signs of life."""
STALE = 120.0
"""Seconds without one after which a holder counts as dead."""
_LOOK = 1.0


@dataclass
class Claim:
    """A claim that this worker holds, or held."""

    folder: Path
    number: int
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    def require(self) -> None:
        """Refuse to go on where another worker has taken over.

        Raises
        ------
        StoreError
            It has.
        """
        if _numbers(self.folder)[-1:] != [self.number] or _told(self._file).get("token") != self.token:
            raise StoreError(
                f"another worker has taken over {self.folder.name.removeprefix('.')}: this one gave no sign of life "
                f"for {STALE:g} s",
                remedy="leave it to the other; what was kept is not lost",
                path=str(self.folder),
            )

    def take(self) -> bool:
        """Whether the claim is this worker's now; another may have come first."""
        told = {"token": self.token, "host": socket.gethostname(), "pid": os.getpid(), "machine": _machine()}
        try:
            return write_once(self._file, json.dumps(told) + "\n")
        except FileNotFoundError:  # who released it has removed the folder in the middle
            return False

    def beat(self, count: int) -> None:
        """Give a sign of life."""
        write_text(self.folder / f"{self.number:04}.beat", f"{count}\n")

    def release(self) -> None:
        """Let others take it; what an earlier holder left goes first."""
        for number in _numbers(self.folder):
            if number <= self.number:
                for path in self.folder.glob(f"{number:04}.*"):
                    path.unlink(missing_ok=True)
        with suppress(OSError):
            self.folder.rmdir()

    @property
    def _file(self) -> Path:
        return self.folder / f"{self.number:04}.json"


@contextmanager
def claimed(folder: Path, *, waiting: Callable[[str], None] = lambda _: None) -> Iterator[Claim]:
    """Hold the claim `folder`, after those who hold it already are done or dead.

    Parameters
    ----------
    waiting
        Is told now and then who is waited for.

    Raises
    ------
    DiskFullError
        There is no space for it.
    """
    claim = _taken(folder, waiting)
    ended = threading.Event()
    beats = threading.Thread(
        target=_give_beats, args=(claim, ended), name=f"beats of {folder.name}", daemon=True
    )
    beats.start()
    try:
        yield claim
    finally:
        ended.set()
        beats.join()
        with suppress(StoreError):
            claim.require()
            claim.release()


def _taken(folder: Path, waiting: Callable[[str], None]) -> Claim:
    seen: tuple[Any, ...] = ()
    since = time.monotonic()
    while True:
        numbers = _numbers(folder)
        holder = numbers[-1] if numbers else 0
        told = _told(folder / f"{holder:04}.json") if holder else {}
        sign = (holder, told.get("token"), _beat_of(folder, holder))
        if sign != seen:
            seen, since = sign, time.monotonic()
        if not holder or _is_dead(told) or time.monotonic() - since > STALE:
            claim = Claim(folder, holder + 1)
            if claim.take():
                return claim
            continue
        waiting(f"waiting for process {told.get('pid')} on {told.get('host')}, which does the same")
        time.sleep(min(_LOOK, STALE / 4))


def _give_beats(claim: Claim, ended: threading.Event) -> None:
    count = 0
    while not ended.wait(BEAT):
        count += 1
        # A beat that could not be written is no reason to give up the work; the next one may be.
        with suppress(OSError, IsothermError):
            claim.require()
            claim.beat(count)


def _numbers(folder: Path) -> list[int]:
    return sorted(int(path.stem) for path in folder.glob("[0-9]*.json"))


def _told(path: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return told


def _beat_of(folder: Path, number: int) -> str:
    try:
        return (folder / f"{number:04}.beat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _is_dead(told: dict[str, Any]) -> bool:
    """Whether the holder was a process of this machine that is no more; of others only time tells."""
    if told.get("machine") != _machine():
        return False
    try:
        os.kill(int(told["pid"]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _machine() -> str:
    """A name of where process ids mean the same: host, its start, and the container's own numbering."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)

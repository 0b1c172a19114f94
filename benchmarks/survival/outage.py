"""An object store that answers 503 for a minute, at some moments of a run: it waits, and ends as if nothing were."""

from __future__ import annotations

import os
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from benchmarks.survival import require
from benchmarks.survival.commands import Commands, Running
from benchmarks.survival.contents import contents
from pipeline.location import located
from pipeline.s3_access import Access
from pipeline.workspace import Workspace
from tests import seas
from tests.object_store import BUCKET, REGION, ObjectStore, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NAME = "small"
MINUTE = 60.0
SHARES = (0.1, 0.4, 0.7, 0.95)


@dataclass
class Outages:
    """What was counted."""

    equal: int = 0
    refused: int = 0
    """Requests that were answered with 503."""
    slowest: float = 0.0
    """Seconds that the longest run took more than one without an outage."""


def outages(
    root: Path,
    *,
    shares: Sequence[float] = SHARES,
    seconds: float = MINUTE,
    say: Callable[[str], None] = print,
) -> Outages:
    """A run in a workspace of its own for each of `shares` of its usual time, when the outage begins.

    Raises
    ------
    AssertionError
        A run ends with an error, or its workspace with other contents than an undisturbed one.
    """
    root.mkdir(parents=True, exist_ok=True)
    seas.write_experiment(root / "experiments", epochs=1)
    record = root / "record.nc"
    seas.write(record, seas.sea(seas.days()))
    found = Outages()
    with serving(root / "server.log") as store:
        environment = {
            **store.environment,
            "ISOTHERM_EXPERIMENTS": str(root / "experiments"),
            "ISOTHERM_CACHE": str(root / "cache"),
            "ISOTHERM_WORKERS": "1",
        }
        with patch.dict(os.environ, environment), Commands() as commands:

            def start(name: str) -> tuple[Running, str]:
                folder, address = root / name, f"s3://{BUCKET}/{uuid.uuid4().hex}"
                folder.mkdir()
                words = ("run", NAME, "--workspace", address, "--from-files", str(record))
                return commands.start(folder, *words, environment=environment), address

            began = time.monotonic()
            running, address = start("undisturbed")
            require(running.wait() == 0, f"an undisturbed run failed: {running.out.read_text()}")
            usual = time.monotonic() - began
            wanted = _contents(store, address)
            for share in shares:
                began = time.monotonic()
                running, address = start(f"outage-at-{share}")
                time.sleep(share * usual)
                store.outage(seconds)
                status = running.wait()
                took = time.monotonic() - began - usual
                require(status == 0, f"with an outage at {share:.0%} of it: {running.out.read_text()}")
                require(store.refused() > 0, f"nothing was asked of the store from {share:.0%} of the run on")
                held = _contents(store, address)
                other = sorted(
                    name for name in held.keys() | wanted.keys() if held.get(name) != wanted.get(name)
                )
                require(not other, f"with an outage at {share:.0%} of it, other contents: {other}")
                found.equal += 1
                found.refused += store.refused()
                found.slowest = max(found.slowest, took)
                say(f"  {seconds:.0f} s of 503 at {share:.0%} of a run of {usual:.0f} s: {took:.0f} s longer")
    return found


def _contents(store: ObjectStore, address: str) -> dict[str, str]:
    """Of a copy on disk."""
    place = located(address, Access(endpoint=store.url, region=REGION, patience=60))
    with tempfile.TemporaryDirectory() as name:
        for each in place.walk():
            path = Path(name) / each.relative_to(place)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(each.read_bytes())
        return contents(Workspace(Path(name)), NAME)

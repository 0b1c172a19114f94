"""Survival, each tried and counted: kills, writers at once, full disks, sixty days of a bad mirror, an older workspace.

Target: after one more run every store has the contents of an undisturbed one (benchmarks/survival/contents.py says
what is left out), no reader ever sees a half state, and at the end of sixty days the store is the mirror's truth.
Anything else ends the script with what was wrong. The commands are processes of their own, forked from one that has
imported the libraries. Disks of some sizes need a right to mount.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.survival import prefect
from benchmarks.survival.commands import PHASES

if TYPE_CHECKING:
    from collections.abc import Callable

ELSEWHERE = (
    ("the Prefect server killed mid-run; a worker killed; runs left Running", "tests of a served deployment"),
    ("a Dask worker killed mid-shard", "tests of backfills"),
)


def kills(root: Path, options: argparse.Namespace) -> list[tuple[str, str]]:
    from benchmarks.survival.kills import kill_at_moments, prepared

    with prepared(root) as (trial, commands):
        found = kill_at_moments(trial, commands, options.kills)
    phases = ", ".join(
        f"{phase} {found.phases[phase]}" for phase in (*PHASES, "between") if found.phases[phase]
    )
    names = ", ".join(f"`{name}` {count}" for name, count in found.by_command.items())
    return [
        (f"SIGKILL at {found.equal} moments", f"{names}; {phases}"),
        ("… equal after one more run", f"{found.equal} of {found.equal}, {found.things} hashes each"),
        ("… a reader beside them", f"{found.looks} looks, {found.half_states} half states"),
        (
            "… drafts left, which nobody reads",
            f"{found.leftovers} after {found.equal} kills; swept after an hour",
        ),
    ]


def at_once(root: Path, _: argparse.Namespace) -> list[tuple[str, str]]:
    from benchmarks.survival.kills import prepared
    from benchmarks.survival.together import together

    with prepared(root, epochs=1) as (trial, commands):
        found = together(trial, commands)
    return [
        ("two overlapping ingestions at once", f"{found.ingests // 2} times, equal to one alone"),
        ("two daily runs at once", f"{found.dailies // 2} times, equal to one alone"),
        ("… ten readers beside them", f"{found.looks} looks, no half state"),
    ]


def disks(root: Path, _: argparse.Namespace) -> list[tuple[str, str]]:
    from benchmarks.survival.formats import formats
    from benchmarks.survival.full_disk import full_disk
    from benchmarks.survival.kills import prepared

    with prepared(root, epochs=1) as (trial, commands):
        found = full_disk(trial, commands)
        older = formats(trial, commands)
    injected = ", ".join(
        f"`{name}` at {n} of {found.writes[name]} writes" for name, n in found.injected.items()
    )
    sizes = ", ".join(f"`{name}` {n}" for name, n in found.sizes.items())
    return [
        ("no space from a write on", injected),
        ("a real disk that is too small", found.skipped or f"sizes: {sizes}"),
        ("… a clear error, nothing half there, equal afterwards", f"{found.equal} of {found.equal}"),
        ("a read-only workspace", found.skipped or f"{found.read_only} commands refused, nothing written"),
        ("a workspace of format 1", f"migrated by a daily run: {', '.join(older.migrated)}"),
        ("a workspace of a newer format", older.refused.strip().replace("\n", " ")),
    ]


def days(root: Path, options: argparse.Namespace) -> list[tuple[str, str]]:
    from benchmarks.survival.mirror_days import sixty_days

    found = sixty_days(root, runs=options.days)
    answers = ", ".join(f"{status}: {n}" for status, n in sorted(found.answers.items()))
    return [
        (f"{found.runs} days with {len(found.troubles)} troubles of the mirrors", f"answers: {answers}"),
        ("… days lacking at the end of a run, each told by `status`", str(found.gaps_seen)),
        ("… runs that ended failed or with alerts", f"{found.failed_runs}; alerts: {dict(found.alerts)}"),
        ("… finals that took a preliminary day's place", str(found.replaced)),
        ("… published forecasts that say what they were made from", str(found.products)),
        ("… scorecards that count what they should", f"{found.cards}; {found.rescored} times scored anew"),
        ("… snapshots expired at the end, forecasts traced after", f"{found.expired}, {found.traced}"),
        ("… days that equal the mirror's truth, bit by bit", f"{found.equal_days} of {found.equal_days}"),
    ]


def store_out_of_order(root: Path, _: argparse.Namespace) -> list[tuple[str, str]]:
    from benchmarks.survival.outage import SHARES, outages

    found = outages(root)
    return [
        (
            "the object store answering 503 for a minute",
            f"at {len(SHARES)} moments of a run, {found.refused} requests refused",
        ),
        (
            "… equal in the end",
            f"{found.equal} of {found.equal}, at most {found.slowest:.0f} s later",
        ),
    ]


PARTS: dict[str, Callable[[Path, argparse.Namespace], list[tuple[str, str]]]] = {
    "days": days,
    "kills": kills,
    "together": at_once,
    "disks": disks,
    "store": store_out_of_order,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=[*PARTS], help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--days", type=int, default=60)
    options = parser.parse_args()
    table: list[tuple[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, prefect.server(Path(folder) / "prefect"):
        os.environ["PYTHONWARNINGS"] = "ignore"
        for name in options.parts:
            began = time.perf_counter()
            print(f"{name} …", flush=True)
            table += PARTS[name](Path(folder) / name, options)
            table.append((f"  ({name}: {time.perf_counter() - began:.0f} s)", ""))
    table += [(what, f"not here: {where}") for what, where in ELSEWHERE]
    width = max(len(what) for what, _ in table)
    for what, told in table:
        print(f"{what:<{width}}  {told}".rstrip())


if __name__ == "__main__":
    main()

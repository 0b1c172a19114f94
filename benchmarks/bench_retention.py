"""A year of daily cycles on a small sea: live bytes over stored bytes, with weekly retention and without.

Each day a preliminary day is appended, the final of a fortnight ago replaces its preliminary, and one forecast of each
of six forecasters enters the archive, a commit each. Once a month a model is trained, whose card names its snapshot;
the newest scores name theirs. Live is what snapshots hold that the policy keeps: the newest, the pinned, and those
of the last days; stored is every byte of the repository. Target: at least 0.8 with the usual policy. Beside it stands
what the newest and the pinned snapshots alone hold: the rest is the price of the last days' history, whose every
commit wrote the newest chunks anew. The second table is of a catalog that lists a forecast of every day, each of
which pins two snapshots for ever. `--retain` tries other policies, `--days` and `--before` shorter records.
"""

from __future__ import annotations

import argparse
import datetime as dt
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import xarray as xr

from pipeline.forecasts import archive
from pipeline.grid import Grid
from pipeline.store import repository, retention, writer
from pipeline.types import Box, Status

FIRST = np.datetime64("2010-01-01", "D")
GRID = Grid.regular(Box(latitude=(-40, -32), longitude=(150, 158)), 0.25)
FORECASTERS = ("convlstm", "persistence", "climatology", "damped-persistence", "eof-ridge", "blend")
LEADS = 7
FORTNIGHT = 14
WEEK = 7
MONTH = 30
USUAL = 30


def field(day: int, *, final: bool) -> np.ndarray:
    """Hundredths of a degree: a season, an eddy that drifts, and what the final corrects."""
    rows, columns = np.meshgrid(np.arange(GRID.shape[0]), np.arange(GRID.shape[1]), indexing="ij")
    season = 4 * np.cos(2 * np.pi * day / 365.25)
    noise = np.random.default_rng(day).normal(0, 0.3, GRID.shape)
    revised = np.random.default_rng(-day % 2**32).normal(0, 0.05, GRID.shape) if not final else 0
    values = 16 + season + np.sin((rows + columns) / 5 + day / 9) + noise + revised
    return np.where(columns < rows // 4, np.nan, np.round(values, 2)).astype(np.float32)


def batch(days: list[int], status: list[Status]) -> writer.DayBatch:
    told = tuple(f"{day:05d}{state.name}".ljust(64, "0") for day, state in zip(days, status, strict=True))
    return writer.DayBatch(
        FIRST + np.array(days),
        np.array(status, np.int8),
        told,
        tuple(
            f"https://example.org/oisst/{FIRST + day}_{state.name}.nc"
            for day, state in zip(days, status, strict=True)
        ),
        ("1",) * len(days),
        {"sea": np.stack([field(d, final=s == Status.FINAL) for d, s in zip(days, status, strict=True)])},
    )


def forecast(path: Path, day: int, snapshot: str) -> str:
    init = np.array([FIRST + day], "datetime64[ns]")
    values = np.stack([field(day + lead, final=True) for lead in range(1, LEADS + 1)])[None]
    made = {}
    for number, name in enumerate(FORECASTERS):
        made[name] = xr.Dataset(
            {
                "sst": (
                    ("init_time", "lead_time", "latitude", "longitude"),
                    values + np.float32(0.01 * number),
                    {
                        "standard_name": "sea_surface_temperature",
                        "long_name": "SST",
                        "units": "degree_Celsius",
                    },
                )
            },
            {
                "init_time": init,
                "lead_time": np.arange(1, LEADS + 1).astype("timedelta64[D]").astype("timedelta64[ns]"),
                "latitude": GRID.latitude,
                "longitude": GRID.longitude,
            },
        )
    provenance = archive.Provenance(snapshot, dt.datetime.now(dt.UTC), dict.fromkeys(FORECASTERS, "model-1"))
    return archive.write(path, made, region="sea", message=f"forecast {FIRST + day}", provenance=provenance)


def stored(path: Path) -> int:
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())


def live(path: Path, pins: set[str], folder: Path, older_than: dt.datetime) -> int:
    """What is left where only the newest, the pinned, and the snapshots since `older_than` are."""
    copy = folder / "copy" / path.name
    shutil.copytree(path, copy)
    late = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    retention.retain(copy, pins, older_than=older_than, now=late, safety=dt.timedelta(hours=1))
    count = stored(copy)
    shutil.rmtree(copy)
    return count


def year(folder: Path, days: int, before: int, retain_days: int | None, *, published: bool) -> None:
    """Run it, and print the sizes; a day of the simulation is as long as its cycle takes."""
    paths = {"cube": folder / "cube", "archive": folder / "archive"}
    writer.create_cube(paths["cube"], {"sea": GRID}, FIRST.item())
    for start in range(0, before, 128):
        some = list(range(start, min(start + 128, before)))
        writer.write(paths["cube"], batch(some, [Status.FINAL] * len(some)))
    began: dict[int, dt.datetime] = {}
    pins: dict[str, set[str]] = {"cube": set(), "archive": set()}
    cpu = spent = 0.0
    for day in range(before, before + days):
        began[day] = dt.datetime.now(dt.UTC)
        mark = time.process_time()
        some, status = [day], [Status.PRELIMINARY]
        if day - FORTNIGHT >= before:
            some, status = [day - FORTNIGHT, day], [Status.FINAL, Status.PRELIMINARY]
        snapshot = writer.write(paths["cube"], batch(some, status)) or ""
        archived = forecast(paths["archive"], day, snapshot)
        cpu += time.process_time() - mark
        if published:
            pins["cube"].add(snapshot)
            pins["archive"].add(archived)
        elif (day - before) % MONTH == 0:
            pins["cube"].add(snapshot)
        newest = {"cube": {snapshot}, "archive": {archived}}
        if retain_days is not None and (day - before) % WEEK == WEEK - 1:
            mark = time.process_time()
            old = began[max(before, day - retain_days)]
            for name, path in paths.items():
                kept = pins[name] | newest[name]
                retention.retain(path, kept, older_than=old, now=began[day], safety=dt.timedelta(0))
            spent += time.process_time() - mark
    policy = "none" if retain_days is None else f"{retain_days} days"
    late = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    last = before + days - 1
    since = began[max(before, last - (retain_days or USUAL))]
    total = total_live = total_newest = 0
    for name, path in paths.items():
        kept = pins[name] | newest[name]
        held = stored(path)
        needed, least = (live(path, kept, folder, cut) for cut in (since, late))
        snapshots = sum(1 for _ in repository.open_repository(path).ancestry(branch=repository.BRANCH))
        total, total_live, total_newest = total + held, total_live + needed, total_newest + least
        sizes = f"{held / 2**20:8.1f} MiB {needed / 2**20:8.1f} MiB {needed / held:6.2f} {least / held:9.2f}"
        print(f"{policy:10} {name:8} {sizes} {len(pins[name]):6d} {snapshots:9d}")
    weeks = max(1, days // WEEK)
    sizes = f"{total / 2**20:8.1f} MiB {total_live / 2**20:8.1f} MiB {total_live / total:6.2f}"
    sizes += f" {total_newest / total:9.2f}"
    took = f"a cycle {cpu / days * 1e3:.0f} ms, a retention {spent / weeks * 1e3:.0f} ms of processor"
    print(f"{policy:10} {'both':8} {sizes}   ({took})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=365, help="days of cycles")
    parser.add_argument("--before", type=int, default=3652, help="days of the record before them")
    parser.add_argument("--retain", type=int, nargs="*", default=[USUAL], help="days that snapshots are kept")
    options = parser.parse_args()
    for published in (False, True):
        what = "a forecast listed every day" if published else "models and the newest scores pinned"
        print(f"{options.days} daily cycles after {options.before} days: {what}")
        print(
            f"{'retention':10} {'store':8} {'stored':>12} {'live':>12} {'ratio':>6} {'pins':>6} {'snapshots':>9}"
        )
        for retain_days in (None, 30, 7):
            with tempfile.TemporaryDirectory() as name:
                year(Path(name), options.days, options.before, retain_days, published=published)


if __name__ == "__main__":
    main()

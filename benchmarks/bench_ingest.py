"""Genuine-format global daily files to a 1° cube: milliseconds a day a core, beside CDO, and peak memory.

Target: read + check + regrid + write within 15 ms a day a core, at least 3 times CDO's throughput for its reading
and `remapcon` of the same files in one process, and the same peak memory for a longer record. Beside the whole of it
stands what CDO does too, the reading and the regridding alone. These run on one core; beside them whole machine
stands against whole machine: a backfill as `isotherm ingest` does it, a thread a core, against `cdo -P` with as many.
Needs a genuine OISST file (see ISOTHERM_REAL_DATA) and `cdo`. Where others use the machine too, compare the
processor's time. The libraries are loaded before the clock starts, by the ingestion of one day into another cube:
it takes as long as is printed. `--years 10` adds the memory of a longer record, at no cost of disk.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.types import Box, TimeRange

if TYPE_CHECKING:
    from pipeline.ingestion import IngestJob
    from pipeline.regrid import Region
    from pipeline.sources.base import Granule, Source
    from pipeline.types import Field

GENUINE = "oisst/oisst-avhrr-v02r01.20211025.nc"
START = dt.date(2000, 1, 1)
YEAR = 365
DISTINCT = 24
ONE_CORE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "BLOSC_NTHREADS": "1"}
CORES = os.cpu_count() or 1
PINNED = ["taskset", "-c", "0"] if shutil.which("taskset") else []


def genuine() -> Path:
    default = Path(__file__).parents[2] / "shared" / "data"
    return Path(os.environ.get("ISOTHERM_REAL_DATA", default)) / GENUINE


def path_of(folder: Path, number: int) -> Path:
    return folder / f"oisst-avhrr-v02r01.{START + dt.timedelta(number):%Y%m%d}.nc"


def make_files(folder: Path) -> list[Path]:
    """A year of the genuine file, each with its own day and one of 24 fields, in the file's own packing."""
    import h5py
    import numpy as np

    paths = [path_of(folder, number) for number in range(YEAR)]
    for number, path in enumerate(paths):
        shutil.copyfile(paths[number % DISTINCT] if number >= DISTINCT else genuine(), path)
        path.chmod(0o644)
        with h5py.File(path, "r+") as file:
            file["time"][...] = (START - dt.date(1978, 1, 1)).days + number
            if number < DISTINCT:
                sst = file["sst"][...]
                moved = sst + np.int16(round(30 * np.sin(2 * np.pi * number / DISTINCT)))
                file["sst"][...] = np.where(sst == -999, sst, np.clip(moved, -180, 3500))
    return paths


@dataclass(frozen=True)
class Named:
    """A source whose files are of the day that their name tells: links to one file stand for many days."""

    source: Source

    def __getattr__(self, name: str) -> Any:
        return getattr(self.source, name)

    def decode(self, path: Path, granule: Granule, box: Box) -> Field:
        """The field, on the granule's days."""
        import numpy as np

        return replace(self.source.decode(path, granule, box), time=np.array(granule.days, "datetime64[D]"))


def globe() -> Region:
    from pipeline.regrid import Region, RegridSpec

    return Region(box=Box(latitude=(-90, 90), longitude=(0, 360)), regrid=RegridSpec(resolution=1))


def ingest(files: Path, workspace: Path, days: int) -> None:
    """The whole of one ingestion; run in a process of its own on one core."""
    from pipeline.ingestion import IngestJob
    from pipeline.ingestion import ingest as run
    from pipeline.sources import source

    oisst = source("oisst", files=(str(files / "*.nc"),))
    job = IngestJob(
        oisst if days <= YEAR else Named(oisst),
        {"globe": globe()},
        workspace / "cube",
        workspace / "cache",
        workspace / "quarantine",
    )
    period = TimeRange(start=START, end=START + dt.timedelta(days - 1))
    loaded = load(job, workspace)
    began, cpu = time.perf_counter(), time.process_time()
    result = run(job, period)
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    if result.written != days:
        raise SystemExit(f"{result.written} of {days} days were written: {result}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{wall / days * 1e3:.2f} {cpu / days * 1e3:.2f} {peak:.0f} {loaded:.2f}")


def backfill(files: Path, workspace: Path, days: int) -> None:
    """A backfill as the flow does it, on all cores; run in a process of its own."""
    from flows.crew import crew_for
    from flows.settings import Settings
    from pipeline.ingestion import IngestJob, batches, ingest_batch, plan
    from pipeline.sources import source

    oisst = source("oisst", files=(str(files / "*.nc"),))
    folders = (workspace / name for name in ("cube", "cache", "quarantine"))
    job = IngestJob(oisst, {"globe": globe()}, *folders)
    loaded = load(job, workspace)
    began, cpu = time.perf_counter(), time.process_time()
    made = plan(job, TimeRange(start=START, end=START + dt.timedelta(days - 1)))
    with crew_for(Settings(workers=CORES), made) as crew:
        written = 0
        for shards in batches(made.shards, crew.at_once):
            written += ingest_batch(job, shards, spread=crew.spread, at_once=crew.at_once).written
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    if written != days:
        raise SystemExit(f"{written} of {days} days were written")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{wall / days * 1e3:.2f} {cpu / days * 1e3:.2f} {peak:.0f} {loaded:.2f}")


def load(job: IngestJob, workspace: Path) -> float:
    """Ingest one day into another cube, so that all libraries are loaded; the seconds that it takes."""
    from pipeline.ingestion import ingest

    began = time.perf_counter()
    ingest(replace(job, cube=workspace / "another"), TimeRange(start=START, end=START))
    return time.perf_counter() - began


def regrid_alone(files: Path, days: int) -> None:
    """What CDO does: read and regrid, without hashes, checks or a store; run in a process of its own on one core."""
    from pipeline.grid import Grid
    from pipeline.regrid import Regridder
    from pipeline.sources import source

    region = globe()
    oisst = source("oisst", files=(str(files / "*.nc"),))
    granules = oisst.list_granules(
        "files", TimeRange(start=START, end=START + dt.timedelta(days - 1)), region.box, None
    )
    field = oisst.decode(Path(granules[0].url), granules[0], region.box)
    regridder = Regridder(Grid(field.latitude, field.longitude), region.grid)
    regridder(field.values)
    began, cpu = time.perf_counter(), time.process_time()
    for granule in granules:
        field = oisst.decode(Path(granule.url), granule, region.box)
        regridder(field.values)
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{wall / days * 1e3:.2f} {cpu / days * 1e3:.2f} {peak:.0f} 0")


def ours(files: Path, folder: Path, days: int, what: str = "--ingest") -> tuple[float, ...]:
    """Wall and processor milliseconds a day, peak MiB, and seconds that the libraries took before."""
    workspace = Path(tempfile.mkdtemp(dir=folder))
    command = [sys.executable, __file__, what, str(files), str(workspace), str(days)]
    pinned = [] if what == "--backfill" else PINNED
    out = subprocess.run(
        [*pinned, *command], check=True, capture_output=True, text=True, env=os.environ | ONE_CORE
    )
    shutil.rmtree(workspace)
    return tuple(map(float, out.stdout.split()))


def cdo(files: list[Path], folder: Path, *, cores: int = 1) -> dict[str, tuple[float, float]]:
    """Wall and processor milliseconds a day of CDO, reading only `sst`, in each of the ways that it can be run."""
    pinned, environment = (PINNED, os.environ | ONE_CORE) if cores == 1 else ([], dict(os.environ))
    grid, weights, out = folder / "grid", folder / "weights.nc", str(folder / "cdo.nc")
    grid.write_text("gridtype=lonlat\nxsize=360\nysize=180\nxfirst=0.5\nxinc=1\nyfirst=-89.5\nyinc=1\n")
    names = [str(path) for path in files]

    def timed(days: int, *arguments: str) -> tuple[float, float]:
        base = [*pinned, "cdo", "-s", "-O", "-P", str(cores), "-b", "F32"]
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run([*base, *arguments], check=True, env=environment, capture_output=True)
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return wall / days * 1e3, cpu / days * 1e3

    timed(1, f"gencon,{grid}", "-selname,sst", names[0], str(weights))
    few = 3
    alone = [timed(few, f"remapcon,{grid}", "-selname,sst", name, out) for name in names[:few]]
    merged = ("-mergetime", "-apply,-selname,sst", "[", *names, "]")
    return {
        "remapcon -select": timed(len(names), f"remapcon,{grid}", "-select,name=sst", *names, out),
        "remapcon -mergetime": timed(len(names), f"remapcon,{grid}", *merged, out),
        "remap (ready weights) -select": timed(
            len(names), f"remap,{grid},{weights}", "-select,name=sst", *names, out
        ),
        "remapcon, a process a file": (sum(a[0] for a in alone), sum(a[1] for a in alone)),
    }


def compare(paths: list[Path], folder: Path) -> None:
    """Ours before and after CDO, the better of the two: another's load raises even the processor's time."""
    files = paths[0].parent
    runs = [ours(files, folder, YEAR)]
    peers = cdo(paths, folder) if shutil.which("cdo") else {}
    runs.append(ours(files, folder, YEAR))
    alone = ours(files, folder, YEAR, "--regrid")
    wall, cpu = min(run[0] for run in runs), min(run[1] for run in runs)
    print(f"{YEAR} days on one core, ms a day{'':24} wall  processor  times ours, whole and alone (wall)")
    print(f"{'isotherm: read, check, regrid, write':50} {wall:5.1f}  {cpu:9.1f}")
    print(f"{'isotherm: read and regrid alone':50} {alone[0]:5.1f}  {alone[1]:9.1f}")
    for what, (their_wall, their_cpu) in peers.items():
        ratios = f"{their_wall / wall:.1f}, {their_wall / alone[0]:.1f}"
        print(f"{'cdo ' + what:50} {their_wall:5.1f}  {their_cpu:9.1f}  {ratios}")
    print(f"peak memory, {YEAR} days: {max(run[2] for run in runs):.0f} MiB")
    print(f"loading the libraries, not counted: {min(run[3] for run in runs):.2f} s")


def compare_whole(paths: list[Path], folder: Path) -> None:
    """A backfill on all cores before and after CDO on all cores."""
    files = paths[0].parent
    runs = [ours(files, folder, YEAR, "--backfill")]
    peers = cdo(paths, folder, cores=CORES) if shutil.which("cdo") else {}
    runs.append(ours(files, folder, YEAR, "--backfill"))
    wall, cpu = min(run[0] for run in runs), min(run[1] for run in runs)
    print(f"{YEAR} days on {CORES} cores, ms a day{'':25} wall  processor  times ours (wall)")
    print(f"{'isotherm: backfill, a thread a core':50} {wall:5.1f}  {cpu:9.1f}")
    for what, (their_wall, their_cpu) in peers.items():
        row = f"cdo -P {CORES} {what}"
        print(f"{row:50} {their_wall:5.1f}  {their_cpu:9.1f}  {their_wall / wall:.1f}")
    if peers:
        best = min(peer[0] for what, peer in peers.items() if what.startswith("remapcon"))
        print(f"against remapcon: {best / wall:.1f} (target 3); processor: {cpu:.1f} ms a day (target 15)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--years", type=int, default=1, help="years of a further run whose memory is compared"
    )
    parser.add_argument("--ingest", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--backfill", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--regrid", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ingest:
        ingest(Path(options.ingest[0]), Path(options.ingest[1]), int(options.ingest[2]))
        return
    if options.backfill:
        backfill(Path(options.backfill[0]), Path(options.backfill[1]), int(options.backfill[2]))
        return
    if options.regrid:
        regrid_alone(Path(options.regrid[0]), int(options.regrid[2]))
        return
    if not genuine().is_file():
        print(f"skipped: no genuine file at {genuine()}")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = folder / "files"
        files.mkdir()
        paths = make_files(files)
        compare(paths, folder)
        compare_whole(paths, folder)
        days = options.years * YEAR
        for number in range(YEAR, days):
            path_of(files, number).hardlink_to(paths[number % YEAR])
        if days > YEAR:
            wall, cpu, peak, _ = ours(files, folder, days)
            print(f"peak memory, {days} days: {peak:.0f} MiB ({wall:.1f} ms a day, {cpu:.1f} of processor)")


if __name__ == "__main__":
    main()

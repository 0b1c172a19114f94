"""Genuine-format global daily files to a 1° cube: milliseconds a day a core, beside CDO, and peak memory.

Target: read + check + regrid + write within 15 ms a day a core, at least 3 times CDO's throughput for its reading
and `remapcon` of the same files, and the same peak memory for a longer record. Needs a genuine OISST file (see
ISOTHERM_REAL_DATA) and `cdo`.
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
from pathlib import Path

GENUINE = "oisst/oisst-avhrr-v02r01.20211025.nc"
START = dt.date(2000, 1, 1)
ONE_CORE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "BLOSC_NTHREADS": "1"}


def genuine() -> Path:
    default = Path(__file__).parents[2] / "shared" / "data"
    return Path(os.environ.get("ISOTHERM_REAL_DATA", default)) / GENUINE


def make_files(folder: Path, days: int) -> None:
    """Copies of the genuine file, each with its own day and its field moved a little, in the file's own packing."""
    import h5py
    import numpy as np

    original = genuine()
    for number in range(days):
        day = START + dt.timedelta(number)
        path = folder / f"oisst-avhrr-v02r01.{day:%Y%m%d}.nc"
        shutil.copyfile(original, path)
        path.chmod(0o644)
        with h5py.File(path, "r+") as file:
            file["time"][...] = (day - dt.date(1978, 1, 1)).days
            sst = file["sst"][...]
            moved = sst + np.int16(round(30 * np.sin(number / 58)))
            file["sst"][...] = np.where(sst == -999, sst, np.clip(moved, -180, 3500))


def ingest(files: Path, workspace: Path, days: int) -> None:
    """The whole of one ingestion; run in a process of its own on one core."""
    from pipeline.ingestion import IngestJob, plan
    from pipeline.ingestion import ingest as run
    from pipeline.regrid import Region, RegridSpec
    from pipeline.sources import source
    from pipeline.types import Box, TimeRange

    region = Region(box=Box(latitude=(-90, 90), longitude=(0, 360)), regrid=RegridSpec(resolution=1))
    job = IngestJob(
        source("oisst", files=(str(files / "*.nc"),)),
        {"globe": region},
        workspace / "cube",
        workspace / "cache",
        workspace / "quarantine",
    )
    period = TimeRange(start=START, end=START + dt.timedelta(days - 1))
    plan(job, TimeRange(start=START, end=START))
    began, cpu = time.perf_counter(), time.process_time()
    result = run(job, period)
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    if result.written != days:
        raise SystemExit(f"{result.written} of {days} days were written: {result}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{wall / days * 1e3:.2f} {cpu / days * 1e3:.2f} {peak:.0f}")


def ours(files: Path, folder: Path, days: int) -> tuple[float, float, float]:
    """Wall and processor milliseconds a day, and peak MiB."""
    workspace = Path(tempfile.mkdtemp(dir=folder))
    command = [sys.executable, __file__, "--ingest", str(files), str(workspace), str(days)]
    pinned = ["taskset", "-c", "0"] if shutil.which("taskset") else []
    out = subprocess.run(
        [*pinned, *command], check=True, capture_output=True, text=True, env=os.environ | ONE_CORE
    )
    shutil.rmtree(workspace)
    wall, cpu, peak = map(float, out.stdout.split())
    return wall, cpu, peak


def cdo(files: list[Path], folder: Path) -> dict[str, float]:
    """Milliseconds a day of CDO: one process with ready weights over all files, and a process a file."""
    grid, weights, out = folder / "grid", folder / "weights.nc", folder / "cdo.nc"
    grid.write_text("gridtype=lonlat\nxsize=360\nysize=180\nxfirst=0.5\nxinc=1\nyfirst=-89.5\nyinc=1\n")
    base = ["taskset", "-c", "0", "cdo", "-s", "-O", "-b", "F32", "-P", "1"]

    def timed(arguments: list[str], days: int) -> float:
        began = time.perf_counter()
        subprocess.run([*base, *arguments], check=True, env=os.environ | ONE_CORE, capture_output=True)
        return (time.perf_counter() - began) / days * 1e3

    timed([f"gencon,{grid}", "-selname,sst", str(files[0]), str(weights)], 1)
    names = [str(path) for path in files]
    few = files[:3]
    return {
        "one process, remapcon": timed(
            [f"remapcon,{grid}", "-selname,sst", "-mergetime", *names, str(out)], len(names)
        ),
        "one process, ready weights": timed(
            [f"remap,{grid},{weights}", "-mergetime", "-apply,-selname,sst", "[", *names, "]", str(out)],
            len(names),
        ),
        "a process a file, remapcon": sum(
            timed([f"remapcon,{grid}", "-selname,sst", str(path), str(out)], 1) for path in few
        )
        / len(few),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=128)
    parser.add_argument("--long", type=int, default=640, help="days of the run whose memory is compared")
    parser.add_argument("--ingest", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ingest:
        ingest(Path(options.ingest[0]), Path(options.ingest[1]), int(options.ingest[2]))
        return
    if not genuine().is_file():
        print(f"skipped: no genuine file at {genuine()}")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = folder / "files"
        files.mkdir()
        make_files(files, options.long)
        paths = sorted(files.glob("*.nc"))[: options.days]
        walls = [ours(files, folder, options.days)]
        peers = cdo(paths, folder) if shutil.which("cdo") else {}
        walls = sorted(walls + [ours(files, folder, options.days) for _ in range(2)])
        wall, cpu, peak = walls[1]
        peak_long = ours(files, folder, options.long)[2]
    print(
        f"isotherm, read + check + regrid + write, one core: {wall:.1f} ms a day ({cpu:.1f} ms of processor)"
    )
    for what, milliseconds in peers.items():
        print(
            f"cdo, read + remapcon + write, {what}: {milliseconds:.1f} ms a day, ratio {milliseconds / wall:.1f}"
        )
    print(f"peak memory: {peak:.0f} MiB for {options.days} days, {peak_long:.0f} MiB for {options.long} days")


if __name__ == "__main__":
    main()

"""Skill on the real Jena record: every network of jena-temperature beside the baselines, on the same windows.

Trains on the first half of 2020, validates on its third quarter, and tests on the fourth. Then the network with the
lowest validation error, and no other, is trained on the same windows again and tested on the summer of 2024, which
nothing was fitted to. Prints the MAE 24 hours ahead, and the judged network's difference to each baseline with its
interval.

    python benchmarks/bench_stations.py [--workspace FOLDER]    what was done in that folder before is not done again
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from flows.settings import EXPERIMENTS
from pipeline.evaluation.standing import Standing
from pipeline.evaluation.versions import read_scores
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    import xarray as xr

DATA = Path(os.environ.get("ISOTHERM_REAL_DATA", Path(__file__).parents[2] / "shared" / "data")) / "jena"
SEEN, UNSEEN = DATA / "weather_2020.csv", DATA / "mpi_roof_2024_jun_oct.csv"
EXPERIMENT, STATION, LATER = "jena-temperature", "jena", "jena-2024"
LEAD = np.timedelta64(24, "h")
HALVES = """train = 0.5
validation = 0.25
test = 0.25
"""
DATES = """train = { start = 2020-01-01, end = 2020-07-01 }
validation = { start = 2020-07-02, end = 2020-09-30 }
test = { start = 2024-06-09, end = 2024-10-20 }
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workspace", type=Path, default=None)
    given = parser.parse_args().workspace
    for file in (SEEN, UNSEEN):
        if not file.exists():
            sys.exit(f"no real data at {file} (set ISOTHERM_REAL_DATA)")
    workspace = given or Path(tempfile.mkdtemp(prefix="isotherm-stations-"))
    run(EXPERIMENT, workspace, SEEN)
    judged = show(workspace, EXPERIMENT, "October to December 2020")
    run(str(later(workspace, judged)), workspace, SEEN, UNSEEN)
    show(workspace, LATER, "June to October 2024, trained on the same half of 2020")


def run(experiment: str, workspace: Path, *files: Path) -> None:
    """The whole of it, as a user does."""
    began = time.monotonic()
    isotherm = str(Path(sys.executable).with_name("isotherm"))
    given = [word for file in files for word in ("--from-files", str(file))]
    subprocess.run([isotherm, "run", experiment, *given, "--workspace", str(workspace)], check=True)
    print(f"\nwhole run: {(time.monotonic() - began) / 60:.1f} minutes, in {workspace}\n")


def later(workspace: Path, judged: str) -> Path:
    """The same experiment with the judged network alone, and with 2024 as its test."""
    text = (EXPERIMENTS / f"{EXPERIMENT}.toml").read_text(encoding="utf-8")
    if HALVES not in text:
        sys.exit(f"{EXPERIMENT}.toml has other [splits] than this script replaces by dates")
    kept, dropped = f"[models.{judged}]", [f"[models.{name}]" for name in tomllib.loads(text)["models"]]
    parts = text.replace(HALVES, DATES).split("\n\n")
    path = workspace / f"{LATER}.toml"
    chosen = [part for part in parts if part.startswith(kept) or not part.startswith(tuple(dropped))]
    path.write_text("\n\n".join(chosen), encoding="utf-8")
    return path


def show(workspace: Path, experiment: str, what: str) -> str:
    """Print the table of an experiment, and return which network was judged."""
    folder = Workspace.open(workspace).scores(experiment, STATION)
    standing = Standing.read(folder)
    every = read_scores(folder, standing.scores_version).sel(area="all", season="all", lead_time=LEAD)
    judged = standing.judged.name
    print(f"{what}: MAE 24 h ahead, °C, on {int(every['count'].max())} windows; judged: {judged}")
    names = sorted((str(name) for name in every.forecaster.values), key=lambda name: _mae(every, name))
    for name in names:
        row = f"  {name:20} {_mae(every, name):.3f}"
        if name in standing.ladder:
            difference = every.sel(forecaster=judged, reference=name)
            low, high = difference.mae_difference_interval.values
            clear = "clear of zero" if high < 0 else "not clear of zero"
            row += f"   {judged} {float(difference.mae_difference):+.3f} [{low:+.3f}, {high:+.3f}], {clear}"
        print(row)
    print()
    return judged


def _mae(scores: xr.Dataset, name: str) -> float:
    return float(scores.mae.sel(forecaster=name))


if __name__ == "__main__":
    main()

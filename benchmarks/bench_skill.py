"""Skill on the real Tasman Sea: the ConvLSTM beside each rung of its ladder, on the same windows, in one run.

Fits to 2008, validates on 2009–2010, tests on 2011–2013. Prints RMSE by lead, the ratio to the best rung of the lead,
and the interval of the difference with blocks of 30 and of 60 days.

    python benchmarks/bench_skill.py [--workspace FOLDER]    a folder that was run before is only scored again
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from flows.jobs import Job
from flows.loading import load_experiment
from flows.settings import Settings
from pipeline.evaluation.region import score_region
from pipeline.evaluation.standing import Standing
from pipeline.evaluation.versions import read_scores

DATA = Path(os.environ.get("ISOTHERM_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))
FILE = DATA / "oisst" / "tasman_1982_2013.nc"
EXPERIMENT, REGION = "sst-tasman", "tasman"
BLOCKS = (30, 60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workspace", type=Path, default=None)
    given = parser.parse_args().workspace
    if not FILE.exists():
        sys.exit(f"no real data at {FILE} (set ISOTHERM_REAL_DATA)")
    workspace = given or Path(tempfile.mkdtemp(prefix="isotherm-skill-"))
    began = time.monotonic()
    isotherm = str(Path(sys.executable).with_name("isotherm"))
    command = [isotherm, "run", EXPERIMENT, "--from-files", str(FILE), "--workspace", str(workspace)]
    subprocess.run(command, check=True)
    print(f"\nwhole run: {(time.monotonic() - began) / 60:.1f} minutes, in {workspace}\n")
    settings = Settings.load(workspace=workspace)
    job = Job(experiment=load_experiment(EXPERIMENT, settings.experiments), settings=settings)
    for block in BLOCKS:
        print_table(job, block)


def print_table(job: Job, block: int) -> None:
    """Score again with blocks of so many days, and print."""
    experiment, workspace = job.experiment, job.workspace
    before = Standing.read(workspace.scores(EXPERIMENT, REGION))
    folder = workspace.root / "benchmarks" / f"block-{block}"
    standing = score_region(
        job.reading(REGION),
        workspace.archive(EXPERIMENT),
        folder,
        experiment=EXPERIMENT,
        judged=before.judged,
        ladder=before.ladder,
        splits=experiment.splits,
        windows=experiment.windows,
        climatology=experiment.climatology,
        spec=experiment.evaluation.model_copy(update={"block_length": block}),
        cube_snapshot=before.cube_snapshot,
        archive_snapshot=before.archive_snapshot,
    )
    scores = read_scores(folder, standing.scores_version).sel(area="all", season="all")
    names = [str(name) for name in scores.forecaster.values]
    print(f"blocks of {block} days, {int(scores['count'].max())} windows; RMSE in °C")
    print("lead  " + "  ".join(f"{name:>18}" for name in names) + "   ratio to best   difference [95 %]")
    for step, lead in enumerate(standing.verdict.leads):
        rmse = scores.rmse.isel(lead_time=step)
        row = "  ".join(f"{float(rmse.sel(forecaster=name)):18.3f}" for name in names)
        low, high = lead.interval or (np.nan, np.nan)
        clear = "clear" if high < 0 else ""
        print(
            f"{lead.lead_days:4.0f}  {row}   {lead.rmse / lead.best_rmse:13.3f}   "
            f"{lead.difference:+.4f} [{low:+.4f}, {high:+.4f}] {clear}"
        )
    print(standing.verdict.sentence, "\n")


if __name__ == "__main__":
    main()

"""Commands of those who keep an experiment running."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.options import (
    ExperimentName,
    FromFiles,
    MirrorOption,
    Verbose,
    WorkspaceOption,
    out,
    run_flow,
)

if TYPE_CHECKING:
    from models.champions import Reign

app = typer.Typer()

RegionOption = Annotated[
    str | None, typer.Option("--region", "-r", help="Of an experiment with several regions, which.")
]
Because = Annotated[str, typer.Option("--because", help="Why, in a sentence that is kept with it.")]


@app.command(
    epilog="[b]Example[/b]  isotherm daily sst-seas   [dim]from cron; or let Prefect schedule it[/dim]"
)
def daily(
    experiment: ExperimentName,
    workspace: WorkspaceOption = None,
    from_files: FromFiles = None,
    mirror: MirrorOption = None,
    verbose: Verbose = False,
) -> None:
    """Take in new files, forecast from the newest data, verify the forecasts before, score and publish.

    No model is trained: `isotherm run` does that first. A second time the same day nothing is done.
    """
    run_flow("flows.daily:daily", experiment, workspace, verbose, from_files=from_files, mirror=mirror)


@app.command(
    epilog="[b]Example[/b]  isotherm retrain sst-seas   [dim]killed and run again, here or elsewhere, it goes on[/dim]"
)
def retrain(experiment: ExperimentName, workspace: WorkspaceOption = None, verbose: Verbose = False) -> None:
    """Train a challenger on all days to the newest final one; promote it if it clearly beats the champion."""
    run_flow("flows.retrain:retrain", experiment, workspace, verbose)


@app.command(
    epilog="[b]Examples[/b]  isotherm promote sst-tasman convlstm-0687c4a24275  ·  "
    "isotherm promote sst-seas convlstm-5c215bf098a3 --because 'the new one drifts in winter'"
)
def promote(
    experiment: ExperimentName,
    model_id: Annotated[
        str, typer.Argument(metavar="MODEL_ID", help="Of a model that was trained; its folder's name.")
    ],
    region: RegionOption = None,
    because: Because = "",
    workspace: WorkspaceOption = None,
) -> None:
    """Make a model champion: forecasts are issued with it from now on. Its trace is kept."""
    from flows.promotions import promote_model

    _told(*promote_model(experiment, model_id, region=region, workspace=workspace, because=because))


@app.command(
    epilog="[b]Examples[/b]  isotherm rollback sst-tasman  ·  "
    "isotherm rollback sst-seas --region black --because 'a bad file was trained on'"
)
def rollback(
    experiment: ExperimentName,
    region: RegionOption = None,
    because: Because = "",
    workspace: WorkspaceOption = None,
) -> None:
    """Bring back the champion before the one of now; once more, the one before that. Its trace is kept."""
    from flows.promotions import roll_back_model

    _told(*roll_back_model(experiment, region=region, workspace=workspace, because=because))


def _told(region: str, reign: Reign) -> None:
    since = reign.since.isoformat(timespec="seconds")
    out.print(f"{region:<10} {reign.champion} is champion since {since}", highlight=False, markup=False)
    out.print(f"           {reign.how} by {reign.by}: {reign.because}", highlight=False, markup=False)


@app.command(
    epilog="[b]Examples[/b]  isotherm retain sst-seas --dry-run  ·  isotherm retain sst-seas   [dim]weekly[/dim]"
)
def retain(
    experiment: ExperimentName,
    workspace: WorkspaceOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would go, and change nothing.")
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Let old snapshots, models, scores and products go that nothing refers to, by the experiment's policy.

    What a published forecast, a current model or the newest scores were made from is kept for ever.
    """
    run_flow("flows.retain:retain", experiment, workspace, verbose, dry_run=dry_run)

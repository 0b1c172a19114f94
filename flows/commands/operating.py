"""Commands of those who keep an experiment running."""

from __future__ import annotations

import typer

from flows.commands.options import ExperimentName, FromFiles, MirrorOption, Verbose, WorkspaceOption, run_flow

app = typer.Typer()


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

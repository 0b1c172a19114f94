"""The whole way as one command, and each of its steps."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.commands.options import ExperimentName, FromFiles, MirrorOption, Verbose, WorkspaceOption, run_flow

app = typer.Typer()


@app.command(
    epilog="[b]Examples[/b]  isotherm run demo  ·  isotherm run sst-tasman --from-files 'tasman_*.nc'  ·  "
    "isotherm run sst-seas --mirror http://127.0.0.1:8321"
)
def run(
    experiment: ExperimentName,
    workspace: WorkspaceOption = None,
    from_files: FromFiles = None,
    mirror: MirrorOption = None,
    verbose: Verbose = False,
) -> None:
    """Go the whole way: ingest, train, forecast, evaluate, report and publish, as one flow run."""
    run_flow("flows.cycle:cycle", experiment, workspace, verbose, from_files=from_files, mirror=mirror)


@app.command(
    epilog="[b]Examples[/b]  isotherm ingest sst-seas  ·  isotherm ingest sst-tasman --from-files tasman.nc  ·  "
    "isotherm ingest sst-seas --audit"
)
def ingest(
    experiment: ExperimentName,
    workspace: WorkspaceOption = None,
    from_files: FromFiles = None,
    mirror: MirrorOption = None,
    audit: Annotated[
        bool, typer.Option("--audit", help="Ask of every file that is held whether it was reissued.")
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Download, check, regrid and store what is lacking. Run twice, it does nothing the second time."""
    run_flow(
        "flows.ingest:ingest",
        experiment,
        workspace,
        verbose,
        from_files=from_files,
        mirror=mirror,
        audit=audit,
    )


@app.command(epilog="[b]Example[/b]  isotherm train sst-tasman   [dim]killed and run again, it goes on[/dim]")
def train(experiment: ExperimentName, workspace: WorkspaceOption = None, verbose: Verbose = False) -> None:
    """Train the models of each region or station on what was ingested."""
    run_flow("flows.train:train", experiment, workspace, verbose)


@app.command(epilog="[b]Example[/b]  isotherm forecast sst-tasman")
def forecast(experiment: ExperimentName, workspace: WorkspaceOption = None, verbose: Verbose = False) -> None:
    """Forecast from every test window and from the newest data, with the model and with its ladder."""
    run_flow("flows.forecast:forecast", experiment, workspace, verbose)


@app.command(epilog="[b]Example[/b]  isotherm evaluate sst-tasman")
def evaluate(experiment: ExperimentName, workspace: WorkspaceOption = None, verbose: Verbose = False) -> None:
    """Score the forecasts, and say whether the model beats the best baseline."""
    run_flow("flows.evaluate:evaluate", experiment, workspace, verbose)


@app.command(epilog="[b]Example[/b]  isotherm report sst-tasman")
def report(experiment: ExperimentName, workspace: WorkspaceOption = None, verbose: Verbose = False) -> None:
    """Write the evaluation report, one HTML page."""
    run_flow("flows.publish:report", experiment, workspace, verbose)


@app.command(epilog="[b]Example[/b]  isotherm publish sst-tasman")
def publish(experiment: ExperimentName, workspace: WorkspaceOption = None, verbose: Verbose = False) -> None:
    """Publish the newest forecast with its scores and the report, and enter it into the catalog."""
    run_flow("flows.publish:publish", experiment, workspace, verbose)

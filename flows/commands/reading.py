"""Commands that only read; none of them loads Prefect."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows import show
from flows.commands.options import ExperimentName, WorkspaceOption, out

app = typer.Typer()

ALERTS = 4
"""Exit status of `isotherm status` where somebody should act."""


@app.command(
    epilog="[b]Examples[/b]  isotherm status  ·  isotherm status sst-tasman  ·  "
    "isotherm status --json | jq '.experiments[].alerts'"
)
def status(
    experiment: Annotated[
        str | None, typer.Argument(metavar="[EXPERIMENT]", help="One; all where none is named.")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, as JSON for other programs.")] = False,
) -> None:
    """Show what the workspace holds: days, gaps, refused files, models, scores, forecasts and alerts.

    The exit status is 4 where an experiment that runs daily has an alert that asks for somebody to act.
    """
    from flows.settings import Settings
    from flows.show_status import status as shown
    from flows.status import workspace_status

    found = workspace_status(Settings.load(workspace=workspace), experiment)
    if as_json:
        out.print(found.model_dump_json(indent=1), markup=False, highlight=False)
    else:
        shown(out, found)
    if not found.healthy:
        raise typer.Exit(ALERTS)


@app.command(epilog="[b]Example[/b]  isotherm experiments")
def experiments() -> None:
    """List the experiments."""
    from flows.settings import Settings

    show.experiments(out, Settings.load().experiments)


@app.command(epilog="[b]Example[/b]  isotherm export sst-hybrid sea_temp")
def export(
    experiment: ExperimentName,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder.")],
    workspace: WorkspaceOption = None,
    heading: Annotated[
        bool, typer.Option(help="Begin each table with a line of names, which its usual reader passes over.")
    ] = True,
) -> None:
    """Write the movies of an experiment as numbered tables, features/N.csv and targets/N.csv, a row a picture."""
    from flows.exporting import export as write

    many = write(experiment, folder, workspace=workspace, heading=heading)
    out.print(f"wrote {many} sequences below {folder}", highlight=False)


@app.command(
    epilog="[b]Examples[/b]  isotherm lineage workspace/published/demo/tasman/forecast-….zarr  ·  "
    "isotherm lineage https://example.org/published/…/item.json"
)
def lineage(
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL", help="A published .zarr, or its item in the catalog; a path or a URL, s3:// too."
        ),
    ],
) -> None:
    """Print the chain behind a published forecast, from the source files to its scores."""
    from flows.settings import Settings
    from pipeline.lineage import read_lineage, render
    from pipeline.s3 import SCHEME

    access = Settings.load().access if url.startswith(SCHEME) else None
    out.print(render(read_lineage(url, access)), markup=False, highlight=False)

"""Commands that only read; none of them loads Prefect."""

from __future__ import annotations

from typing import Annotated

import typer

from flows import show
from flows.commands.options import WorkspaceOption, out

app = typer.Typer()


@app.command(epilog="[b]Examples[/b]  isotherm status  ·  isotherm status sst-tasman")
def status(
    experiment: Annotated[
        str | None, typer.Argument(metavar="[EXPERIMENT]", help="One; all where none is named.")
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Show what the workspace holds: days, gaps, refused files, models, verdicts and forecasts."""
    from flows.settings import Settings

    show.status(out, Settings.load(workspace=workspace), experiment)


@app.command(epilog="[b]Example[/b]  isotherm experiments")
def experiments() -> None:
    """List the experiments."""
    from flows.settings import Settings

    show.experiments(out, Settings.load().experiments)


@app.command(
    epilog="[b]Examples[/b]  isotherm lineage workspace/published/demo/tasman/forecast-….zarr  ·  "
    "isotherm lineage https://example.org/published/…/item.json"
)
def lineage(
    url: Annotated[
        str,
        typer.Argument(metavar="URL", help="A published .zarr, or its item in the catalog; a path or a URL."),
    ],
) -> None:
    """Print the chain behind a published forecast, from the source files to its scores."""
    from pipeline.lineage import read_lineage, render

    out.print(render(read_lineage(url)), markup=False, highlight=False)

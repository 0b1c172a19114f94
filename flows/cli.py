"""The `isotherm` command. Commands that only read never load Prefect."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from flows.commands import operating, reading, serving, steps
from flows.commands.options import out
from flows.endings import guarded

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="[b]Begin with[/b]  isotherm run demo  ·  then  isotherm run sst-tasman --from-files FILE.nc  ·  "
    "isotherm COMMAND --help shows examples of each command.",
)

GROUPS = {
    "From files to forecasts": steps.app,
    "Operating": operating.app,
    "Looking": reading.app,
    "Serving": serving.app,
}
for _title, _group in GROUPS.items():
    for _command in _group.registered_commands:
        _command.rich_help_panel = _title
        app.registered_commands.append(_command)


def _say_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        out.print(version("isotherm"), highlight=False)
        raise typer.Exit


@app.callback()
def isotherm(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_say_version, help="Print the version.")
    ] = False,
) -> None:
    """Verified forecasts of the sea and the weather, from public files to a published store and a report."""


def main() -> None:
    """Run the command; every error is a message with a remedy, and never a stack trace."""
    sys.exit(guarded(app))

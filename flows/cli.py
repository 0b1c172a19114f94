"""The `isotherm` command. Commands that only read never load Prefect."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from flows import show
from flows.endings import err, guarded, tell

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="[b]Begin with[/b]  isotherm run demo  ·  then  isotherm run sst-tasman --from-files FILE.nc  ·  "
    "isotherm COMMAND --help shows examples of each command.",
)
out = Console(soft_wrap=True)

PARTIAL = 3
"""Exit status of a run that did all but some days or regions."""

ExperimentName = Annotated[
    str,
    typer.Argument(metavar="EXPERIMENT", help="A name that `isotherm experiments` lists, or a TOML file."),
]
WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace", "-w", help="Where everything is kept [dim](ISOTHERM_WORKSPACE, or workspace)[/dim]"
    ),
]
FromFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--from-files",
        help="Take local files (NetCDF, or a station's CSV or zip): a path or a glob; may be repeated.",
    ),
]
MirrorOption = Annotated[
    str | None,
    typer.Option("--mirror", help="Address of an `isotherm mirror` to take instead of the public ones."),
]


def _say_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        out.print(version("isotherm"), highlight=False)
        raise typer.Exit


Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show what Prefect logs.")]


@app.callback()
def isotherm(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_say_version, help="Print the version.")
    ] = False,
) -> None:
    """Verified forecasts of the sea and the weather, from public files to a published store and a report."""


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
    _run_flow("flows.cycle:cycle", experiment, workspace, verbose, from_files=from_files, mirror=mirror)


@app.command(
    epilog="[b]Examples[/b]  isotherm ingest sst-seas  ·  isotherm ingest sst-tasman --from-files tasman.nc"
)
def ingest(
    experiment: ExperimentName,
    workspace: WorkspaceOption = None,
    from_files: FromFiles = None,
    mirror: MirrorOption = None,
    verbose: Verbose = False,
) -> None:
    """Download, check, regrid and store what is lacking. Run twice, it does nothing the second time."""
    _run_flow("flows.ingest:ingest", experiment, workspace, verbose, from_files=from_files, mirror=mirror)


@app.command(epilog="[b]Example[/b]  isotherm train sst-tasman   [dim]killed and run again, it goes on[/dim]")
def train(experiment: ExperimentName, workspace: WorkspaceOption = None, verbose: Verbose = False) -> None:
    """Train the models of each region or station on what was ingested."""
    _run_flow("flows.train:train", experiment, workspace, verbose)


@app.command(epilog="[b]Example[/b]  isotherm forecast sst-tasman")
def forecast(experiment: ExperimentName, workspace: WorkspaceOption = None, verbose: Verbose = False) -> None:
    """Forecast from every test window and from the newest data, with the model and with its ladder."""
    _run_flow("flows.forecast:forecast", experiment, workspace, verbose)


@app.command(epilog="[b]Example[/b]  isotherm evaluate sst-tasman")
def evaluate(experiment: ExperimentName, workspace: WorkspaceOption = None, verbose: Verbose = False) -> None:
    """Score the forecasts, and say whether the model beats the best baseline."""
    _run_flow("flows.evaluate:evaluate", experiment, workspace, verbose)


@app.command(epilog="[b]Example[/b]  isotherm report sst-tasman")
def report(experiment: ExperimentName, workspace: WorkspaceOption = None, verbose: Verbose = False) -> None:
    """Write the evaluation report, one HTML page."""
    _run_flow("flows.publish:report", experiment, workspace, verbose)


@app.command(epilog="[b]Example[/b]  isotherm publish sst-tasman")
def publish(experiment: ExperimentName, workspace: WorkspaceOption = None, verbose: Verbose = False) -> None:
    """Publish the newest forecast with its scores and the report, and enter it into the catalog."""
    _run_flow("flows.publish:publish", experiment, workspace, verbose)


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


@app.command(
    epilog="[b]Examples[/b]  isotherm mirror  ·  isotherm mirror --folder recorded/  ·  "
    "isotherm mirror --station-folder jena/  ·  isotherm mirror --fault '503*2:…/202001*'"
)
def mirror(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes any that is free.")] = 8321,
    folder: Annotated[
        Path | None, typer.Option(help="Serve recorded OISST files instead of a simulated ocean.")
    ] = None,
    station_folder: Annotated[
        Path | None, typer.Option(help="Serve recorded Jena files instead of simulated weather.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the simulated ocean and weather.")] = 0,
    first: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="First day of the simulated ocean.")
    ] = datetime(1981, 9, 1),  # noqa: DTZ001  a day
    today: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The mirror's today; really today if not given."),
    ] = None,
    fault: Annotated[
        list[str] | None, typer.Option(help="Faults to serve, such as '503*2:…/202001*'.")
    ] = None,
) -> None:
    """Serve a local mirror of NOAA's OISST and of the Jena station until interrupted: simulated or recorded."""
    from pipeline.mirror import Mirror, SimulatedOcean

    last = today.date() if today else datetime.now(UTC).date()
    ocean = None if folder else SimulatedOcean(seed=seed, first=first.date(), today=last)
    with Mirror(
        ocean=ocean, folder=folder, station_folder=station_folder, port=port, faults=fault or ()
    ) as serving:
        sea = folder or f"a simulated ocean to {serving.today}"
        weather = station_folder or "simulated weather"
        out.print(f"serving {sea} and {weather} at {serving.url}, until Ctrl-C")
        out.print(f"try: isotherm run sst-seas --mirror {serving.url}")
        out.print(f"     isotherm run jena-temperature --mirror {serving.url}")
        serving.wait()


def _run_flow(address: str, experiment: str, workspace: Path | None, verbose: bool, **options: Any) -> None:
    """One flow run, with its progress shown, and what came of it."""
    from flows import jobs, runtime

    module, _, step = address.partition(":")
    chosen = {name: value for name, value in options.items() if value}
    if "from_files" in chosen:
        chosen["from_files"] = tuple(chosen["from_files"])
    # Prefect takes seconds to start: what can be refused is refused before.
    with jobs.job_for(experiment, workspace=workspace, embedded=False, **chosen) as job:
        jobs.require_inputs(job, step)
    with runtime.prepared(job.settings, verbose=verbose) as wait:
        flow = getattr(import_module(module), step)
        from flows.partial import PartialError

        wait()
        try:
            with runtime.bars(err):
                done = flow(experiment, workspace=workspace, **chosen)
        except PartialError as partial:
            show.result(out, partial.fields["done"])
            tell("not all", "yellow", partial)
            raise typer.Exit(PARTIAL) from partial
        show.result(out, done)


def main() -> None:
    """Run the command; every error is a message with a remedy, and never a stack trace."""
    sys.exit(guarded(app))

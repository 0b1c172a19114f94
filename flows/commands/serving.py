"""Commands that serve until they are interrupted, and the one that prepares a server of Prefect."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from flows.commands.options import ScheduledExperiments, WorkspaceOption, out

app = typer.Typer()


@app.command(
    epilog="[b]Examples[/b]  isotherm serve  ·  isotherm serve --experiment demo  ·  "
    "isotherm serve --workspace /srv/isotherm --port 4300"
)
def serve(
    port: Annotated[
        int, typer.Option(help="Port of Prefect's page on 127.0.0.1; files are on the next.")
    ] = 4200,
    workspace: WorkspaceOption = None,
    experiment: ScheduledExperiments = None,
) -> None:
    """Run Prefect's server, schedules and workers on this machine until interrupted."""
    from flows.kinds import require_kind
    from flows.loading import load_experiment
    from flows.serve import serve as serve_all
    from flows.settings import Settings

    settings = Settings.load(workspace=workspace)
    for name in experiment or ():
        require_kind(load_experiment(name, settings.experiments), "daily")
    serve_all(
        settings, port=port, experiments=experiment or (), say=lambda line: out.print(line, highlight=False)
    )


@app.command(
    epilog="[b]Example[/b]  PREFECT_API_URL=http://127.0.0.1:4200/api isotherm deploy --experiment sst-seas"
)
def deploy(experiment: ScheduledExperiments = None) -> None:
    """Enter pools, queues, automations and deployments into the Prefect server that PREFECT_API_URL names."""
    from flows import server
    from flows.kinds import require_kind
    from flows.loading import load_experiment
    from flows.settings import Settings

    server.require_named()
    settings = Settings.load()
    for name in experiment or ():
        require_kind(load_experiment(name, settings.experiments), "daily")
    from flows import deploying

    deploying.enter()
    for line in deploying.told(deploying.deploy(experiment or ())):
        out.print(line, highlight=False)


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
    radar_folder: Annotated[
        Path | None, typer.Option(help="Serve recorded radar composites as well.")
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
        ocean=ocean,
        folder=folder,
        station_folder=station_folder,
        radar_folder=radar_folder,
        port=port,
        faults=fault or (),
    ) as serving:
        sea = folder or f"a simulated ocean to {serving.today}"
        weather = station_folder or "simulated weather"
        out.print(f"serving {sea} and {weather} at {serving.url}, until Ctrl-C")
        out.print(f"try: isotherm run sst-seas --mirror {serving.url}")
        out.print(f"     isotherm run jena-temperature --mirror {serving.url}")
        if radar_folder is not None:
            out.print(f"     isotherm run radar-nowcast --mirror {serving.url}")
        serving.wait()

"""Arguments and options that commands share, and how a command runs its flow."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any

import typer
from rich.console import Console

from flows import show
from flows.endings import err, tell

out = Console(soft_wrap=True)

PARTIAL = 3
"""Exit status of a run that did all but some days or regions."""

ExperimentName = Annotated[
    str,
    typer.Argument(metavar="EXPERIMENT", help="A name that `isotherm experiments` lists, or a TOML file."),
]
WorkspaceOption = Annotated[
    str | None,
    typer.Option(
        "--workspace",
        "-w",
        metavar="PATH",
        help="Where everything is kept, a folder or s3://bucket/prefix [dim](ISOTHERM_WORKSPACE, or workspace)[/dim]",
    ),
]
FromFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--from-files",
        help="Take local files (NetCDF, a station's CSV or zip, tables): a path or a glob; may be repeated.",
    ),
]
MirrorOption = Annotated[
    str | None,
    typer.Option("--mirror", help="Address of an `isotherm mirror` to take instead of the public ones."),
]
ScheduledExperiments = Annotated[
    list[str] | None,
    typer.Option(
        "--experiment",
        "-e",
        help="Schedule this experiment; may be repeated. [dim](those that prefect.yaml schedules)[/dim]",
    ),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show what Prefect logs.")]


def run_flow(address: str, experiment: str, workspace: str | None, verbose: bool, **options: Any) -> None:
    """One flow run, with its progress shown, and what came of it."""
    from flows import composing, jobs, kinds, runtime

    module, _, step = address.partition(":")
    chosen = {name: value for name, value in options.items() if value}
    if "from_files" in chosen:
        chosen["from_files"] = tuple(chosen["from_files"])
    origin = {name: chosen[name] for name in ("from_files", "mirror") if name in chosen}
    # Prefect takes seconds to start: what can be refused is refused before.
    with composing.job_for(experiment, workspace=workspace, embedded=False, **origin) as job:
        jobs.require_inputs(job, step)
        if "audit" in chosen:
            kinds.require_auditable(job.experiment)
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

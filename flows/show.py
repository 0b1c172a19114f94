"""What the command prints: results of runs, the state of a workspace, and the list of experiments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from pipeline.errors import IsothermError, NotFoundError
from pipeline.naming import counted, unknown
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from rich.console import Console

    from flows.settings import Settings
    from pipeline.quarantine import Quarantined

QUARANTINE_SHOWN = 5
GAPS_SHOWN = 5


def result(console: Console, done: Any) -> None:
    """What a flow run came to, by the kind of its result."""
    from pipeline.ingestion import IngestResult
    from pipeline.publish.release import Released

    match done:
        case IngestResult():
            _ingested(console, done)
        case Path():
            console.print(f"report     {done}", highlight=False, markup=False)
        case dict():
            for region, told in done.items():
                console.print(f"{region:<10} {told}", highlight=False, markup=False)
        case [*released] if all(isinstance(each, Released) for each in released):
            _released(console, released)
        case _:
            _cycle(console, done)


def _cycle(console: Console, done: Any) -> None:
    _ingested(console, done.ingested)
    for region, verdict in done.verdicts.items():
        console.print(f"[b]{region}[/b]: {escape(verdict)}", highlight=False)
    _released(console, done.released)
    console.print(f"catalog    {done.catalog}", highlight=False, markup=False)
    console.print(f"report     {done.report}", highlight=False, markup=False)


def _ingested(console: Console, found: Any) -> None:
    console.print(
        f"ingested {counted(found.written, 'day')} ({found.final} final, {found.preliminary} preliminary)"
        + (f", {counted(len(found.refused), 'file')} refused" if found.refused else "")
        + (f", {counted(len(found.gaps), 'day')} lacking" if found.gaps else ""),
        highlight=False,
    )
    for problem in found.problems[:3]:
        console.print(f"  {problem.mirror}: {problem.message}", highlight=False, markup=False)


def _released(console: Console, released: list[Any]) -> None:
    for each in released:
        console.print(f"forecast   {each.forecast}", highlight=False, markup=False)
        console.print(
            f"           {each.region}, from {each.init_time}, by {each.forecaster}", highlight=False
        )
        console.print(f"entry      {each.item}", highlight=False, markup=False)


def experiments(console: Console, folder: Path) -> None:
    """Every experiment with its title, or with what is wrong with it."""
    from flows.loading import experiment_names, load_experiment

    table = Table(box=None, pad_edge=False)
    table.add_column("experiment")
    table.add_column("title")
    for name in experiment_names(folder):
        try:
            table.add_row(name, escape(load_experiment(name, folder).title))
        except IsothermError as error:
            table.add_row(name, f"[red]{escape(error.message)}[/]")
    console.print(table)
    console.print(f"[dim]files in {escape(str(folder))}[/]", highlight=False)


def status(console: Console, settings: Settings, only: str | None) -> None:
    """The state of each experiment in the workspace.

    Raises
    ------
    NotFoundError
        The workspace holds no experiment, or not the one that was asked for.
    WorkspaceError
        A newer Isotherm wrote the workspace.
    """
    workspace = Workspace(settings.workspace)
    workspace.require_readable()
    held = sorted(path.name for path in (workspace.root / "cubes").glob("*") if path.is_dir())
    if not held:
        raise NotFoundError(
            f"the workspace {workspace.root} holds nothing yet",
            remedy="run `isotherm run demo`, or name another with --workspace",
            path=str(workspace.root),
        )
    if only is not None and only not in held:
        raise unknown("experiment", only, held, NotFoundError, where=f"in the workspace {workspace.root}")
    for name in [only] if only else held:
        _experiment(console, workspace, name)


def _experiment(console: Console, workspace: Workspace, name: str) -> None:
    from pipeline.store.state import status_summary

    summary = status_summary(workspace.cube(name))
    console.print(f"[b]{name}[/b]", highlight=False)
    days = f"{summary.first_day} … {summary.last_day}" if summary.first_day else "none yet"
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2))
    table.add_row("  days", f"{days}: {summary.final} final, {summary.preliminary} preliminary")
    gaps = [gap.start if gap.days == 1 else f"{gap.start} … {gap.end}" for gap in summary.gaps]
    shown = ", ".join(gaps[:GAPS_SHOWN]) + (" …" if len(gaps) > GAPS_SHOWN else "")
    table.add_row(
        "  gaps", f"[yellow]{counted(summary.missing, 'day')}: {shown}[/]" if summary.missing else "none"
    )
    table.add_row("  newest commit", escape(f"{summary.message} ({summary.written_at})"))
    refused = _refused(workspace, name)
    if refused:
        table.add_row(
            "  refused",
            f"[yellow]{counted(len(refused), 'file')}, in {escape(str(workspace.quarantine(name)))}[/]",
        )
    for each in refused[:QUARANTINE_SHOWN]:
        table.add_row("", escape(f"{each.name}: {each.findings[0].message}"))
    for region in summary.regions:
        table.add_row(f"  {region}", escape(_region(workspace, name, region)))
    console.print(table, highlight=False)


def _refused(workspace: Workspace, name: str) -> list[Quarantined]:
    """What was refused of days for which no other file has come since."""
    from pipeline.quarantine import list_quarantine
    from pipeline.store.state import read_state
    from pipeline.types import Status

    entries = list_quarantine(workspace.quarantine(name))
    if not entries:
        return []
    state = read_state(workspace.cube(name))
    return [each for each in entries if any(state.at(day)[0] < Status.FINAL for day in each.days)]


def _region(workspace: Workspace, experiment: str, region: str) -> str:
    from pipeline.evaluation.standing import Standing

    try:
        return Standing.read(workspace.scores(experiment, region)).verdict.sentence
    except NotFoundError:
        return "not evaluated yet"

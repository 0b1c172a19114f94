"""What the command prints: results of runs, and the list of experiments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from pipeline.errors import IsothermError
from pipeline.naming import counted
from pipeline.s3 import S3Path

if TYPE_CHECKING:
    from rich.console import Console


def result(console: Console, done: Any) -> None:
    """What a flow run came to, by the kind of its result."""
    from pipeline.ingestion import IngestResult
    from pipeline.publish.release import Released

    match done:
        case IngestResult():
            _ingested(console, done)
        case Path() | S3Path():
            console.print(f"report     {done}", highlight=False, markup=False)
        case dict():
            for region, told in done.items():
                console.print(f"{region:<10} {told}", highlight=False, markup=False)
        case [*released] if all(isinstance(each, Released) for each in released):
            _released(console, released)
        case _ if hasattr(done, "lines"):
            for line in done.lines:
                console.print(line, highlight=False, markup=False)
        case _ if hasattr(done, "scorecards"):
            _daily(console, done)
        case _:
            _cycle(console, done)


def _cycle(console: Console, done: Any) -> None:
    _ingested(console, done.ingested)
    for region, verdict in done.verdicts.items():
        console.print(f"[b]{region}[/b]: {escape(verdict)}", highlight=False)
    _released(console, done.released)
    if done.catalog is not None:
        console.print(f"catalog    {done.catalog}", highlight=False, markup=False)
    console.print(f"report     {done.report}", highlight=False, markup=False)


def _daily(console: Console, done: Any) -> None:
    _ingested(console, done.ingested)
    for region, why in done.rescored.items():
        console.print(f"[b]{region}[/b]: scored anew, since {escape(why)}", highlight=False)
    for region, card in done.scorecards.items():
        console.print(f"[b]{region}[/b]: {escape(card.told)}", highlight=False)
    _released(console, done.released)
    console.print(f"catalog    {done.catalog}", highlight=False, markup=False)
    console.print(f"report     {done.report}", highlight=False, markup=False)
    for alert in done.alerts:
        console.print(
            f"[yellow]{alert.kind}[/]  {escape(alert.about)}: {escape(alert.message)}", highlight=False
        )


def _ingested(console: Console, found: Any) -> None:
    if hasattr(found, "lines"):
        for line in found.lines:
            console.print(line, highlight=False, markup=False)
        return
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

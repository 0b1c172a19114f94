"""The state of a workspace as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from pipeline.naming import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from flows.status import ExperimentStatus, PlaceStatus, WorkspaceStatus
    from pipeline.store.collection_summary import CollectionSummary

QUARANTINE_SHOWN = 5
GAPS_SHOWN = 5
MIB = 2**20


def status(console: Console, found: WorkspaceStatus) -> None:
    """Every experiment with its data, its places and its alerts."""
    for each in found.experiments:
        _experiment(console, each)


def _experiment(console: Console, found: ExperimentStatus) -> None:
    data = found.data
    console.print(f"[b]{found.experiment}[/b]", highlight=False)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2))
    table.add_column()
    # A long path is broken and goes on in the next line; Rich would cut it off.
    table.add_column(overflow="fold")
    if found.collection is not None:
        for label, told in _of_collection(found.collection):
            table.add_row(label, told)
        if found.too_short:
            table.add_row("  too short", f"[yellow]{counted(found.too_short, 'movie')}[/], not used")
        _add_rest(table, found)
        console.print(table, highlight=False)
        return
    days = f"{data.first_day} … {data.last_day}" if data.first_day else "none yet"
    early = f", from {found.preliminary_days[0]} on" if found.preliminary_days else ""
    table.add_row("  days", f"{days}: {data.final} final, {data.preliminary} preliminary{early}")
    gaps = [gap.start if gap.days == 1 else f"{gap.start} … {gap.end}" for gap in data.gaps]
    shown = ", ".join(gaps[:GAPS_SHOWN]) + (" …" if len(gaps) > GAPS_SHOWN else "")
    missing = f"[yellow]{counted(data.missing, 'day')}: {shown}[/]" if data.missing else "none"
    table.add_row("  gaps", missing)
    _add_rest(table, found)
    console.print(table, highlight=False)


def _of_collection(found: CollectionSummary) -> Iterator[tuple[str, str]]:
    """Rows of what is told of labelled records or of movies."""
    (what, first), *others = found.facts.items()
    yield f"  {what}", escape(first)
    yield "  left out", f"[yellow]{found.excluded}[/]" if found.excluded else "none"
    for each in found.exclusions[:QUARANTINE_SHOWN]:
        yield "", escape(each.told)
    for label, told in others:
        yield f"  {label}", escape(told)


def _add_rest(table: Table, found: ExperimentStatus) -> None:
    """The store, what was refused, places and alerts."""
    data = found.data
    table.add_row("  newest commit", escape(f"{data.message} ({data.written_at})"))
    table.add_row("  store", f"{found.store_bytes / MIB:.1f} MiB")
    if found.refused:
        table.add_row("  refused", f"[yellow]{counted(len(found.refused), 'file')}, in quarantine[/]")
    for each in found.refused[:QUARANTINE_SHOWN]:
        table.add_row("", escape(f"{each.name}: {each.findings[0].message}"))
    for place in found.places:
        for number, line in enumerate(_lines(place)):
            table.add_row("" if number else f"  {place.place}", escape(line))
    for alert in found.alerts:
        colour = "red" if alert.severity == "act" else "yellow"
        table.add_row(f"  [{colour}]{alert.kind}[/]", escape(f"{alert.about}: {alert.message}"))
        table.add_row("", escape(f"→ {alert.remedy}"))


def _lines(place: PlaceStatus) -> list[str]:
    """What is told of a region or station."""
    lines = [place.verdict or "not evaluated yet"]
    if place.model_id is not None and place.trained_at is not None:
        changed = place.changed_training_days
        told = f", {counted(changed, 'day')} of what it learned from changed since" if changed else ""
        aged = f"{counted(place.age_days or 0, 'day')} old"
        lines.append(f"champion {place.model_id}, trained {place.trained_at:%Y-%m-%d} ({aged}){told}")
    if place.last_init is not None:
        lines.append(
            f"newest forecast from {_when(place.last_init)}, issued {place.last_issued}, by {place.published}"
        )
    if place.scorecard is not None:
        lines.append(place.scorecard.told)
    if place.revisions is not None:
        found = place.revisions
        span = f"{counted(found.days, 'day')}, {found.first}…{found.last}"
        lines.append(
            f"finals differ from preliminaries by {found.rmse:.3f} (rms), {found.bias:+.3f} (mean): {span}"
        )
    return lines


def _when(init: str) -> str:
    return init.removesuffix("T00:00").replace("T", " ")

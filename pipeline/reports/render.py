"""From inputs to the page as a file."""

from __future__ import annotations

import base64
import difflib
import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from markupsafe import Markup

from pipeline.errors import ConfigError
from pipeline.publish.product import write_text
from pipeline.reports import SECTIONS, markup
from pipeline.reports.base import PerMovies, PerPage, PerRecords, PerRegion

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.reports.base import Section
    from pipeline.reports.collection_inputs import CollectionInputs
    from pipeline.reports.inputs import RegionInputs, ReportInputs
    from pipeline.reports.movies_inputs import MoviesInputs
    from pipeline.reports.records_inputs import RecordsInputs


@dataclass(frozen=True, slots=True)
class _Part:
    """A section with its place on the page."""

    id: str
    title: str
    html: Markup


@dataclass(frozen=True, slots=True)
class _RegionPart:
    id: str
    title: str
    sections: list[_Part]


_HEAD = 2048
"""Characters of a page within which it says what it was made from."""


def render(inputs: ReportInputs, path: Path, *, sections: Sequence[str] | None = None) -> Path:
    """Write the report to `path`, whole or not at all.

    Parameters
    ----------
    sections
        Names of SECTIONS; all by default. They stand in the registry's order. The overview is left out of a
        report on one region, and of each region those that do not apply to it.

    Raises
    ------
    ConfigError
        A section is unknown, or there is no region.
    DiskFullError
        There is no space left; an earlier report at `path` stays as it was.
    """
    write_text(path, page(inputs, sections=sections))
    return path


def is_current(path: Path, digest: str) -> bool:
    """Whether the report at `path` was made from what has this digest; see `inputs_digest`."""
    if not path.is_file():
        return False
    with path.open(encoding="utf-8") as opened:
        return f'content="{digest}"' in opened.read(_HEAD)


def page(inputs: ReportInputs, *, sections: Sequence[str] | None = None) -> str:
    """The whole page as text; see `render`."""
    if not inputs.regions and not inputs.records and not inputs.movies:
        raise ConfigError(
            f"experiment {inputs.experiment} has no region to report on",
            remedy=f"evaluate it first: isotherm evaluate {inputs.experiment}",
            experiment=inputs.experiment,
        )
    chosen = _known(sections)
    if len(inputs.regions) == 1:
        chosen = [name for name in chosen if name != "overview"]
    leading: list[_Part] = []
    closing: list[_Part] = []
    for name in chosen:
        entry = SECTIONS[name]
        if isinstance(entry, PerPage) and entry.when(inputs):
            (leading if entry.leads else closing).append(_part(name, entry.build(inputs)))
    script = _asset("page.js")
    return markup.ENVIRONMENT.get_template("page.html").render(
        inputs=inputs,
        leading=leading,
        regions=[
            *(_region_part(region, inputs, chosen) for region in inputs.regions),
            *(_records_part(records, inputs, chosen) for records in inputs.records),
            *(_movies_part(movies, inputs, chosen) for movies in inputs.movies),
        ],
        closing=closing,
        style=_asset("page.css"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _known(sections: Sequence[str] | None) -> list[str]:
    for name in sections or ():
        if name not in SECTIONS:
            near = difflib.get_close_matches(name, SECTIONS, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ConfigError(
                f"unknown report section {name!r}",
                remedy=f"{hint}The sections are {', '.join(SECTIONS)}",
                section=name,
            )
    return [name for name in SECTIONS if sections is None or name in sections]


def _part(part_id: str, section: Section) -> _Part:
    return _Part(part_id, section.title, Markup(section.html))  # noqa: S704 (a section's HTML is markup)


def _region_part(region: RegionInputs, inputs: ReportInputs, chosen: list[str]) -> _RegionPart:
    built = {
        name: entry.build(inputs, region)
        for name in chosen
        if isinstance(entry := SECTIONS[name], PerRegion) and entry.when(region)
    }
    return _with_sections(region, built)


def _records_part(records: RecordsInputs, inputs: ReportInputs, chosen: list[str]) -> _RegionPart:
    built = {
        name: entry.build(inputs, records)
        for name in chosen
        if isinstance(entry := SECTIONS[name], PerRecords)
    }
    return _with_sections(records, built)


def _movies_part(movies: MoviesInputs, inputs: ReportInputs, chosen: list[str]) -> _RegionPart:
    built = {
        name: entry.build(inputs, movies)
        for name in chosen
        if isinstance(entry := SECTIONS[name], PerMovies) and entry.when(movies)
    }
    return _with_sections(movies, built)


def _with_sections(of: RegionInputs | CollectionInputs, built: dict[str, Section]) -> _RegionPart:
    slug = markup.slug(of.name)
    parts = [_part(f"{slug}-{name.replace('_', '-')}", section) for name, section in built.items()]
    return _RegionPart(slug, of.title, parts)


def _asset(name: str) -> Markup:
    text = (resources.files("pipeline.reports") / "templates" / name).read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704 (our own file)

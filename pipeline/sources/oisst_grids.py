"""Movies of OISST's days: each sea's box brought to a small grid, and the days cut into sequences."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import GranuleError, GridError
from pipeline.grid import Grid
from pipeline.movies.base import MovieTable
from pipeline.movies.numbers import name_of
from pipeline.movies.sea_surface import SEA_SURFACE, axes
from pipeline.quality import inspect
from pipeline.quality.base import Context, Limits
from pipeline.records.base import Exclusion, SourceFile
from pipeline.regrid import Regridder
from pipeline.sources.oisst_decode import decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pipeline.sources.base import Fetched
    from pipeline.sources.oisst_sequences import OisstSequencesConfig
    from pipeline.types import Box, Field

    Values = NDArray[np.float32]

ALONE = ("structure", "grid", "units", "date", "range", "completeness")
"""Checks that need no day before."""


@dataclass
class _Days:
    """All days wanted: float32 (day, sea, y, x), from north to south, where each came from, and why one lacks."""

    first: np.datetime64
    values: Values
    source: NDArray[np.int32]
    refused: dict[int, tuple[str, str]] = field(default_factory=dict)
    """By day, the file and what is wrong with it."""


def grid_of(box: Box, height: int, width: int) -> Grid:
    """The grid of so many rows and columns that fills a box, in degrees; latitude ascends."""
    south, north = box.latitude
    rows = south + (np.arange(height) + 0.5) * (north - south) / height
    columns = box.longitude[0] + (np.arange(width) + 0.5) * box.width / width
    return Grid(rows, columns)


def decode_fields(files: Sequence[Fetched], config: OisstSequencesConfig) -> MovieTable:
    """Movies of the days of these files, a picture more than `config.days` each; a day that lacks leaves out its own.

    A cell is the mean of the sea below it, by area (`Regridder`, conservative); half of it must be sea.

    Raises
    ------
    GridError
        A cell has no sea below it on any day, or the files do not reach a box.
    """
    names, length = list(config.seas), config.days + 1
    days = _days(files, config)
    _require_sea(days, config)
    ids, pictures, sources, excluded = [], [], [], []
    for number, stretch, sea in _numbers(config):
        begin = stretch * config.days
        date = days.first + begin
        name = name_of(number, names[sea], str(date))
        movie = days.values[begin : begin + length, sea]
        lacks = np.flatnonzero(np.isnan(movie).any(axis=(1, 2)))
        if len(lacks):
            excluded.append(_left_out(name, days, begin + int(lacks[0]), movie[lacks[0]], files))
            continue
        ids.append(name)
        pictures.append((begin, movie))
        sources.append(days.source[begin : begin + length])
    size = (config.height, config.width)
    y, x = axes(*size)
    time = [days.first + begin + np.arange(length) for begin, _ in pictures]
    return MovieTable(
        ids=tuple(ids),
        offset=np.arange(len(ids) + 1, dtype=np.int64) * length,
        time=np.concatenate([np.empty(0, "datetime64[D]"), *time]).astype("datetime64[ns]"),
        values=np.concatenate([np.empty((0, *size), np.float32), *(movie for _, movie in pictures)]),
        picture=SEA_SURFACE,
        y=y,
        x=x,
        source=np.concatenate([np.empty(0, np.int32), *sources]),
        sources=tuple(SourceFile(url=each.granule.url, sha256=each.sha256) for each in files),
        exclusions=tuple(excluded),
    )


def _numbers(config: OisstSequencesConfig) -> Iterator[tuple[int, int, int]]:
    """Number, stretch of days and place of the sea of each sequence: all seas of a stretch, then the next."""
    seas = len(config.seas)
    for at in range(config.stretches * seas):
        yield at + 1, at // seas, at % seas


def _days(files: Sequence[Fetched], config: OisstSequencesConfig) -> _Days:
    wanted = config.period.days()
    size = (len(wanted), len(config.seas), config.height, config.width)
    found = _Days(wanted[0], np.full(size, np.nan, np.float32), np.full(len(wanted), -1, np.int32))
    known: tuple[Grid, list[Regridder]] | None = None
    for at, each in enumerate(files):
        promised = [int((np.datetime64(day) - found.first).astype(int)) for day in each.granule.days]
        try:
            part, refused = _checked(each, config)
        except GranuleError as error:
            found.refused |= dict.fromkeys(promised, (each.granule.name, error.message))
            continue
        grid = Grid(part.latitude, part.longitude)
        if known is None or not (
            np.array_equal(known[0].latitude, grid.latitude)
            and np.array_equal(known[0].longitude, grid.longitude)
        ):
            targets = (grid_of(box, config.height, config.width) for box in config.seas.values())
            known = grid, [Regridder(grid, target) for target in targets]
        for step, day in enumerate(part.time.astype("datetime64[D]")):
            place = int((day - found.first).astype(int))
            if not 0 <= place < len(wanted):
                continue
            if day.item() in refused:
                found.refused[place] = (each.granule.name, refused[day.item()])
                continue
            found.source[place] = at
            for sea, regrid in enumerate(known[1]):
                found.values[place, sea] = regrid(part.values[step])[::-1]
    return found


def _checked(each: Fetched, config: OisstSequencesConfig) -> tuple[Field, dict[object, str]]:
    """The field of a file, and its days that a check refuses.

    Raises
    ------
    GranuleError
        It cannot be read, or a check refuses all of it.
    """
    part = decode(each.path, each.granule, config.box)
    refused: dict[object, str] = {}
    for finding in inspect(part, Context(each.granule, Limits()), only=ALONE):
        if finding.severity == "refuse":
            said = f"{finding.check}: {finding.message}"
            if finding.day is None:
                raise GranuleError(said, check=finding.check)
            refused[finding.day] = said
    return part, refused


def _require_sea(days: _Days, config: OisstSequencesConfig) -> None:
    held = days.source >= 0
    for sea, name in enumerate(config.seas):
        if not held.any():
            return
        land = np.argwhere(np.isnan(days.values[held, sea]).all(axis=0))
        if len(land):
            row, column = land[0].tolist()
            raise GridError(
                f"{len(land)} of the {config.height} × {config.width} cells of {name} are on land on every day, the "
                f"first in row {row + 1} from the north and column {column + 1} from the west",
                remedy=f"move or shrink the box [source.seas.{name}], so that it holds sea alone",
                sea=name,
            )


def _left_out(name: str, days: _Days, place: int, picture: Values, files: Sequence[Fetched]) -> Exclusion:
    """Why a sequence lacks a day, the first of those that it lacks."""
    day = days.first + place
    if place in days.refused:
        file, said = days.refused[place]
        return Exclusion(
            record=name, check="refused", file=file, line=0, message=f"{day} was refused: {said}"
        )
    if days.source[place] < 0:
        return Exclusion(record=name, check="gap", file="", line=0, message=f"there is no file of {day}")
    file = files[int(days.source[place])].granule.name
    lacks = int(np.isnan(picture).sum())
    said = f"{lacks} of {picture.size} cells have no value on {day}"
    return Exclusion(record=name, check="missing", file=file, line=0, message=said)

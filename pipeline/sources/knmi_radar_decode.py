"""From KNMI's radar composites to movies of rain: what is not as promised is left out by name."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import ConfigError, GranuleError
from pipeline.movies.assemble import Frame, assemble
from pipeline.movies.base import Axis, Picture
from pipeline.movies.decibels import UNITS as RAIN
from pipeline.records.base import Exclusion, SourceFile
from pipeline.sources.knmi_radar_file import COUNT, HIGHEST, PER_HOUR, STEP, UnusableError, read_composite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.movies.base import MovieTable
    from pipeline.sources.base import Fetched
    from pipeline.sources.knmi_radar_file import Composite, Ground

    Span = tuple[int, int] | None

MOVIE = "rain"


def decode(
    files: Sequence[Fetched], *, rows: Span = None, columns: Span = None, factor: int = 1
) -> MovieTable:
    """Movies of rain rate, mm h-1, of composites in the order of their time.

    A file that cannot be read, has another calibration than GEO = 0.01·PV, another period than 5 minutes or another
    grid than most, knows no pixel, or is of the time of another is among the exclusions. Where one lacks, another
    movie begins.

    Parameters
    ----------
    rows, columns, factor
        As `KnmiRadarConfig` has them.

    Raises
    ------
    GranuleError
        No file is left.
    ConfigError
        The rows or columns reach beyond the composites, or are no multiple of the factor.
    """
    found: list[Composite] = []
    left_out: list[Exclusion] = []
    for at, file in enumerate(files):
        try:
            found.append(_summed(read_composite(file, at), rows, columns, factor))
        except UnusableError as error:
            left_out.append(_exclusion(file, error.check, error.message))
    if found:
        found, others = _on_one_ground(found)
        left_out += others
        found, others = _one_a_time(found)
        left_out += others
    if not found:
        raise GranuleError(
            f"none of {len(files)} files could be used; the first: {left_out[0].file} {left_out[0].message}"
            if left_out
            else "there is no radar composite",
            remedy="name files of 5-minute accumulations, such as RAD_NL25_RAP_5min_201008260000.h5",
            check=left_out[0].check if left_out else "structure",
        )
    ground = found[0].ground
    box = _box(ground.shape, rows, columns)
    for name, (first, last), size in zip(("rows", "columns"), box, ground.shape, strict=True):
        if last > size or (last - first) % factor:
            raise ConfigError(
                f"source knmi-radar: {name} {first} to {last} do not fit into {size} in squares of {factor}",
                remedy=f"give {name} within 0 to {size}, of which there is a multiple of {factor}",
                key=name,
            )
    y, x = (_axis(name, ground, span, factor) for name, span in zip(("y", "x"), box, strict=True))
    return assemble(
        [_frame(each, factor) for each in found],
        picture=picture(factor),
        y=y,
        x=x,
        sources=[SourceFile(url=each.granule.url, sha256=each.sha256) for each in files],
        exclusions=left_out,
    )


def picture(factor: int) -> Picture:
    """What is shown where squares of `factor` pixels are averaged."""
    return Picture(
        name="rain_rate",
        long_name="rain rate",
        units=RAIN,
        low=0,
        high=HIGHEST,
        step=STEP,
        scale=COUNT * PER_HOUR / factor**2,
        shown=(0, 8),
    )


def _on_one_ground(found: list[Composite]) -> tuple[list[Composite], list[Exclusion]]:
    usual = Counter(each.ground for each in found).most_common(1)[0][0]
    left_out = [
        _exclusion(
            each.file,
            "size" if each.ground.shape != usual.shape else "grid",
            f"is of {each.ground}, and most are of {usual}"
            if str(each.ground) != str(usual)
            else "lies elsewhere than most, or in another projection",
        )
        for each in found
        if each.ground != usual
    ]
    return [each for each in found if each.ground == usual], left_out


def _one_a_time(found: list[Composite]) -> tuple[list[Composite], list[Exclusion]]:
    """Of files of one time the first, where they show the same; none, where they do not."""
    kept, left_out = [], []
    by_time: dict[np.datetime64, list[Composite]] = {}
    for each in sorted(found, key=lambda each: (each.time, each.file.granule.name, each.source)):
        by_time.setdefault(each.time, []).append(each)
    for time, (first, *others) in by_time.items():
        if all(np.array_equal(first.counts, each.counts) for each in others):
            kept.append(first)
            check, said, told = "repeated", f"shows {time} as {first.file.granule.name} does", others
        else:
            names = ", ".join(each.file.granule.name for each in (first, *others))
            check, said = "conflict", f"shows {time} otherwise than another of {names}; none of them is taken"
            told = [first, *others]
        left_out += [_exclusion(each.file, check, said) for each in told]
    return kept, left_out


def _box(shape: tuple[int, int], rows: Span, columns: Span) -> tuple[tuple[int, int], tuple[int, int]]:
    return rows or (0, shape[0]), columns or (0, shape[1])


def _summed(composite: Composite, rows: Span, columns: Span, factor: int) -> Composite:
    """With sums of squares in place of its pixels, so that few are held; with none where the box does not fit."""
    box = _box(composite.ground.shape, rows, columns)
    fits = all(last <= size for (_, last), size in zip(box, composite.ground.shape, strict=True))
    if not fits or any((last - first) % factor for first, last in box):
        return replace(composite, counts=np.empty((0, 0), np.int64), known=np.empty((0, 0), bool))
    part = tuple(slice(*span) for span in box)
    down, across = ((last - first) // factor for first, last in box)
    squares = (down, factor, across, factor)
    return replace(
        composite,
        counts=composite.counts[part].reshape(squares).sum(axis=(1, 3), dtype=np.int64),
        known=np.asarray(composite.known[part].reshape(squares).all(axis=(1, 3))),
    )


def _axis(name: Any, ground: Ground, span: tuple[int, int], factor: int) -> Axis:
    down = name == "y"
    size = abs(ground.pixel[1 if down else 0])
    middles = ground.offset[0 if down else 1] + np.arange(span[0], span[1], factor) + factor / 2
    origin = "south of the pole" if down else "east of the prime meridian"
    return Axis(
        name=name,
        long_name=f"distance {origin} in the plane of the projection",
        units="km",
        values=tuple((size * middles).tolist()),
    )


def _frame(composite: Composite, factor: int) -> Frame:
    rate = composite.counts * (COUNT * PER_HOUR / factor**2)
    return Frame(
        movie=MOVIE,
        values=np.where(composite.known, rate, np.nan).astype(np.float32),
        time=composite.time.astype("datetime64[ns]"),
        file=composite.file.granule.name,
        source=composite.source,
    )


def _exclusion(file: Fetched, check: str, message: str) -> Exclusion:
    return Exclusion(record=file.granule.name, check=check, file=file.granule.name, line=0, message=message)

"""Sequences of days over small grids of several seas, cut from OISST, or read from numbered tables.

The seas and the sizes are those of Deeplearning4j's tutorial on sea temperatures, whose archive has them as
`features/N.csv` and `targets/N.csv` (`pipeline/movies/numbered_csv.py`). How its grids were laid is not published, nor
is the order of its numbers: here numbers go through the seas of a stretch of days, then on to the next stretch, so
that a split by number is one by time.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field, PositiveInt, model_validator

from pipeline.errors import ConfigError
from pipeline.movies.sea_surface import SEA_SURFACE
from pipeline.sources import local
from pipeline.sources.archives import is_gzip, is_zip
from pipeline.sources.mirrors import Mirrors
from pipeline.sources.netcdf import content_complaint as netcdf_complaint
from pipeline.sources.oisst import ADDRESSES, Mirror, Oisst, OisstConfig
from pipeline.types import Box, TimeRange

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pipeline.movies.base import MovieTable
    from pipeline.sources.base import Fetched, Granule

RECORD_START = dt.date(1981, 9, 1)


class OisstSequencesConfig(Mirrors[Mirror]):
    """Which seas and days, and where they are taken from."""

    public = ADDRESSES

    mirrors: tuple[Mirror, ...] = ("open-data", "ncei", "psl", "erddap")
    """In order of preference."""
    seas: dict[str, Box] = Field(default_factory=dict)
    """The box that each sea's grid fills, in the order of the numbers; of numbered tables none is needed."""
    height: PositiveInt = 13
    """Rows of a grid, from north to south."""
    width: PositiveInt = 4
    """Columns of a grid, from west to east."""
    days: PositiveInt = 50
    """Days of a sequence; each is given with the day after it."""
    start: dt.date = RECORD_START
    """The first day of the first sequence; the next begins where the last given day was."""
    stretches: PositiveInt = 263
    """Sequences of each sea."""

    @model_validator(mode="after")
    def _named(self) -> Self:
        if any(not name or " " in name for name in self.seas):
            raise ValueError("names of seas are words without spaces")
        return self

    @property
    def period(self) -> TimeRange:
        """All days that are needed."""
        return TimeRange(start=self.start, end=self.start + dt.timedelta(days=self.days * self.stretches))

    @property
    def box(self) -> Box:
        """A box that holds every sea."""
        south, north = zip(*(each.latitude for each in self.seas.values()), strict=True)
        west, east = zip(*(each.longitude for each in self.seas.values()), strict=True)
        latitude = min(south), max(north)
        if any(one > other for one, other in zip(west, east, strict=True)):
            return Box(latitude=latitude, longitude=(0, 360))
        return Box(latitude=latitude, longitude=(min(west), max(east)))


class OisstSequences:
    """The source `oisst-sequences`; see `pipeline.sources.base.MovieSource`."""

    name = "oisst-sequences"
    units = SEA_SURFACE.units
    Config: ClassVar = OisstSequencesConfig

    def __init__(self, config: OisstSequencesConfig | None = None) -> None:
        self.config = config or OisstSequencesConfig()
        self.mirrors: tuple[str, ...] = self.config.mirrors

    def list_granules(self, mirror: str, read: Callable[[str], bytes]) -> Sequence[Granule]:
        """The files of OISST that the days are in, or numbered tables and archives of them among local files.

        Raises
        ------
        ConfigError
            An unknown mirror, no seas, or a glob that matches no file, or both tables and fields.
        FetchError, GranuleError
            As `Oisst.list_granules`.
        """
        if mirror == "files":
            tables = _tables(self.config.files)
            if tables:
                return tables
        if not self.config.seas:
            raise ConfigError(
                f"{self.name} names no seas",
                remedy="add [source.seas.NAME] with latitude and longitude, or give numbered tables with --from-files",
                key="seas",
            )
        return self.fields.list_granules(mirror, self.config.period, self.config.box, read)

    @property
    def fields(self) -> Oisst:
        """Where the days come from."""
        given: dict[str, Any] = {name: getattr(self.config, name) for name in OisstConfig.model_fields}
        return Oisst(OisstConfig(**given))

    def decode_movies(self, files: Sequence[Fetched]) -> MovieTable:
        """Movies of a picture more than `days`, of the numbered tables or of the days among `files`.

        Raises
        ------
        GranuleError
            An archive cannot be read.
        GridError
            A box lies on land, or outside of what the files hold.
        """
        from pipeline.sources.numbered_sequences import decode_tables
        from pipeline.sources.oisst_grids import decode_fields

        if files and _is_table(files[0].path):
            return decode_tables(files, self.config)
        return decode_fields(files, self.config)

    def content_complaint(self, head: bytes) -> str:
        """What is wrong with a file that begins so; empty where it may be an OISST file, a table or an archive."""
        complaint = netcdf_complaint(head)
        if not complaint or is_zip(head) or is_gzip(head):
            return ""
        printable = not head.startswith(b"<") and b"\0" not in head
        return "" if printable else complaint


def _is_table(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(64)
    return is_zip(head) or is_gzip(head) or bool(netcdf_complaint(head))


def _tables(globs: Sequence[str]) -> list[Granule]:
    """The numbered tables and archives among local files; none where these are fields."""
    paths = local.matching(
        globs,
        within=_within,
        wanted="numbered table",
        remedy="name the folder that has features/ and targets/, their archive, or files of OISST as 'folder/*.nc'",
    )
    chosen = [path for path in paths if _is_named_as_table(path)]
    if chosen and len(chosen) < len(paths):
        other = next(path for path in paths if path not in chosen)
        raise ConfigError(
            f"{other!r} is neither a numbered table nor an archive of them, as {chosen[0]!r} is",
            remedy="give either tables and archives, or files of OISST",
            given=other,
        )
    return [local.granule(path) for path in chosen]


def _within(folder: Path) -> list[Path]:
    """The tables in a folder, however deep."""
    return [path for path in sorted(folder.rglob("*")) if path.suffix.lower() == ".csv"]


def _is_named_as_table(path: str) -> bool:
    return path.lower().endswith((".csv", ".zip", ".tar.gz", ".tgz"))

"""Rain over the Netherlands: KNMI's composites of precipitation radars, accumulations of 5 minutes on a grid of 1 km.

A file holds one composite. KNMI gives them out to those who ask with a key of their own, so that there is no public
address here: they are read from files, or from any folder on the web that lists them.
Reference: https://dataplatform.knmi.nl; the files are in KNMI's own form of HDF5, version 3.5.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Literal, Self, get_args

from pydantic import NonNegativeInt, PositiveInt, model_validator

from pipeline.errors import ConfigError
from pipeline.movies.decibels import UNITS as RAIN
from pipeline.sources import knmi_radar_decode, knmi_radar_file, local
from pipeline.sources.base import Granule
from pipeline.sources.mirrors import Mirrors
from pipeline.types import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.movies.base import MovieTable
    from pipeline.sources.base import Fetched

Mirror = Literal["web", "files"]

SUFFIX = ".h5"
_LINK = re.compile(rb'href="([^"/?]+\.h5)"', re.IGNORECASE)


class KnmiRadarConfig(Mirrors[Mirror]):
    """Where the composites are taken from, and which part of them.

    Parameters
    ----------
    rows, columns
        Pixels of the composite that are kept, from the first to before the last, rows from the north; all of them
        where not given. A box around what the radars cover saves the rest.
    factor
        Side in pixels of the squares that are averaged into one cell, which is known where all its pixels are.
    """

    public = {"web": ""}  # noqa: RUF012  as the base has it

    mirrors: tuple[Mirror, ...] = ("web",)
    rows: tuple[NonNegativeInt, PositiveInt] | None = None
    columns: tuple[NonNegativeInt, PositiveInt] | None = None
    factor: PositiveInt = 1

    @model_validator(mode="after")
    def _whole_cells(self) -> Self:
        for name in ("rows", "columns"):
            span = getattr(self, name)
            if span is None:
                continue
            if span[1] <= span[0]:
                raise ValueError(
                    f"{name} = {list(span)} holds no pixel; write the first, and the one after the last"
                )
            if (span[1] - span[0]) % self.factor:
                raise ValueError(
                    f"{name} = {list(span)} are {span[1] - span[0]} pixels, no multiple of {self.factor}"
                )
        return self


class KnmiRadar:
    """The source `knmi-radar`; see `pipeline.sources.base.MovieSource`."""

    name = "knmi-radar"
    units = RAIN
    Config: ClassVar = KnmiRadarConfig

    def __init__(self, config: KnmiRadarConfig | None = None) -> None:
        self.config = config or KnmiRadarConfig()
        self.mirrors: tuple[str, ...] = self.config.mirrors

    def list_granules(self, mirror: str, read: Callable[[str], bytes]) -> Sequence[Granule]:
        """The composites of a folder on the web by its index, or those of the globs, by name.

        Raises
        ------
        ConfigError
            An unknown mirror, a folder on the web without an address, or a glob that matches no file.
        """
        match mirror:
            case "files":
                return [local.granule(path) for path in local.matching(self.config.files)]
            case "web":
                return self._listed(read)
            case _:
                known = ", ".join(get_args(Mirror))
                raise ConfigError(
                    f"knmi-radar has no mirror {mirror!r}", remedy=f"known: {known}", given=mirror
                )

    def decode_movies(self, files: Sequence[Fetched]) -> MovieTable:
        """See `pipeline.sources.knmi_radar_decode.decode`."""
        config = self.config
        return knmi_radar_decode.decode(files, rows=config.rows, columns=config.columns, factor=config.factor)

    def content_complaint(self, head: bytes) -> str:
        """See `pipeline.sources.knmi_radar_file.content_complaint`."""
        return knmi_radar_file.content_complaint(head)

    def _listed(self, read: Callable[[str], bytes]) -> list[Granule]:
        base = self.config.address("web")
        if not base:
            raise ConfigError(
                "KNMI's radar composites have no public address",
                remedy="name files with --from-files 'folder/*.h5', a mirror with --mirror, or a folder on the web as "
                '[source.addresses] web = "…"',
            )
        names = sorted({each.decode() for each in _LINK.findall(read(f"{base}/"))})
        return [Granule("web", f"{base}/{name}", (), Status.FINAL) for name in names]

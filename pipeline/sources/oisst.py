"""NOAA OISST daily sea-surface temperature, v2 and v2.1, from four mirrors or from local files.

References: Huang et al. 2021, doi:10.1175/JCLI-D-20-0166.1; the data, doi:10.25921/RE9P-PT57.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, get_args

from pipeline.errors import ConfigError
from pipeline.sources import oisst_decode, oisst_files, oisst_subsets
from pipeline.sources.mirrors import Mirrors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pipeline.sources.base import Granule
    from pipeline.types import Box, Field, TimeRange

Mirror = Literal["open-data", "ncei", "psl", "erddap", "files"]

ADDRESSES: dict[str, str] = {
    "open-data": "https://noaa-cdr-sea-surface-temp-optimum-interpolation-pds.s3.amazonaws.com",
    "ncei": "https://www.ncei.noaa.gov/data/sea-surface-temperature-optimum-interpolation/v2.1/access/avhrr",
    "psl": "https://downloads.psl.noaa.gov/Datasets/noaa.oisst.v2.highres",
    "erddap": "https://coastwatch.pfeg.noaa.gov/erddap/griddap",
}


class OisstConfig(Mirrors[Mirror]):
    """Where OISST is taken from."""

    public = ADDRESSES

    mirrors: tuple[Mirror, ...] = ("open-data", "ncei", "psl", "erddap")
    """In order of preference."""


class Oisst:
    """The source `oisst`; see `pipeline.sources.base.Source`."""

    name = "oisst"
    Config: ClassVar = OisstConfig

    def __init__(self, config: OisstConfig | None = None) -> None:
        self.config = config or OisstConfig()
        self.mirrors: tuple[str, ...] = self.config.mirrors

    def list_granules(
        self, mirror: str, period: TimeRange, box: Box, read: Callable[[str], bytes]
    ) -> Sequence[Granule]:
        """The granules of `mirror` that hold days of `period`, by day; finals where there are any.

        Open data and NCEI give one a day; PSL, ERDDAP (cut to `box`) and longer local files one a month, of
        which several share an address.

        Raises
        ------
        ConfigError
            An unknown mirror, or a glob of local files that matches none.
        FetchError
            A listing cannot be had, or is not one.
        GranuleError
            A local file's time axis cannot be read.
        """
        match mirror:
            case "files":
                return oisst_files.list_files(self.config.files, period)
            case "open-data":
                return oisst_files.list_open_data(self.config.address("open-data"), period, read)
            case "ncei":
                return oisst_files.list_ncei(self.config.address("ncei"), period, read)
            case "psl":
                return oisst_subsets.list_psl(self.config.address("psl"), period, read)
            case "erddap":
                return oisst_subsets.list_erddap(self.config.address("erddap"), period, box, read)
            case _:
                known = ", ".join(get_args(Mirror))
                raise ConfigError(f"oisst has no mirror {mirror!r}", remedy=f"known: {known}", given=mirror)

    def decode(self, path: Path, granule: Granule, box: Box) -> Field:
        """See `pipeline.sources.oisst_decode.decode`."""
        return oisst_decode.decode(path, granule, box)

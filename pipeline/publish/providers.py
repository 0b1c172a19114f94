"""Whose observations a product rests on, by the name of the source: PROVIDERS says how they are credited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import ConfigError
from pipeline.naming import unknown

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider of observations.

    Parameters
    ----------
    record
        What people call the observations.
    name
        Who provides them.
    acknowledgement
        As the provider wants it.
    reference
        Address of a description.
    keywords
        Of the GCMD vocabulary, beside `forecast`.
    processing_level
        As remote sensing counts them; empty where it does not.
    comment
        What a user has to know.
    ahead_of_utc
        Hours that the record's clock is ahead of UTC, in which products are published.
    """

    record: str
    name: str
    acknowledgement: str
    reference: str
    keywords: str
    processing_level: str
    comment: str
    ahead_of_utc: int = 0

    def utc(self, time: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
        """Times of the record in UTC."""
        return time - np.timedelta64(self.ahead_of_utc, "h")


PROVIDERS: dict[str, Provider] = {
    "oisst": Provider(
        record="NOAA OISST",
        name="NOAA National Centers for Environmental Information",
        acknowledgement="NOAA OI SST V2.1 data provided by NOAA National Centers for Environmental Information, "
        "doi:10.25921/RE9P-PT57",
        reference="https://doi.org/10.25921/RE9P-PT57",
        keywords="Earth Science > Oceans > Ocean Temperature > Sea Surface Temperature",
        processing_level="Level 4",
        comment="Land has no value.",
    ),
    "jena": Provider(
        record="the Jena weather station",
        name="Max Planck Institute for Biogeochemistry, Jena",
        acknowledgement="Weather observations provided by the Max Planck Institute for Biogeochemistry, Jena, "
        "https://www.bgc-jena.mpg.de/wetter/",
        reference="https://www.bgc-jena.mpg.de/wetter/",
        keywords="Earth Science > Atmosphere",
        processing_level="",
        comment="Times are UTC; the station's own clock, which the report shows, is UTC+1 all year.",
        ahead_of_utc=1,
    ),
}


def provider(source: str) -> Provider:
    """The provider of a source.

    Raises
    ------
    ConfigError
        The source has none.
    """
    if source not in PROVIDERS:
        raise unknown("provider of the source", source, PROVIDERS, ConfigError)
    return PROVIDERS[source]

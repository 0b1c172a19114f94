"""Global attributes of a product after ACDD-1.3, for finding and crediting it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.lineage import ATTRIBUTE
from pipeline.types import Spec

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from pipeline.lineage import Lineage

CONVENTIONS = "CF-1.11, ACDD-1.3"
_DAY = np.timedelta64(1, "D")


class Credits(Spec):
    """Who publishes, and on which terms; what is empty is left out of the products.

    Parameters
    ----------
    naming_authority
        Reversed domain name of the publisher, which makes the products' ids unique.
    """

    institution: str = "Isotherm"
    creator_name: str = "Isotherm"
    creator_email: str = ""
    creator_url: str = ""
    publisher_name: str = "Isotherm"
    publisher_email: str = ""
    publisher_url: str = ""
    naming_authority: str = "isotherm"
    project: str = "Isotherm"
    license: str = "https://creativecommons.org/licenses/by/4.0/"
    acknowledgement: str = (
        "NOAA OI SST V2.1 data provided by NOAA National Centers for Environmental Information, "
        "doi:10.25921/RE9P-PT57"
    )


def bounds(centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges of cells (cell, 2), halfway between their evenly spaced centres (at least two)."""
    middles = (centres[:-1] + centres[1:]) / 2
    first, last = 2 * centres[0] - middles[0], 2 * centres[-1] - middles[-1]
    edges = np.concatenate([[first], middles, [last]])
    return np.stack([edges[:-1], edges[1:]], axis=1)


def product_attributes(forecast: xr.Dataset, lineage: Lineage, terms: Credits) -> dict[str, Any]:
    """Global attributes of a product made from `forecast`, a dataset of the archive."""
    lead = forecast.lead_time.values
    inits = forecast.init_time.values
    days = round(float(lead[-1] / _DAY))
    start, end = inits[0] + lead[0], inits[-1] + lead[-1]
    when = str(inits[-1].astype("datetime64[D]"))
    latitude, longitude = forecast.latitude.values, forecast.longitude.values
    issued = forecast.issued_at.values.max()
    given = {
        "Conventions": CONVENTIONS,
        "title": f"{days}-day forecast of sea surface temperature, {lineage.region}, from {when}",
        "summary": (
            f"Daily mean sea surface temperature of {lineage.region} for {days} days after {when}, forecast by "
            f"{lineage.model.name} from the {lineage.windows.history} days up to then of NOAA OISST."
        ),
        "keywords": "Earth Science > Oceans > Ocean Temperature > Sea Surface Temperature, forecast",
        "keywords_vocabulary": "GCMD Science Keywords",
        "standard_name_vocabulary": "CF Standard Name Table v93",
        "id": f"{lineage.experiment}.{lineage.region}.{when}",
        "cdm_data_type": "Grid",
        "source": f"Isotherm {lineage.isotherm_version}, {lineage.model.name} {lineage.model.id}, on NOAA OISST",
        "processing_level": "Level 4",
        "history": f"{_iso(issued)} forecast by isotherm {lineage.isotherm_version}",
        "comment": "Land has no value. The attribute `lineage` leads back to the source files.",
        "references": "https://doi.org/10.25921/RE9P-PT57",
        "program": terms.project,
        "creator_type": "institution",
        "creator_institution": terms.institution,
        "publisher_type": "institution",
        "publisher_institution": terms.institution,
        "contributor_name": "NOAA National Centers for Environmental Information",
        "contributor_role": "provider of the observations",
        "metadata_link": "https://doi.org/10.25921/RE9P-PT57",
        "date_created": _iso(issued),
        "date_issued": _iso(issued),
        "date_modified": _iso(issued),
        "date_metadata_modified": _iso(issued),
        "time_coverage_start": _iso(start),
        "time_coverage_end": _iso(end),
        "time_coverage_duration": f"P{round(float((end - start) / _DAY)) + 1}D",
        "time_coverage_resolution": "P1D",
        "geospatial_lat_min": float(latitude.min()),
        "geospatial_lat_max": float(latitude.max()),
        "geospatial_lat_units": "degrees_north",
        "geospatial_lat_resolution": float(np.diff(latitude).mean()),
        "geospatial_lon_min": float(longitude.min()),
        "geospatial_lon_max": float(longitude.max()),
        "geospatial_lon_units": "degrees_east",
        "geospatial_lon_resolution": float(np.diff(longitude).mean()),
        "geospatial_bounds": _polygon(bounds(latitude), bounds(longitude)),
        "geospatial_bounds_crs": "EPSG:4326",
        ATTRIBUTE: lineage.model_dump_json(),
    }
    return {key: value for key, value in (given | terms.model_dump()).items() if value != ""}


def _polygon(latitude: NDArray[np.float64], longitude: NDArray[np.float64]) -> str:
    """Outline of the cells' edges; latitude comes first, as in EPSG:4326."""
    south, north, west, east = latitude.min(), latitude.max(), longitude.min(), longitude.max()
    corners = ((south, west), (north, west), (north, east), (south, east), (south, west))
    return "POLYGON ((" + ", ".join(f"{lat:g} {lon:g}" for lat, lon in corners) + "))"


def _iso(moment: np.datetime64) -> str:
    return f"{moment.astype('datetime64[s]')}Z"

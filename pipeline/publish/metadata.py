"""Global attributes of a product after ACDD-1.3, for finding and crediting it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pipeline.forecasts.archive import field_of
from pipeline.lineage import ATTRIBUTE
from pipeline.types import Spec

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from pipeline.lineage import Lineage
    from pipeline.publish.providers import Provider

CONVENTIONS = "CF-1.11, ACDD-1.3"
_DAY = np.timedelta64(1, "D")
_HOUR = np.timedelta64(1, "h")


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
    acknowledgement: str = ""
    """The observations' provider's where empty."""


def bounds(centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges of cells (cell, 2), halfway between their evenly spaced centres (at least two)."""
    middles = (centres[:-1] + centres[1:]) / 2
    first, last = 2 * centres[0] - middles[0], 2 * centres[-1] - middles[-1]
    edges = np.concatenate([[first], middles, [last]])
    return np.stack([edges[:-1], edges[1:]], axis=1)


def is_point(data: xr.Dataset) -> bool:
    """Whether it is of a single place, which has no cell with edges."""
    return bool(data.sizes["latitude"] == data.sizes["longitude"] == 1)


def product_attributes(
    forecast: xr.Dataset, lineage: Lineage, observed: Provider, terms: Credits
) -> dict[str, Any]:
    """Global attributes of a product made from `forecast`, a dataset of the archive with its times in UTC."""
    issued = _iso(forecast.issued_at.values.max())
    given = {
        "Conventions": CONVENTIONS,
        **_words(forecast, lineage, observed),
        "keywords_vocabulary": "GCMD Science Keywords",
        "standard_name_vocabulary": "CF Standard Name Table v93",
        "cdm_data_type": "Station" if is_point(forecast) else "Grid",
        "processing_level": observed.processing_level,
        "history": f"{issued} forecast by isotherm {lineage.isotherm_version}",
        "acknowledgement": observed.acknowledgement,
        "references": observed.reference,
        "program": terms.project,
        "creator_type": "institution",
        "creator_institution": terms.institution,
        "publisher_type": "institution",
        "publisher_institution": terms.institution,
        "contributor_name": observed.name,
        "contributor_role": "provider of the observations",
        "metadata_link": observed.reference,
        "date_created": issued,
        "date_issued": issued,
        "date_modified": issued,
        "date_metadata_modified": issued,
        **_times(forecast),
        **_place(forecast),
        ATTRIBUTE: lineage.model_dump_json(),
    }
    told = {key: value for key, value in terms.model_dump().items() if value != ""}
    return {key: value for key, value in (given | told).items() if value != ""}


def _words(forecast: xr.Dataset, lineage: Lineage, observed: Provider) -> dict[str, str]:
    """What a reader is told."""
    what, when = quantity_of(forecast), newest_init(forecast)
    leads = forecast.lead_time.values
    daily = not is_point(forecast) and not np.any(leads % _DAY)
    if daily:
        days = round(float(leads[-1] / _DAY))
        title = f"{days}-day forecast of {what}, {lineage.region}, from {when}"
        kind, span, history = f"Daily mean {what}", f"for {days} days after {when}", "days"
    else:
        hours = round(float(leads[-1] / _HOUR))
        when = f"{when.replace('T', ' ')} UTC"
        title = f"{hours}-hour forecast of {what}, {lineage.region}, from {when}"
        kind, history = what[:1].upper() + what[1:], "samples"
        span = f"{'for' if len(leads) > 1 else 'at'} {hours} hours after {when}"
    return {
        "title": title,
        "summary": (
            f"{kind} of {lineage.region} {span}, forecast by {lineage.model.name} from the "
            f"{lineage.windows.history} {history} up to then of {observed.record}."
        ),
        "keywords": f"{observed.keywords}, forecast",
        "id": f"{lineage.experiment}.{lineage.region}.{newest_init(forecast)}",
        "source": (
            f"Isotherm {lineage.isotherm_version}, {lineage.model.name} {lineage.model.id}, on {observed.record}"
        ),
        "comment": f"{observed.comment} The attribute `lineage` leads back to the source files.",
    }


def quantity_of(forecast: xr.Dataset) -> str:
    """What is forecast, in words."""
    attrs = field_of(forecast).attrs
    named = str(attrs.get("standard_name") or "").replace("_", " ")
    return named or str(attrs["long_name"]).removeprefix("forecast of ")


def newest_init(data: xr.Dataset) -> str:
    """The last init time: an ISO day, of a station with hour and minute."""
    unit: Literal["m", "D"] = "m" if is_point(data) else "D"
    return str(np.datetime_as_string(data.init_time.values[-1], unit=unit))


def _times(forecast: xr.Dataset) -> dict[str, str]:
    """What time is covered: whole days of daily means, else from the first to the last valid time."""
    lead, inits = forecast.lead_time.values, forecast.init_time.values
    start, end = inits[0] + lead[0], inits[-1] + lead[-1]
    steps = {*np.diff(lead)}
    if np.any(lead % _DAY) or is_point(forecast):
        every = round(float(min(steps) / _HOUR)) if steps else 0
        duration, resolution = f"PT{round(float((end - start) / _HOUR))}H", f"PT{every}H" if every else ""
    else:
        duration, resolution = f"P{round(float((end - start) / _DAY)) + 1}D", "P1D"
    return {
        "time_coverage_start": _iso(start),
        "time_coverage_end": _iso(end),
        "time_coverage_duration": duration,
        "time_coverage_resolution": resolution,
    }


def _place(forecast: xr.Dataset) -> dict[str, Any]:
    """Where it lies."""
    found: dict[str, Any] = {}
    for axis, name, units in (("lat", "latitude", "degrees_north"), ("lon", "longitude", "degrees_east")):
        values = forecast[name].values
        found |= {
            f"geospatial_{axis}_min": float(values.min()),
            f"geospatial_{axis}_max": float(values.max()),
            f"geospatial_{axis}_units": units,
        }
        if len(values) > 1:
            found[f"geospatial_{axis}_resolution"] = float(np.diff(values).mean())
    latitude, longitude = forecast.latitude.values, forecast.longitude.values
    outline = (
        f"POINT ({latitude[0]:g} {longitude[0]:g})"
        if is_point(forecast)
        else _polygon(bounds(latitude), bounds(longitude))
    )
    return found | {"geospatial_bounds": outline, "geospatial_bounds_crs": "EPSG:4326"}


def _polygon(latitude: NDArray[np.float64], longitude: NDArray[np.float64]) -> str:
    """Outline of the cells' edges; latitude comes first, as in EPSG:4326."""
    south, north, west, east = latitude.min(), latitude.max(), longitude.min(), longitude.max()
    corners = ((south, west), (north, west), (north, east), (south, east), (south, west))
    return "POLYGON ((" + ", ".join(f"{lat:g} {lon:g}" for lat, lon in corners) + "))"


def _iso(moment: np.datetime64) -> str:
    return f"{moment.astype('datetime64[s]')}Z"

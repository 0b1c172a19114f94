"""The STAC catalog of what is published: an entry appears when all that it leads to is in place.

References
----------
SpatioTemporal Asset Catalog 1.1, https://github.com/radiantearth/stac-spec.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pystac

from pipeline.errors import StoreError
from pipeline.lineage import ASSET, ATTRIBUTE
from pipeline.location import is_remote, local_copy
from pipeline.publish.footprint import Footprint, as_bbox, enclosing
from pipeline.publish.metadata import is_point, newest_init
from pipeline.publish.product import update_text, write_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import xarray as xr

    from pipeline.evaluation.verdict import Verdict

ZARR = f"{pystac.MediaType.VND_ZARR}; version=3"
LATEST = "latest-version"
ABOUT = "Verified forecasts, each with its scores and its lineage."
_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, slots=True)
class Entry:
    """What an item of the catalog leads to, all of it inside the catalog's folder and in place.

    Parameters
    ----------
    forecast
        A product of one init time, made by `export`.
    scores, report
        None where there are none.
    verdict
        On the model of the region, whether it or the best rung made the forecast; None where it was not scored.
    """

    forecast: Path
    scores: Path | None = None
    report: Path | None = None
    verdict: Verdict | None = None


def add_entry(
    root: Path, entry: Entry, *, title: str, description: str, spdx_license: str = "CC-BY-4.0"
) -> Path:
    """Enter a forecast into the catalog under `root`: catalog → experiment → region and init time.

    An entry of the same region and init time is replaced in one step; the products that it led to stay. The
    collection's links of relation `latest-version`, one a region with the region as title, lead to the
    newest init time.

    Parameters
    ----------
    title, description
        Of the experiment, as its collection has them.
    spdx_license
        Its SPDX identifier, or `other`.

    Returns
    -------
    Path
        Of the item.

    Raises
    ------
    StoreError
        The product has not exactly one init time or no lineage, or an asset lies outside `root`.
    DiskFullError
        There is no space; the catalog is as it was.
    """
    item, experiment, region = _item(root, entry)
    place = f"{experiment}/{region}/{item.id}/{item.id}.json"
    for asset in item.assets.values():
        asset.href = _relative(root, place, asset.href)
    _relate(item, place, parent="collection.json", up=2)
    item.collection_id = experiment
    href = f"./{region}/{item.id}/{item.id}.json"
    about = {"title": title, "description": description, "license": spdx_license}
    with _writing(root):
        # From the leaf to the root: no reader follows a link to what is not there yet.
        write_text(root / place, _json(item))
        update_text(
            root / experiment / "collection.json", lambda held: _json(_collection(held, item, href, about))
        )
        update_text(root / "catalog.json", lambda held: _json(_catalog(held, experiment, title)))
    return root / place


def _item(root: Path, entry: Entry) -> tuple[pystac.Item, str, str]:
    import xarray as xr

    with local_copy(entry.forecast) as near, xr.open_zarr(near, chunks=None) as product:
        init, when = product.init_time.values, newest_init(product)
        valid = np.sort(product.valid_time.values.ravel())
        leads = product.lead_time.values
        footprint = _footprint(product)
        attrs = product.attrs
    if len(init) != 1 or ATTRIBUTE not in attrs:
        raise StoreError(
            f"{entry.forecast} has {len(init)} init times and {'a' if ATTRIBUTE in attrs else 'no'} lineage; "
            "an entry of the catalog is one forecast with its lineage",
            remedy="export one init time at a time",
            path=str(entry.forecast),
        )
    lineage = json.loads(attrs[ATTRIBUTE])
    experiment, region = lineage["experiment"], lineage["region"]
    properties = {
        "title": attrs["title"],
        "description": attrs["summary"],
        "created": attrs["date_created"],
        "isotherm:region": region,
        "isotherm:model": lineage["model"]["name"],
        "isotherm:model_id": lineage["model"]["id"],
        "isotherm:horizon_days": float(leads[-1] / _DAY),
        "isotherm:version": attrs["product_version"],
        **_skill(entry.verdict, lineage["model"]["name"]),
    }
    item = pystac.Item(
        id=f"{experiment}-{region}-{when.replace('-', '').replace(':', '')}",
        geometry=footprint.geometry,
        bbox=list(footprint.bbox),
        datetime=_utc(init[0]),
        start_datetime=_utc(valid[0]),
        end_datetime=_utc(valid[-1]),
        properties=properties,
    )
    item.add_asset(ASSET, _asset(root, entry.forecast, "Forecast, opens with xarray.open_zarr", ZARR, "data"))
    if entry.scores is not None:
        item.add_asset("scores", _asset(root, entry.scores, "Scores against the baselines", ZARR, "metadata"))
    if entry.report is not None:
        item.add_asset("report", _asset(root, entry.report, "Report", pystac.MediaType.HTML, "overview"))
    return item, experiment, region


def _footprint(product: xr.Dataset) -> Footprint:
    if is_point(product):
        return Footprint.at(float(product.latitude.values[0]), float(product.longitude.values[0]))
    return Footprint.of(product.latitude_bnds.values, product.longitude_bnds.values)


def _skill(verdict: Verdict | None, maker: str) -> dict[str, Any]:
    """The verdict on the model, and how good the `maker` of the forecast is: the model or the best rung."""
    if verdict is None:
        return {}
    by_model = maker == verdict.model
    interval = verdict.skill_interval if by_model else None
    return {
        "isotherm:promoted": verdict.promoted,
        "isotherm:verdict": verdict.sentence,
        "isotherm:best_baseline": verdict.best_rung,
        "isotherm:rmse": verdict.rmse_pooled if by_model else verdict.best_rmse_pooled,
        "isotherm:skill": verdict.skill_pooled if by_model else 0.0,
        "isotherm:skill_interval": interval and list(interval),
    }


def _asset(root: Path, path: Path, title: str, media_type: str, role: str) -> pystac.Asset:
    if not path.absolute().is_relative_to(root.absolute()) or not path.exists():
        raise StoreError(
            f"{path} is not there, or lies outside the catalog's folder {root}, where no reader of the catalog "
            "could follow",
            remedy="publish it into the catalog's folder first",
            path=str(path),
        )
    return pystac.Asset(str(path.absolute()), title=title, media_type=media_type, roles=[role])


def _relative(root: Path, place: str, target: str) -> str:
    return os.path.relpath(target, str((root / place).parent.absolute()))


def _collection(text: str, item: pystac.Item, href: str, about: dict[str, Any]) -> pystac.Collection:
    """The collection whose JSON was `text`, with the item."""
    held = json.loads(text or "{}")
    experiment = str(item.collection_id)
    collection = pystac.Collection(experiment, extent=_extent(held, item), **about)
    _relate(collection, f"{experiment}/collection.json", parent="catalog.json", up=1)
    _list_items(collection, held, href)
    return collection


def _catalog(text: str, experiment: str, title: str) -> pystac.Catalog:
    """The catalog whose JSON was `text`, with the experiment."""
    catalog = pystac.Catalog("isotherm", ABOUT, title="Isotherm forecasts")
    _relate(catalog, "catalog.json")
    children = {f"./{experiment}/collection.json": title}
    known = {link["href"]: link.get("title") for link in _links(json.loads(text or "{}"), "child")}
    for href, name in sorted((known | children).items()):
        catalog.add_link(pystac.Link("child", href, pystac.MediaType.JSON, name))
    return catalog


def _json(described: pystac.STACObject) -> str:
    document = described.to_dict(include_self_link=False, transform_hrefs=False)
    return json.dumps(document, indent=2) + "\n"


def _relate(stac_object: pystac.STACObject, place: str, *, parent: str = "", up: int = 0) -> None:
    """Links from `place` to the root and, where there is one, to the parent `up` folders above."""
    stac_object.clear_links()
    root = ("../" * place.count("/") or "./") + "catalog.json"
    above = "../" * up + parent
    links = {"root": root} | ({"parent": above} if parent else {}) | ({"collection": above} if up > 1 else {})
    for rel, href in links.items():
        stac_object.add_link(pystac.Link(rel, href, pystac.MediaType.JSON))


def _list_items(collection: pystac.Collection, held: dict[str, Any], href: str) -> None:
    """Links to the items that were there and to the new one, and the newest of each region."""
    items = sorted({href, *(link["href"] for link in _links(held, "item"))})
    for one in items:
        collection.add_link(pystac.Link("item", one, pystac.MediaType.GEOJSON))
    newest = {one.split("/")[1]: one for one in items}
    for name, one in newest.items():
        collection.add_link(pystac.Link(LATEST, one, pystac.MediaType.GEOJSON, name))


def _extent(held: dict[str, Any], item: pystac.Item) -> pystac.Extent:
    """What was covered, and the item."""
    extent = held.get("extent", {"spatial": {"bbox": []}, "temporal": {"interval": []}})
    # The first of several boxes encloses the others, which are the regions.
    known = extent["spatial"]["bbox"]
    boxes = sorted({as_bbox(box) for box in (item.bbox or [], *(known[1:] or known))})
    spatial = [list(box) for box in ([enclosing(boxes), *boxes] if len(boxes) > 1 else boxes)]
    times = [when for interval in extent["temporal"]["interval"] for when in interval]
    times += [item.properties["start_datetime"], item.properties["end_datetime"]]
    span = [dt.datetime.fromisoformat(when) for when in (min(times), max(times))]
    return pystac.Extent(pystac.SpatialExtent(spatial), pystac.TemporalExtent([list(span)]))


def _links(document: dict[str, Any], rel: str) -> list[dict[str, Any]]:
    return [link for link in document.get("links", []) if link["rel"] == rel]


def _utc(moment: np.datetime64) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(moment.astype("datetime64[s]").astype(int)), dt.UTC)


@contextmanager
def _writing(root: Path) -> Iterator[None]:
    """One writer of a catalog on disk at a time; the system frees the lock when its holder dies."""
    if is_remote(root):
        yield
        return
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

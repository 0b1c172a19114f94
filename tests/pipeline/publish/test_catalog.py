"""The catalog: valid STAC that leads to data that open, in an order that never misleads."""

import json

import numpy as np
import pystac
import pytest
import xarray as xr

from pipeline.errors import DiskFullError, StoreError
from pipeline.lineage import ModelLineage, read_lineage
from pipeline.publish import catalog as module
from pipeline.publish import product as product_module
from pipeline.publish.catalog import LATEST, Entry, add_entry
from pipeline.publish.footprint import Footprint, enclosing
from pipeline.publish.forecast import export
from pipeline.publish.product import copy_file
from tests import reporting


@pytest.fixture
def publish(tmp_path, forecast, lineage):
    def run(day="2013-12-17", *, region="tasman", experiment="sst-tasman", **options):
        root = tmp_path / "published"
        chain = lineage(region=region, experiment=experiment)
        product = export(forecast(day, **options), root / experiment / region, lineage=chain)
        page = tmp_path / "index.html"
        page.write_text("<p>report</p>")
        report = copy_file(page, root / experiment / region, prefix="report-")
        return add_entry(root, Entry(product, report=report), title="Tasman Sea", description="A trial.")

    return run


def texts(root):
    return {path: path.read_bytes() for path in root.rglob("*.json") if path.name != "zarr.json"}


def test_the_catalog_is_valid_and_leads_to_data_that_open(tmp_path, publish):
    for day in ("2013-12-17", "2013-12-18"):
        publish(day)
    publish(region="bengal", experiment="sst-seas")
    root = pystac.Catalog.from_file(str(tmp_path / "published" / "catalog.json"))
    root.validate()
    collections = {one.id: one for one in root.get_children()}
    assert set(collections) == {"sst-tasman", "sst-seas"}
    for collection in collections.values():
        collection.validate()
    items = list(root.get_items(recursive=True))
    assert len(items) == 3
    for item in items:
        item.validate()
        assert item.get_collection().id == item.collection_id
        assert item.get_root().id == "isotherm"
        with xr.open_zarr(item.assets["forecast"].get_absolute_href()) as data:
            assert np.isfinite(data.sst.isel(latitude=-1)).all()
        assert read_lineage(item.get_self_href()).region == item.properties["isotherm:region"]


def test_links_are_relative_so_that_the_folder_may_move(tmp_path, publish):
    publish()
    moved = tmp_path / "elsewhere"
    (tmp_path / "published").rename(moved)
    for text in texts(moved).values():
        assert str(tmp_path).encode() not in text
    (item,) = pystac.Catalog.from_file(str(moved / "catalog.json")).get_items(recursive=True)
    for asset in item.assets.values():
        assert asset.get_absolute_href().startswith(str(moved))
    with xr.open_zarr(item.assets["forecast"].get_absolute_href()):
        pass


def test_an_item_says_what_it_leads_to(publish):
    item = pystac.Item.from_file(str(publish("2013-12-17")))
    assert item.id == "sst-tasman-tasman-20131217"
    assert item.datetime.isoformat() == "2013-12-17T00:00:00+00:00"
    assert item.properties["start_datetime"] == "2013-12-18T00:00:00Z"
    assert item.properties["end_datetime"] == "2013-12-22T00:00:00Z"
    assert item.bbox == [147.0, -45.0, 149.0, -43.5]
    assert item.properties["isotherm:horizon_days"] == 5
    assert item.properties["isotherm:model"] == "convlstm"
    assert item.assets["forecast"].media_type == "application/vnd.zarr; version=3"
    assert item.assets["forecast"].roles == ["data"]


def test_an_item_of_a_station_is_a_point_at_an_hour(tmp_path, station, lineage):
    chain = lineage(region="jena", experiment="jena-temperature")
    items = []
    for hour in ("2020-12-31T23:00", "2021-01-01T01:00", "2021-01-01T00:50"):
        product = export(station(hour), tmp_path / "jena", lineage=chain, source="jena")
        path = add_entry(tmp_path, Entry(product), title="Jena", description="A trial.")
        items.append(pystac.Item.from_file(str(path)))
    pystac.Catalog.from_file(str(tmp_path / "catalog.json")).validate_all()
    item = items[0]
    assert item.id == "jena-temperature-jena-20201231T2200"
    assert item.geometry == {"type": "Point", "coordinates": [pytest.approx(11.57), 50.91]}
    assert item.bbox == pytest.approx([11.57, 50.91, 11.57, 50.91])
    assert item.datetime.isoformat() == "2020-12-31T22:00:00+00:00"
    assert item.properties["start_datetime"] == "2020-12-31T23:00:00Z"
    assert item.properties["end_datetime"] == "2021-01-02T22:00:00Z"
    assert item.properties["isotherm:horizon_days"] == 2
    collection = json.loads((tmp_path / "jena-temperature/collection.json").read_text())
    (latest,) = [link["href"] for link in collection["links"] if link["rel"] == LATEST]
    assert latest.endswith("-20210101T0000.json")
    assert collection["extent"]["spatial"]["bbox"] == [pytest.approx([11.57, 50.91, 11.57, 50.91])]


@pytest.mark.parametrize("by_model", [True, False])
def test_an_item_says_how_good_the_maker_of_its_forecast_is(tmp_path, forecast, lineage, by_model):
    verdict = reporting.make_region(size=8).verdict
    maker = verdict.model if by_model else verdict.best_rung
    chain = lineage(model=ModelLineage(name=maker, id="m1", card_sha256=""))
    product = export(forecast(), tmp_path, lineage=chain)
    path = add_entry(tmp_path, Entry(product, verdict=verdict), title="Tasman Sea", description="A trial.")
    told = json.loads(path.read_text())["properties"]
    rmse = verdict.rmse_pooled if by_model else verdict.best_rmse_pooled
    assert (told["isotherm:model"], told["isotherm:rmse"]) == (maker, rmse)
    assert told["isotherm:skill"] == (verdict.skill_pooled if by_model else 0)
    assert told["isotherm:skill_interval"] == (list(verdict.skill_interval) if by_model else None)


def test_publishing_twice_changes_nothing(tmp_path, publish):
    publish()
    before = texts(tmp_path / "published")
    publish()
    assert texts(tmp_path / "published") == before


def test_a_reissue_replaces_the_entry_and_keeps_the_product(tmp_path, publish):
    old = pystac.Item.from_file(str(publish())).assets["forecast"].get_absolute_href()
    path = publish(value=17.0)
    item = pystac.Item.from_file(str(path))
    assert item.assets["forecast"].get_absolute_href() != old
    with xr.open_zarr(old):
        pass
    collection = json.loads((tmp_path / "published/sst-tasman/collection.json").read_text())
    assert len([link for link in collection["links"] if link["rel"] == "item"]) == 1


def test_latest_is_the_newest_of_each_region_whatever_came_last(tmp_path, publish):
    for day in ("2013-12-17", "2014-01-02", "2013-12-25"):
        publish(day)
    publish("2013-12-01", region="bass")
    collection = json.loads((tmp_path / "published/sst-tasman/collection.json").read_text())
    latest = {link["title"]: link["href"] for link in collection["links"] if link["rel"] == LATEST}
    assert {name: href[-13:-5] for name, href in latest.items()} == {"tasman": "20140102", "bass": "20131201"}
    assert collection["extent"]["temporal"]["interval"] == [["2013-12-02T00:00:00Z", "2014-01-07T00:00:00Z"]]


def test_the_entry_is_written_from_the_leaf_to_the_root(tmp_path, publish, monkeypatch):
    written = []
    write = module.write_text

    def watched(path, text):
        root = tmp_path / "published"
        for link in json.loads(text)["links"]:
            if link["rel"] in {"item", "child", LATEST}:
                assert (path.parent / link["href"]).exists()
        written.append(str(path.relative_to(root)))
        write(path, text)

    for each in (module, product_module):
        monkeypatch.setattr(each, "write_text", watched)
    publish()
    assert [name.rpartition("/")[2] for name in written] == [
        "sst-tasman-tasman-20131217.json",
        "collection.json",
        "catalog.json",
    ]


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_a_failure_at_any_step_leaves_a_catalog_that_holds_true(tmp_path, publish, monkeypatch, failing):
    publish("2013-12-17")
    steps = iter(range(3))
    write = module.write_text

    def fail(path, text):
        if next(steps) == failing:
            raise DiskFullError("full")
        write(path, text)

    for each in (module, product_module):
        monkeypatch.setattr(each, "write_text", fail)
    with pytest.raises(DiskFullError):
        publish("2013-12-18")
    monkeypatch.undo()

    def entries():
        root = pystac.Catalog.from_file(str(tmp_path / "published" / "catalog.json"))
        return sorted(item.id[-8:] for item in root.get_items(recursive=True))

    assert entries() == (["20131217"] if failing < 2 else ["20131217", "20131218"])
    publish("2013-12-18")
    assert entries() == ["20131217", "20131218"]


def test_several_init_times_and_assets_outside_are_refused(tmp_path, forecast, lineage):
    root = tmp_path / "published"
    several = export(forecast(inits=2), root, lineage=lineage())
    with pytest.raises(StoreError, match="2 init times"):
        add_entry(root, Entry(several), title="t", description="d")
    outside = export(forecast(), tmp_path / "elsewhere", lineage=lineage())
    with pytest.raises(StoreError, match="outside"):
        add_entry(root, Entry(outside), title="t", description="d")
    assert not (root / "catalog.json").exists()


@pytest.mark.parametrize(
    ("west", "east", "bbox", "kind"),
    [
        (147, 155, (147, -10, 155, 10), "Polygon"),
        (200, 220, (-160, -10, -140, 10), "Polygon"),
        (170, 180, (170, -10, 180, 10), "Polygon"),
        (170, 190, (170, -10, -170, 10), "MultiPolygon"),
        (0, 360, (-180, -10, 180, 10), "Polygon"),
        (-180, 180, (-180, -10, 180, 10), "Polygon"),
    ],
)
def test_footprints_are_geojson(west, east, bbox, kind):
    footprint = Footprint.of(np.array([[-10.0, 10.0]]), np.array([[west, east]], dtype=float))
    assert footprint.bbox == bbox
    assert footprint.geometry["type"] == kind


def test_one_box_around_all():
    assert enclosing([(0, 0, 10, 10), (5, -5, 20, 5)]) == (0, -5, 20, 10)
    assert enclosing([(0, 0, 10, 10), (170, -5, -170, 5)]) == (-180, -5, 180, 10)
    assert enclosing([(170, -5, -170, 5)]) == (170, -5, -170, 5)

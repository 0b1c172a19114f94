"""Publishing on S3: what consumers open with their own libraries, and never a half of it."""

import json
import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest
import xarray as xr

from pipeline.errors import NotFoundError, OutageError
from pipeline.lineage import read_lineage
from pipeline.location import local_copy, located
from pipeline.publish.catalog import Entry, add_entry
from pipeline.publish.forecast import export
from pipeline.publish.product import ZARR_MARK, copy_file
from pipeline.s3 import S3Path


def asked(code, *arguments):
    """What a program of somebody else prints, who has the keys and none of our code."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", textwrap.dedent(code), *map(str, arguments)],
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_product_opens_with_open_zarr_alone(on_s3, forecast, lineage):
    product = export(forecast(), on_s3, lineage=lineage())
    told = asked(
        """
        import json, sys
        import xarray as xr
        with xr.open_zarr(sys.argv[1]) as data:
            print(json.dumps([list(data.sst.dims), float(data.sst.mean()), data.attrs["product_version"]]))
        """,
        product,
    )
    dims, mean, version = told
    assert dims == ["init_time", "lead_time", "latitude", "longitude"]
    with local_copy(product) as near, xr.open_zarr(near) as own:
        assert mean == pytest.approx(float(own.sst.mean()))
        assert f"forecast-{version}.zarr" == product.name
    before = product.walk()
    assert export(forecast(), on_s3, lineage=lineage()) == product
    assert product.walk() == before


def test_a_product_is_there_when_its_metadata_are_which_come_last(
    on_s3, object_store, forecast, lineage, monkeypatch
):
    put = []
    write = S3Path.write_bytes

    def watched(self, *given, **named):
        put.append(self)
        return write(self, *given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(S3Path, "write_bytes", watched)
        product = export(forecast(), on_s3, lineage=lineage())
    assert put[-1] == product / ZARR_MARK
    assert {*put} == {*product.walk()}
    hasty = located(f"{on_s3}/again", on_s3.access.model_copy(update={"patience": 0.2}))
    for after in (1, 5, len(put)):
        object_store.outage(600, after=after)
        with pytest.raises(OutageError):
            export(forecast(), hasty, lineage=lineage())
        object_store.outage(0)
        assert not list((on_s3 / "again").glob(f"*.zarr/{ZARR_MARK}"))
        assert not (on_s3 / "again" / product.name / ZARR_MARK).is_file()
    again = export(forecast(), on_s3 / "again", lineage=lineage())
    with local_copy(again) as near, local_copy(product) as first:
        xr.testing.assert_identical(xr.open_zarr(near).load(), xr.open_zarr(first).load())


@pytest.fixture
def publish(on_s3, tmp_path, forecast, lineage):
    def run(day="2013-12-17", *, region="tasman", root=None):
        root = root or on_s3 / "published"
        product = export(forecast(day), root / "sst-tasman" / region, lineage=lineage(region=region))
        page = tmp_path / f"{region}.html"
        page.write_text("<p>report</p>")
        report = copy_file(page, root / "sst-tasman" / region, prefix="report-")
        return add_entry(root, Entry(product, report=report), title="Tasman Sea", description="A trial.")

    return run


def followed(root):
    """Every item that the catalog leads to, by its links alone."""
    catalog = json.loads((root / "catalog.json").read_text())
    collections = [link["href"] for link in catalog["links"] if link["rel"] == "child"]
    items = []
    for href in collections:
        held = json.loads((root / href.removeprefix("./")).read_text())
        folder = (root / href.removeprefix("./")).parent
        items += [folder / link["href"].removeprefix("./") for link in held["links"] if link["rel"] == "item"]
    return items


def test_the_entry_leads_to_its_product_and_its_lineage(publish, on_s3, lineage):
    item = publish()
    assert followed(on_s3 / "published") == [item]
    assert read_lineage(item) == lineage()
    assert read_lineage(str(item), on_s3.access) == lineage()
    text = json.loads(item.read_text())
    assert text["assets"]["forecast"]["href"].startswith("../forecast-")
    assert text["assets"]["report"]["href"].startswith("../report-")
    with pytest.raises(NotFoundError, match="nothing at s3://"):
        read_lineage(on_s3 / "nowhere.zarr")


def test_of_many_who_publish_at_once_each_is_in_the_catalog(on_s3, forecast, lineage):
    root = on_s3 / "published"
    regions = [f"region-{number}" for number in range(6)]
    entries = [
        Entry(export(forecast(), root / "sst-tasman" / region, lineage=lineage(region=region)))
        for region in regions
    ]
    with ThreadPoolExecutor(len(entries)) as pool:
        list(pool.map(lambda entry: add_entry(root, entry, title="t", description="d"), entries))
    items = followed(root)
    assert sorted(item.parent.parent.name for item in items) == regions
    assert all(item.is_file() for item in items)


def test_an_outage_at_any_step_leaves_a_catalog_that_holds_true(publish, on_s3, object_store):
    publish("2013-12-17")
    hasty = located(f"{on_s3}/published", on_s3.access.model_copy(update={"patience": 0.2}))
    for after in range(1, 60, 7):
        object_store.outage(600, after=after)
        try:
            publish("2013-12-18", root=hasty)
        except OutageError:
            object_store.outage(0)
        else:
            object_store.outage(0)
            break
        for item in followed(on_s3 / "published"):
            assert read_lineage(item).region == "tasman"
    publish("2013-12-18")
    assert len(followed(on_s3 / "published")) == 2

"""The chain, read from a product or its entry, by path and by URL."""

import functools
import http.server
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import FetchError, NotFoundError, StoreError
from pipeline.lineage import ATTRIBUTE, Lineage, Sources, read_lineage, render, sources_digest
from pipeline.publish.catalog import Entry, add_entry
from pipeline.publish.forecast import export
from pipeline.publish.product import write_product
from pipeline.windows import WindowSpec


@pytest.fixture
def published(tmp_path, forecast, lineage):
    root = tmp_path / "with space"
    product = export(forecast(), root / "sst-tasman" / "tasman", lineage=lineage())
    item = add_entry(root, Entry(product), title="t", description="d")
    return root, product, item


@pytest.fixture
def served(published):
    root = published[0]
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(root))
    handler.log_message = lambda *args: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield lambda path: f"http://127.0.0.1:{server.server_port}/{path.relative_to(root)}"
        server.shutdown()


def test_by_path_and_by_file_url(published, lineage):
    _, product, item = published
    for address in (
        product,
        str(product),
        f"{product}/",
        product.as_uri(),
        product / "zarr.json",
        item,
        item.as_uri(),
    ):
        assert read_lineage(address) == lineage()


def test_over_http(published, served, lineage):
    root, product, item = published
    assert read_lineage(served(product)) == lineage()
    assert read_lineage(served(item)) == lineage()
    with pytest.raises(NotFoundError, match="nothing at"):
        read_lineage(served(root / "nowhere.zarr"))


def test_no_network_is_a_fetch_error():
    with pytest.raises(FetchError, match="cannot be had"):
        read_lineage("http://127.0.0.1:9/forecast.zarr")


def test_what_has_no_lineage_is_said_with_its_reason(tmp_path, published, forecast):
    root, _, _ = published
    with pytest.raises(NotFoundError, match="nothing at"):
        read_lineage(tmp_path / "nowhere.zarr")
    with pytest.raises(NotFoundError, match="this is a catalog"):
        read_lineage(root / "catalog.json")
    bare = write_product(forecast(), tmp_path)
    with pytest.raises(NotFoundError, match="attributes hold none"):
        read_lineage(bare)
    (tmp_path / "page.json").write_text("<html>")
    with pytest.raises(StoreError, match="not JSON"):
        read_lineage(tmp_path / "page.json")
    odd = write_product(forecast().assign_attrs({ATTRIBUTE: '{"chain": 2}'}), tmp_path)
    with pytest.raises(StoreError, match="cannot be read"):
        read_lineage(odd)


def test_the_chain_names_every_link(lineage):
    text = render(lineage())
    for link in (
        "sst-tasman",
        "3 days",
        "d1",
        "https://a/3.nc",
        "CUBE",
        "f1",
        "m1",
        "c1",
        "ARCHIVE",
        "s1",
        "0.1.0",
    ):
        assert link in text
    assert "not scored yet" in render(lineage(scores_version=""))


def test_the_chain_of_a_station_counts_files_and_samples(lineage):
    files = Sources(count=2, of="files", first_url="https://a/1.zip", last_url="https://a/2.zip", digest="d1")
    windows = WindowSpec(history=120, horizon=24, sampling=6, first_lead=24)
    text = render(lineage(sources=files, windows=windows))
    assert "2 files" in text
    assert "history 120, horizon 24, stride 1, sampling 6, first lead 24" in text


def test_a_lineage_survives_json(lineage):
    assert Lineage.model_validate_json(lineage().model_dump_json()) == lineage()


@given(st.lists(st.text("0123456789abcdef", min_size=64, max_size=64), min_size=1, max_size=6), st.randoms())
def test_the_digest_depends_on_the_files_and_not_on_their_order(hashes, random):
    shuffled = random.sample(hashes, len(hashes))
    assert sources_digest(shuffled) == sources_digest(hashes)
    assert sources_digest([*hashes, "0" * 64]) != sources_digest(hashes)


def test_reading_needs_no_array_library():
    code = "import sys, pipeline.lineage; print([m for m in ('xarray', 'zarr', 'httpx', 'pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

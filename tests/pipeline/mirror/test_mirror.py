"""The mirror as any HTTP client sees it."""

import datetime as dt
import threading
from collections.abc import Iterator
from pathlib import Path

import h5py
import httpx
import netCDF4
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.mirror import Fault, Mirror, SimulatedOcean
from pipeline.mirror.faults import Faults
from pipeline.mirror.hdf5 import NETCDF4_LOCK, put_chunk

FIRST, TODAY = dt.date(2020, 1, 1), dt.date(2020, 1, 21)
NAME = "oisst-avhrr-v02r01.20200102.nc"
PATH = f"/ncei/202001/{NAME}"


@pytest.fixture(scope="module")
def shared() -> Iterator[Mirror]:
    with Mirror(ocean=SimulatedOcean(seed=9, first=FIRST, today=TODAY)) as mirror:
        yield mirror


@pytest.fixture
def mirror(shared: Mirror) -> Iterator[Mirror]:
    shared.shelf.archive.today = TODAY
    shared.requests.clear()
    yield shared
    shared.faults.clear()


@pytest.fixture
def client(mirror: Mirror) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=mirror.url, timeout=5, verify=False, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def body(shared: Mirror) -> bytes:
    return httpx.get(shared.url + PATH, verify=False, trust_env=False).content


@given(first=st.integers(0, 2_000_000), length=st.integers(1, 2_000_000))
def test_ranges_are_parts_of_the_whole(shared: Mirror, body: bytes, first: int, length: int) -> None:
    asked = {"Range": f"bytes={first}-{first + length - 1}"}
    answer = httpx.get(shared.url + PATH, headers=asked, verify=False, trust_env=False)
    if first >= len(body):
        assert answer.status_code == 416
    else:
        assert answer.status_code == 206
        assert answer.content == body[first : first + length]


def test_validators_agree(client: httpx.Client, mirror: Mirror) -> None:
    head, whole = client.head(PATH), client.get(PATH)
    assert head.content == b""
    for name in ("ETag", "Last-Modified", "Content-Length", "Accept-Ranges"):
        assert head.headers[name] == whole.headers[name]
    assert whole.headers["Last-Modified"] == "Fri, 17 Jan 2020 09:12:00 GMT"
    assert client.get(PATH, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304
    stale = {"Range": "bytes=10-", "If-Range": '"another"'}
    assert client.get(PATH, headers=stale).status_code == 200
    assert [request[0] for request in mirror.requests] == ["HEAD", "GET", "GET", "GET"]


def test_the_same_seed_gives_the_same_bytes(body: bytes, tmp_path: Path) -> None:
    with Mirror(ocean=SimulatedOcean(seed=9, first=FIRST, today=TODAY)) as again:
        assert httpx.get(again.url + PATH, verify=False, trust_env=False).content == body


def test_days_pass(client: httpx.Client, mirror: Mirror) -> None:
    early, late = "oisst-avhrr-v02r01.20200107", "oisst-avhrr-v02r01.20200121"
    page = client.get("/ncei/202001/").text
    assert f'"{early}_preliminary.nc"' in page
    assert late not in page
    mirror.advance(1)
    page = client.get("/ncei/202001/").text
    assert f'"{early}.nc"' in page
    assert f'"{early}_preliminary.nc"' not in page
    assert f'"{late}_preliminary.nc"' in page
    assert client.get(f"/ncei/202001/{early}_preliminary.nc").status_code == 404


def test_files_say_what_they_are(client: httpx.Client, body: bytes) -> None:
    preliminary = client.get("/open-data/data/v2.1/avhrr/202001/oisst-avhrr-v02r01.20200115_preliminary.nc")
    for content, title, created in (
        (body, "Final", "2020-01-17T09:12:00Z"),
        (preliminary.content, "Interim", "2020-01-16T09:12:00Z"),
    ):
        with NETCDF4_LOCK, netCDF4.Dataset("memory", memory=content) as dataset:
            assert dataset.title.endswith(f"- {title}")
            assert dataset.date_created == created
            assert dataset["sst"].shape == (1, 1, 720, 1440)
            sst, ice, error = (dataset[name][0, 0] for name in ("sst", "ice", "err"))
            assert np.array_equal(np.ma.getmaskarray(sst), np.ma.getmaskarray(error))
            assert ice.min() >= 0.1
            assert sst[~np.ma.getmaskarray(ice)].max() < -1


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 404),
        ("/ncei/202002/", 404),
        ("/ncei/201912/" + NAME, 404),
        ("/psl/sst.day.mean.1999.nc", 404),
        ("/erddap/griddap/ncdcOisst21Agg.nc?sst[(2020-01-01)][(0.0)][(95)][(10)]", 400),
        ("/erddap/griddap/ncdcOisst21Agg.nc?anom", 400),
        ("/erddap/griddap/ncdcOisst21Agg.nc?sst[(2021-01-01)][(0.0)][(5.125)][(10.125)]", 404),
        ("/erddap/griddap/ncdcOisst21Agg.nc?sst[(2020-01-01)][(0.0)][(5.125)][(10.125)]", 200),
    ],
)
def test_what_is_not_there(client: httpx.Client, path: str, status: int) -> None:
    assert client.get(path).status_code == status


def test_recorded_files_are_served_as_they_are(body: bytes, tmp_path: Path) -> None:
    (tmp_path / "2020").mkdir()
    (tmp_path / "2020" / NAME).write_bytes(body)
    with Mirror(folder=tmp_path) as recorded:
        for path in (PATH, f"/open-data/data/v2.1/avhrr/202001/{NAME}"):
            assert httpx.get(recorded.url + path, verify=False, trust_env=False).content == body
        assert recorded.today == dt.date(2020, 1, 3)
        yearly = httpx.get(f"{recorded.url}/psl/sst.day.mean.2020.nc", verify=False, trust_env=False).content
    with NETCDF4_LOCK, netCDF4.Dataset("a", memory=yearly) as year, netCDF4.Dataset("b", memory=body) as day:
        np.testing.assert_allclose(year["sst"][0].filled(9), day["sst"][0, 0].filled(9), atol=1e-5)


def test_what_cannot_be_mirrored_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no file named"):
        Mirror(folder=tmp_path)
    with pytest.raises(ConfigError, match="not both"):
        Mirror(folder=tmp_path, ocean=SimulatedOcean())
    with pytest.raises(ConfigError, match="cannot read the fault"):
        Mirror(faults=["explode:*"])
    with Mirror() as first, pytest.raises(ConfigError, match="cannot be used"):
        Mirror(port=int(first.url.rpartition(":")[2])).__enter__()


def test_faults_are_counted_down(client: httpx.Client, mirror: Mirror) -> None:
    mirror.faults.add("503*2@7:…/20200102*")
    answers = [client.get(PATH) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert client.get("/ncei/202001/").status_code == 200


def test_a_change_is_seen_in_every_layout(client: httpx.Client, mirror: Mirror) -> None:
    erddap = "/erddap/griddap/ncdcOisst21Agg.nc?sst[(2020-01-02)][(0.0)][(-40.125)][(150.125):1:(159.875)]"
    paths = (
        PATH,
        "/open-data/?list-type=2&prefix=data",
        "/ncei/202001/",
        "/psl/sst.day.mean.2020.nc",
        erddap,
    )
    before = [client.get(path).content for path in paths]
    mirror.faults.add(f"changed:…/{NAME}")
    assert not [path for path, old in zip(paths, before, strict=True) if client.get(path).content == old]
    mirror.faults.clear()
    assert [client.get(path).content for path in paths] == before


def test_what_is_late_is_nowhere_until_it_comes(client: httpx.Client, mirror: Mirror) -> None:
    listings = ("/open-data/?list-type=2&prefix=data", "/ncei/202001/")
    assert all(NAME in client.get(path).text for path in listings)
    mirror.faults.add("503*1:…/202001/")
    mirror.faults.add(f"late:…/{NAME}")
    assert client.get("/ncei/202001/").status_code == 503
    assert not any(NAME in client.get(path).text for path in listings)
    assert client.get(PATH).status_code == 404
    mirror.faults.remove(f"late:…/{NAME}")
    assert all(NAME in client.get(path).text for path in listings)
    assert client.get(PATH).status_code == 200


def test_a_corrupt_file_is_whole_and_cannot_be_read(
    client: httpx.Client, mirror: Mirror, body: bytes
) -> None:
    mirror.faults.add(f"corrupt*2:…/{NAME}")
    corrupt = client.get(PATH)
    assert (corrupt.status_code, len(corrupt.content)) == (200, len(body))
    assert corrupt.content[:64] == body[:64]
    assert corrupt.content != body
    middle = {"Range": f"bytes={len(body) // 2}-"}
    assert client.get(PATH, headers=middle).content == corrupt.content[len(body) // 2 :]
    assert client.get(PATH).content == body


@given(
    kind=st.sampled_from(["404", "503", "truncate", "stall", "corrupt", "html", "changed", "late", "vanish"]),
    times=st.none() | st.integers(1, 99),
    after=st.none() | st.integers(0, 999),
)
def test_the_text_form_says_it_all(kind: str, times: int | None, after: int | None) -> None:
    text = kind + (f"*{times}" if times else "") + (f"@{after}" if after is not None else "") + ":…/a b*"
    fault = Fault.parse(text)
    assert (fault.kind, fault.times, fault.retry_after) == (
        "status" if kind.isdigit() else kind,
        times,
        after,
    )
    assert fault.hits("x/a bc")
    happened = Faults([fault]).next("x/a bc")
    assert happened == (None if kind in {"changed", "late"} else fault)


def test_nobody_else_is_in_hdf5_while_a_chunk_is_stored(tmp_path: Path) -> None:
    lock, free = h5py._objects.phil, []

    def look() -> None:
        free.append(lock.acquire(False))

    class Watched:
        shape = (1, 2)

        @property
        def id(self) -> "Watched":
            return self

        def resize(self, *_: object, **__: object) -> None: ...

        def write_direct_chunk(self, *_: object) -> None:
            other = threading.Thread(target=look)
            other.start()
            other.join()

    put_chunk(Watched(), b"")
    assert free == [False]

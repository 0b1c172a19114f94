"""Fetching: whole files or a named reason, whatever the mirror does."""

import asyncio
import datetime as dt
import errno
import hashlib
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import DiskFullError, FetchError, GranuleError, VanishedError
from pipeline.mirror import Mirror
from pipeline.sources.base import Fetched, FetchFailure, Granule
from pipeline.sources.cache import Part
from pipeline.sources.fetch import Fetcher, fetch
from pipeline.sources.oisst import Oisst
from pipeline.sources.policy import FetchPolicy
from pipeline.types import Box, Status, TimeRange

PERIOD = TimeRange(start=dt.date(2020, 1, 1), end=dt.date(2020, 1, 4))
NAME = "oisst-avhrr-v02r01.20200101.nc"


@pytest.fixture
def granules(oisst: Oisst, fetcher: Fetcher, mirror: Mirror, tasman: Box) -> list[Granule]:
    listed = list(oisst.list_granules("ncei", PERIOD, tasman, fetcher.read))
    mirror.requests.clear()
    return listed


def statuses(mirror: Mirror, name: str = NAME) -> list[int]:
    return [status for _, path, status in mirror.requests if path.endswith(name)]


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if ".part" in path.name]


def only(results: Iterator[Fetched | FetchFailure]) -> Fetched:
    (result,) = results
    assert isinstance(result, Fetched), result
    return result


def failure(results: Iterator[Fetched | FetchFailure]) -> Exception:
    (result,) = results
    assert isinstance(result, FetchFailure), result
    return result.error


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_one_result_a_granule_in_their_order(
    fetcher: Fetcher, granules: list[Granule], tmp_path: Path
) -> None:
    came: list[int] = []
    results = list(fetcher.fetch(granules, tmp_path, progress=lambda _, count: came.append(count)))
    assert [result.granule for result in results] == granules
    for result in results:
        assert isinstance(result, Fetched)
        assert result.sha256 == sha256(result.path)
    assert sum(came) == sum(result.path.stat().st_size for result in results if isinstance(result, Fetched))
    assert not left_over(tmp_path)


def test_what_the_cache_holds_is_not_asked_for_again(
    fetcher: Fetcher, granules: list[Granule], tmp_path: Path, mirror: Mirror
) -> None:
    first = list(fetcher.fetch(granules, tmp_path))
    mirror.requests.clear()
    assert list(fetcher.fetch(granules, tmp_path)) == first
    assert not mirror.requests


def test_without_a_version_the_cache_is_validated(
    fetcher: Fetcher, granules: list[Granule], tmp_path: Path, mirror: Mirror
) -> None:
    nameless = [replace(granules[0], version="")]
    first = list(fetcher.fetch(nameless, tmp_path))
    assert list(fetcher.fetch(nameless, tmp_path)) == first
    assert statuses(mirror) == [200, 304]


def test_an_altered_cache_is_fetched_again(fetcher: Fetcher, granules: list[Granule], tmp_path: Path) -> None:
    fetched = only(fetcher.fetch(granules[:1], tmp_path))
    content = bytearray(fetched.path.read_bytes())
    content[1000] ^= 1
    fetched.path.write_bytes(content)
    assert sha256(only(fetcher.fetch(granules[:1], tmp_path)).path) == fetched.sha256


def test_granules_that_share_an_address_are_fetched_once(
    fetcher: Fetcher, granules: list[Granule], tmp_path: Path, mirror: Mirror
) -> None:
    other = replace(granules[0], days=(dt.date(2020, 2, 1),))
    results = list(fetcher.fetch([granules[0], other], tmp_path))
    assert [result.granule.days for result in results] == [granules[0].days, other.days]
    assert statuses(mirror) == [200]


@pytest.mark.parametrize("kind", ["truncate", "stall"])
def test_a_broken_body_is_resumed_by_range(
    kind: str, hasty: FetchPolicy, granules: list[Granule], tmp_path: Path, mirror: Mirror
) -> None:
    mirror.faults.add(f"{kind}*1:…/{NAME}")
    impatient = hasty.model_copy(update={"read_timeout": 0.3})
    fetched = only(fetch(granules[:1], tmp_path / "a", policy=impatient))
    assert statuses(mirror) == [200, 206]
    assert fetched.sha256 == only(fetch(granules[:1], tmp_path / "b", policy=hasty)).sha256


def test_what_an_interrupted_run_left_is_resumed(
    hasty: FetchPolicy, granules: list[Granule], tmp_path: Path, mirror: Mirror
) -> None:
    mirror.faults.add(f"truncate*1:…/{NAME}")
    once = hasty.model_copy(update={"attempts": 1})
    assert isinstance(failure(fetch(granules[:1], tmp_path, policy=once)), FetchError)
    assert left_over(tmp_path)
    fetched = only(fetch(granules[:1], tmp_path, policy=once))
    assert statuses(mirror) == [200, 206]
    assert fetched.sha256 == sha256(fetched.path)
    assert not left_over(tmp_path)


def test_a_part_of_what_has_changed_since_is_not_continued(
    hasty: FetchPolicy, granules: list[Granule], tmp_path: Path, mirror: Mirror
) -> None:
    mirror.faults.add(f"truncate*1:…/{NAME}")
    once = hasty.model_copy(update={"attempts": 1})
    failure(fetch(granules[:1], tmp_path / "a", policy=once))
    mirror.faults.add(f"changed:…/{NAME}")
    resumed = only(fetch(granules[:1], tmp_path / "a", policy=once))
    assert statuses(mirror) == [200, 200]
    assert resumed.sha256 == only(fetch(granules[:1], tmp_path / "b", policy=once)).sha256


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_transient_failures_are_tried_again(
    status: int, fetcher: Fetcher, granules: list[Granule], tmp_path: Path, mirror: Mirror
) -> None:
    mirror.faults.add(f"{status}*2:…/{NAME}")
    only(fetcher.fetch(granules[:1], tmp_path))
    assert statuses(mirror) == [status, status, 200]


@pytest.mark.parametrize("status", [400, 401, 403, 451])
def test_lasting_failures_are_not(
    status: int, fetcher: Fetcher, granules: list[Granule], tmp_path: Path, mirror: Mirror
) -> None:
    mirror.faults.add(f"{status}:…/{NAME}")
    error = failure(fetcher.fetch(granules[:1], tmp_path))
    assert isinstance(error, FetchError)
    assert str(status) in str(error)
    assert statuses(mirror) == [status]


def test_the_other_granules_go_on(
    fetcher: Fetcher, granules: list[Granule], tmp_path: Path, mirror: Mirror
) -> None:
    mirror.faults.add(f"html:…/{NAME}")
    kinds = [type(result) for result in fetcher.fetch(granules, tmp_path)]
    assert kinds == [FetchFailure, Fetched, Fetched, Fetched]


def test_a_host_that_is_down_is_left_alone(
    oisst: Oisst, hasty: FetchPolicy, tasman: Box, tmp_path: Path, mirror: Mirror
) -> None:
    policy = hasty.model_copy(update={"concurrency": 1, "give_up_after": 2})
    with Fetcher(policy) as fetcher:
        month = TimeRange(start=dt.date(2019, 12, 20), end=dt.date(2020, 1, 19))
        listed = oisst.list_granules("open-data", month, tasman, fetcher.read)
        mirror.requests.clear()
        mirror.faults.add("503:/open-data/data/*")
        results = list(fetcher.fetch(listed, tmp_path))
        errors = [result.error for result in results if isinstance(result, FetchFailure)]
        assert len(errors) == len(listed) == 31
        assert all("503" in str(error) and error.remedy for error in errors)
        assert len(mirror.requests) <= policy.attempts * 4 * policy.concurrency + policy.attempts * 2
        mirror.faults.clear()
        assert all(isinstance(result, Fetched) for result in fetcher.fetch(listed[:2], tmp_path))


def test_a_preliminary_file_that_vanishes_is_said_to_have(
    oisst: Oisst, fetcher: Fetcher, tasman: Box, tmp_path: Path, mirror: Mirror
) -> None:
    period = TimeRange(start=dt.date(2020, 1, 6), end=dt.date(2020, 1, 6))
    (before,) = oisst.list_granules("ncei", period, tasman, fetcher.read)
    assert before.status is Status.PRELIMINARY
    mirror.advance(1)
    assert isinstance(failure(fetcher.fetch([before], tmp_path)), VanishedError)
    (after,) = oisst.list_granules("ncei", period, tasman, fetcher.read)
    assert after.status is Status.FINAL
    only(fetcher.fetch([after], tmp_path))


def test_a_reissued_file_is_fetched_anew(
    oisst: Oisst, fetcher: Fetcher, granules: list[Granule], tasman: Box, tmp_path: Path, mirror: Mirror
) -> None:
    before = only(fetcher.fetch(granules[:1], tmp_path))
    mirror.faults.add(f"changed:…/{NAME}")
    again = oisst.list_granules("ncei", PERIOD, tasman, fetcher.read)
    assert again[0].version != granules[0].version
    assert [each.version for each in again[1:]] == [each.version for each in granules[1:]]
    assert only(fetcher.fetch(again[:1], tmp_path)).sha256 != before.sha256


def test_a_page_of_html_is_refused(
    fetcher: Fetcher, granules: list[Granule], tmp_path: Path, mirror: Mirror
) -> None:
    mirror.faults.add(f"html:…/{NAME}")
    error = failure(fetcher.fetch(granules[:1], tmp_path))
    assert isinstance(error, GranuleError)
    assert "HTML" in str(error)
    assert error.fields["check"] == "structure"
    assert statuses(mirror) == [200]
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("content", [b"", b"\x00" * 4096, b"PK\x03\x04 not this", b"  <?xml version='1.0'?>"])
def test_other_content_is_refused(
    content: bytes,
    fetcher: Fetcher,
    granules: list[Granule],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mirror: Mirror,
) -> None:
    monkeypatch.setattr(mirror.shelf, "daily", lambda day: content)
    assert isinstance(failure(fetcher.fetch(granules[:1], tmp_path)), GranuleError)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_full_disk_stops_everything_and_leaves_nothing(
    fetcher: Fetcher, granules: list[Granule], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Part, block: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Part, "write", full)
    with pytest.raises(DiskFullError, match="no space") as caught:
        list(fetcher.fetch(granules, tmp_path))
    assert caught.value.remedy
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), DiskFullError)


def test_inside_a_running_loop_and_in_threads(
    hasty: FetchPolicy, granules: list[Granule], tmp_path: Path
) -> None:
    async def main() -> str:
        return only(fetch(granules[:1], tmp_path / "loop", policy=hasty)).sha256

    digest = asyncio.run(main())
    with ThreadPoolExecutor(4) as pool:
        shared = [
            pool.submit(lambda: only(fetch(granules[:1], tmp_path / "shared", policy=hasty)))
            for _ in range(4)
        ]
        results = [each.result() for each in shared]
    assert {result.sha256 for result in results} == {digest} == {sha256(results[0].path)}
    assert not left_over(tmp_path)


def test_an_iteration_given_up_ends_its_thread(
    hasty: FetchPolicy, granules: list[Granule], tmp_path: Path
) -> None:
    results = fetch(granules, tmp_path, policy=hasty)
    next(results)
    results.close()  # type: ignore[attr-defined]


def test_local_files_pass_through(fetcher: Fetcher, tmp_path: Path) -> None:
    path = tmp_path / "here.nc"
    path.write_bytes(b"CDF\x01")
    here = Granule("files", str(path), (), Status.FINAL)
    gone = Granule("files", str(tmp_path / "gone.nc"), (), Status.FINAL)
    found, lost = fetcher.fetch([here, gone], tmp_path / "cache")
    assert found == Fetched(here, path, hashlib.sha256(b"CDF\x01").hexdigest())
    assert isinstance(lost, FetchFailure)
    assert isinstance(lost.error, VanishedError)
    assert not (tmp_path / "cache").exists()

"""Fetching for every source: granules in, whole and hashed files out, whatever the network does between."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar
from urllib.parse import urlsplit

import httpx

from pipeline.errors import DiskFullError, FetchError, GranuleError, IsothermError, VanishedError
from pipeline.sources import cache as files
from pipeline.sources.base import Fetched, FetchFailure, Granule
from pipeline.sources.http import Hosts, TransientError, client, host_of, persist, refuse_status
from pipeline.sources.netcdf import content_complaint
from pipeline.sources.policy import FetchPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator
    from concurrent.futures import Future

    from pipeline.sources.cache import Entry, Part

    Progress = Callable[[Granule, int], None]
    Complaint = Callable[[bytes], str]

Result = TypeVar("Result")


class Watch(NamedTuple):
    """What is told of a file's bytes as they come, and asked of its first."""

    progress: Progress | None
    complaint: Complaint


class Fetcher:
    """One event loop in a thread of its own, one client and one set of limits, for listings and granules.

    It may be used wherever synchronous code runs: in a flow, in a Dask worker's thread, inside another loop.

    Examples
    --------
    >>> with Fetcher(FetchPolicy()) as fetcher:                                            # doctest: +SKIP
    ...     granules = source.list_granules("ncei", period, box, fetcher.read)
    ...     for result in fetcher.fetch(granules, workspace / "cache" / "oisst"): ...
    """

    def __init__(self, policy: FetchPolicy | None = None) -> None:
        self.policy = policy or FetchPolicy()
        self._lost: dict[str, tuple[int, FetchError | None]] = {}

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="isotherm-fetch", daemon=True)
        self._thread.start()
        self._client, self._hosts = self._run(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def read(self, url: str) -> bytes:
        """The body behind an address.

        Raises
        ------
        FetchError
            It could not be had; `VanishedError` where there is none.
        """
        return self._run(self._read(url))

    def fetch(
        self,
        granules: Iterable[Granule],
        cache: Path,
        *,
        progress: Progress | None = None,
        complaint: Complaint = content_complaint,
    ) -> Iterator[Fetched | FetchFailure]:
        """One result a granule, in their order: the file in `cache`, or why there is none.

        Files that the cache holds in the granule's version are not asked for again, others conditionally.
        Granules that share an address are fetched once. A host that fails `policy.give_up_after` granules in
        a row is not asked again: the rest fail at once.

        Parameters
        ----------
        progress
            Called with a granule and the number of bytes that have just come, from another thread.
        complaint
            Says of a file's first bytes what is wrong with them; what has a complaint is refused.

        Raises
        ------
        DiskFullError
            There is no space in `cache`.
        """
        wanted = list(granules)
        by_url: dict[str, Future[Fetched | IsothermError]] = {}
        under_way: set[asyncio.Task[Any] | None] = set()
        self._lost.clear()
        try:
            for granule in wanted:
                if granule.url not in by_url:
                    job = self._outcome(granule, cache, Watch(progress, complaint), under_way)
                    by_url[granule.url] = self._submit(job)
            for granule in wanted:
                outcome = by_url[granule.url].result()
                if isinstance(outcome, Fetched):
                    yield Fetched(granule, outcome.path, outcome.sha256)
                elif isinstance(outcome, DiskFullError):
                    raise outcome
                else:
                    yield FetchFailure(granule, outcome)
        finally:
            self._run(_give_up(under_way))

    def _submit(self, work: Coroutine[Any, Any, Result]) -> Future[Result]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self._submit(work).result()

    async def _open(self) -> tuple[httpx.AsyncClient, Hosts]:
        self._at_once = asyncio.Semaphore(4 * self.policy.concurrency)
        return client(self.policy), Hosts(self.policy)

    async def _close(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.aclose()

    async def _read(self, url: str) -> bytes:
        async def attempt() -> bytes:
            response = await self._client.get(url)
            refuse_status(response)
            return response.content

        return await persist(attempt, url, self.policy, self._hosts)

    async def _outcome(
        self,
        granule: Granule,
        cache: Path,
        watch: Watch,
        under_way: set[asyncio.Task[Any] | None],
    ) -> Fetched | IsothermError:
        under_way.add(asyncio.current_task())
        if urlsplit(granule.url).scheme not in ("http", "https"):
            return await asyncio.to_thread(_local, granule)
        host = host_of(granule.url)
        async with self._at_once:
            lost, error = self._lost.get(host, (0, None))
            if error is not None and lost >= self.policy.give_up_after:
                return error
            try:
                entry = await self._have(granule, files.place(cache, granule), watch)
            except IsothermError as raised:
                if raised.fields.get("transient") and isinstance(raised, FetchError):
                    self._lost[host] = (self._lost.get(host, (0, None))[0] + 1, raised)
                return raised
            except OSError as raised:
                return FetchError(f"{granule.url} cannot be kept: {raised}", url=granule.url)
        self._lost[host] = (0, None)
        return Fetched(granule, files.place(cache, granule), entry.sha256)

    async def _have(self, granule: Granule, path: Path, watch: Watch) -> Entry:
        held = await asyncio.to_thread(files.cached, path, granule.url)
        if held is not None and granule.version and held.version == granule.version:
            return held
        with files.part_of(path, granule.url) as part:

            async def attempt() -> Entry:
                return await self._download(granule, path, part, held, watch)

            try:
                return await persist(attempt, granule.url, self.policy, self._hosts)
            except (GranuleError, VanishedError):
                files.discard(part.path)
                raise

    async def _download(
        self, granule: Granule, path: Path, part: Part, held: Entry | None, watch: Watch
    ) -> Entry:
        headers = {}
        if part.size and part.validator:
            headers = {"Range": f"bytes={part.size}-", "If-Range": part.validator}
        elif held is not None and held.etag:
            headers = {"If-None-Match": held.etag}
        async with self._client.stream("GET", granule.url, headers=headers) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.restart("")
                raise TransientError("the part fetched earlier is not a part of it")
            refuse_status(response)
            if response.status_code == httpx.codes.NOT_MODIFIED and held is not None:
                files.discard(part.path)
                held = held.model_copy(update={"version": granule.version})
                files.remember(path, held)
                return held
            if not _continues(response, part):
                part.restart(_validator(response))
            await _receive(response, granule, part, watch)
        return await asyncio.to_thread(part.settle, path, granule.version, response.headers.get("ETag", ""))


def _continues(response: httpx.Response, part: Part) -> bool:
    if response.status_code != httpx.codes.PARTIAL_CONTENT:
        return False
    if response.headers.get("Content-Range", "").startswith(f"bytes {part.size}-"):
        return True
    part.restart("")
    raise TransientError("another range came than was asked for")


def _validator(response: httpx.Response) -> str:
    etag: str = response.headers.get("ETag", "")
    return etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified", "")


async def _give_up(tasks: set[asyncio.Task[Any] | None]) -> None:
    """End what is still under way, and wait until it has cleaned up behind it."""
    left = [task for task in tasks if task is not None and not task.done()]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


async def _receive(response: httpx.Response, granule: Granule, part: Part, watch: Watch) -> None:
    promised = _promised(response, part.size)
    async for block in response.aiter_raw(1 << 18):
        new = part.size == 0
        part.write(block)
        if new:
            _refuse_content(granule, response, watch.complaint(block))
        if watch.progress is not None:
            watch.progress(granule, len(block))
    if promised is not None and part.size < promised:
        raise TransientError(f"the body ended after {part.size} of {promised} bytes")
    _refuse_content(granule, response, watch.complaint(part.head()))


def _promised(response: httpx.Response, before: int) -> int | None:
    length = response.headers.get("Content-Length", "")
    partial = response.status_code == httpx.codes.PARTIAL_CONTENT
    return int(length) + (before if partial else 0) if length.isdigit() else None


def _refuse_content(granule: Granule, response: httpx.Response, complaint: str) -> None:
    if complaint:
        raise GranuleError(
            f"{granule.url} {complaint} (status {response.status_code})",
            remedy="look at the address in a browser, or name another mirror",
            url=granule.url,
            check="structure",
            found=complaint,
        )


def _local(granule: Granule) -> Fetched | IsothermError:
    path = Path(granule.url)
    try:
        return Fetched(granule, path, files.sha256_of(path))
    except FileNotFoundError:
        return VanishedError(f"{path} is gone", remedy="list the files again", path=str(path))
    except OSError as error:
        return FetchError(f"{path} cannot be read: {error.strerror}", path=str(path))


def fetch(
    granules: Iterable[Granule],
    cache: Path,
    *,
    policy: FetchPolicy | None = None,
    progress: Progress | None = None,
) -> Iterator[Fetched | FetchFailure]:
    """`Fetcher.fetch` with a fetcher of its own."""
    with Fetcher(policy) as fetcher:
        yield from fetcher.fetch(granules, cache, progress=progress)


@contextmanager
def reading(policy: FetchPolicy | None = None) -> Iterator[Callable[[str], bytes]]:
    """The `read` that listings need, for as long as it is held."""
    with Fetcher(policy) as fetcher:
        yield fetcher.read

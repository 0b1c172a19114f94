"""Polite HTTP: retries with exponential back-off and jitter, `Retry-After`, and limits for each host."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import httpx
from aiolimiter import AsyncLimiter

from pipeline.errors import FetchError, VanishedError

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable

    from pipeline.sources.policy import FetchPolicy

Result = TypeVar("Result")

TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504, 507, 509, 520, 521, 522, 523, 524})
GONE_STATUS = frozenset({404, 410})
ANOTHER_WAY = "try later, name another mirror, or give local files with --from-files"


class TransientError(Exception):
    """An attempt failed in a way that the next may not; `after` is what the server asked for, in seconds."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class HostDownError(TransientError):
    """No connection at all."""


class Hosts:
    """The limits of each host, within one event loop."""

    def __init__(self, policy: FetchPolicy) -> None:
        self._policy = policy
        self._limits: dict[str, tuple[asyncio.Semaphore, AsyncLimiter]] = {}

    @asynccontextmanager
    async def turn(self, url: str) -> AsyncIterator[None]:
        """Wait until the host of `url` may be asked."""
        host = host_of(url)
        if host not in self._limits:
            rate = self._policy.per_second
            limiter = AsyncLimiter(rate, 1.0) if rate >= 1 else AsyncLimiter(1.0, 1.0 / rate)
            self._limits[host] = asyncio.Semaphore(self._policy.concurrency), limiter
        at_once, rate_limit = self._limits[host]
        async with at_once:
            await rate_limit.acquire()
            yield


def host_of(url: str) -> str:
    """Host and port."""
    return urlsplit(url).netloc


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def client(policy: FetchPolicy) -> httpx.AsyncClient:
    """A client with the policy's timeouts; it follows redirects and asks for bodies as they are stored."""
    timeout = httpx.Timeout(policy.read_timeout, connect=policy.connect_timeout, pool=None)
    headers = {"User-Agent": "isotherm", "Accept-Encoding": "identity"}
    direct = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}
    return httpx.AsyncClient(
        timeout=timeout, headers=headers, follow_redirects=True, mounts=direct, verify=_tls()
    )


async def persist(
    attempt: Callable[[], Awaitable[Result]], url: str, policy: FetchPolicy, hosts: Hosts
) -> Result:
    """The result of `attempt`, made again after transient failures.

    Raises
    ------
    FetchError
        The last attempt failed too, or one failed for good.
    """
    for number in range(policy.attempts):
        try:
            async with hosts.turn(url):
                return await _translated(attempt, url)
        except TransientError as error:
            refused = isinstance(error, HostDownError)
            if number + 1 >= min(policy.attempts, policy.connect_attempts if refused else policy.attempts):
                raise _exhausted(url, error, policy) from error
            await asyncio.sleep(pause(number, error.after, policy))
    raise AssertionError


def pause(number: int, after: float | None, policy: FetchPolicy) -> float:
    """Seconds to wait after attempt `number` (from 0): what the server asks, or doubling with jitter."""
    if after is not None:
        return min(after, policy.longest_retry_after)
    longest = min(policy.longest_backoff, policy.backoff * 2.0**number)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311


async def _translated(attempt: Callable[[], Awaitable[Result]], url: str) -> Result:
    try:
        return await attempt()
    except (httpx.InvalidURL, httpx.TooManyRedirects, httpx.UnsupportedProtocol) as error:
        raise FetchError(
            f"{url} cannot be asked for: {error}", remedy="correct the mirror's address", url=url
        ) from error
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise HostDownError(str(error) or type(error).__name__) from error
    except httpx.TransportError as error:
        raise TransientError(str(error) or type(error).__name__) from error


def _exhausted(url: str, error: TransientError, policy: FetchPolicy) -> FetchError:
    host = host_of(url)
    if isinstance(error, HostDownError):
        return FetchError(
            f"no connection to {host}: {error}",
            remedy="check the network, name another mirror, or give local files with --from-files",
            url=url,
            host=host,
            transient=True,
        )
    return FetchError(
        f"{url} failed {policy.attempts} times, at last with: {error}",
        remedy=ANOTHER_WAY,
        url=url,
        host=host,
        transient=True,
    )


def refuse_status(response: httpx.Response) -> None:
    """Raise what a status other than success means.

    Raises
    ------
    VanishedError
        404 and 410.
    TransientError
        Those that pass: 408, 425, 429 and those of an overloaded or broken server.
    FetchError
        All others.
    """
    status, url = response.status_code, str(response.url)
    if response.is_success or status == httpx.codes.NOT_MODIFIED:
        return
    if status in GONE_STATUS:
        raise VanishedError(
            f"{url} is gone ({status})", remedy="list the mirror again", url=url, status=status
        )
    if status in TRANSIENT_STATUS:
        after = retry_after(response.headers.get("Retry-After"))
        raise TransientError(f"status {status} {response.reason_phrase}", after)
    raise FetchError(
        f"{url} answered {status} {response.reason_phrase}", remedy=ANOTHER_WAY, url=url, status=status
    )


def retry_after(value: str | None) -> float | None:
    """Seconds that a `Retry-After` header asks for, in either of its forms (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=dt.UTC)
    return max(0.0, (when - dt.datetime.now(dt.UTC)).total_seconds())

"""Who does the shards of a backfill: threads of this process, or the workers of a Dask cluster.

Threads, since reading, inflating and regridding leave the interpreter to others, and processes repay their start and
their imports only in backfills of decades. Dask is for other machines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from flows.settings import Settings
from pipeline.errors import ConfigError, IsothermError
from pipeline.ingestion import Plan, Spread

PACKAGE = "isotherm"
DAYS_PER_WORKER = 30
"""Fewer days do not repay a second worker."""
WAIT = 30
"""Seconds for a scheduler to answer, and for its first worker."""


@dataclass(frozen=True, slots=True)
class Crew:
    """Workers, and how many shards they do at once."""

    spread: Spread
    at_once: int


@contextmanager
def crew_for(settings: Settings, plan: Plan) -> Iterator[Crew | None]:
    """The workers for what is planned, while the context is open; None where it is soon done without.

    Raises
    ------
    ConfigError
        The cluster at `ISOTHERM_DASK_ADDRESS` cannot be used.
    """
    days = sum(len(shard.wanted) for shard in plan.shards)
    if len(plan.shards) < 2 or days < 2 * DAYS_PER_WORKER:
        yield None
    elif settings.dask_address is not None:
        with _cluster(settings.dask_address) as crew:
            yield crew
    elif settings.workers > 1:
        workers = min(settings.workers, len(plan.shards))
        pool = ThreadPoolExecutor(workers, thread_name_prefix="isotherm-shard")
        try:
            yield Crew(pool.map, workers)
        finally:
            pool.shutdown(cancel_futures=True)
    else:
        yield None


@contextmanager
def _cluster(address: str) -> Iterator[Crew]:
    from distributed import Client

    with ExitStack() as stack:
        try:
            client = stack.enter_context(Client(address, timeout=WAIT))  # type: ignore[no-untyped-call]
            client.wait_for_workers(1, timeout=WAIT)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"the Dask cluster at {address} cannot be used: {error}",
                remedy="start its scheduler and workers, correct ISOTHERM_DASK_ADDRESS, or unset it",
                address=address,
            ) from error
        _require_same_version(client.run(version, PACKAGE, on_error="return"), address)
        yield Crew(_spread_over(client), sum(client.nthreads().values()))


def _require_same_version(found: Mapping[str, Any], address: str) -> None:
    own = version(PACKAGE)
    for worker, told in found.items():
        if told == own:
            continue
        lacks = isinstance(told, PackageNotFoundError | ModuleNotFoundError)
        has = "no isotherm" if lacks else f"isotherm {told}"
        raise ConfigError(
            f"the worker {worker} of the Dask cluster at {address} has {has}; this is isotherm {own}",
            remedy="install the same Isotherm where the workers run, or unset ISOTHERM_DASK_ADDRESS",
            address=address,
            worker=worker,
        )


def _spread_over(client: Any) -> Spread:
    from distributed import KilledWorker

    def spread(function: Any, work: Iterable[Any], /) -> Iterator[Any]:
        # The same work again is work of its own: its session is another.
        futures = [client.submit(function, each, pure=False) for each in work]
        try:
            for future in futures:
                yield future.result()
        except KilledWorker as error:
            raise IsothermError(
                "workers were killed time and again at the same work, most likely for lack of memory",
                remedy="give them more memory, or run again with fewer threads each: what was committed is kept",
            ) from error
        finally:
            client.cancel(futures)

    return spread

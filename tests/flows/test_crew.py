"""Who does a backfill: nobody else for a few days, threads here, or a Dask cluster whose workers may die."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from flows import crew as crews
from flows.composing import job_for
from flows.crew import crew_for
from flows.settings import Settings
from pipeline.errors import ConfigError, IsothermError
from pipeline.ingestion import IngestJob, Plan, Shard, batches, ingest, ingest_batch, plan
from pipeline.regrid import Region, RegridSpec
from pipeline.sources import source
from pipeline.store import repository
from pipeline.types import Box, TimeRange
from tests import seas

LAST = seas.FIRST + dt.timedelta(299)
PERIOD = TimeRange(start=seas.FIRST, end=LAST)


def planned(days: int, shards: int = 8) -> Plan:
    """A plan of `days`, spread over `shards`."""
    wanted = [seas.FIRST + dt.timedelta(number * 64) for number in range(shards)]
    span = [TimeRange(start=first, end=first + dt.timedelta(63)) for first in wanted]
    each = days // shards
    days_of = [tuple(first + dt.timedelta(n) for n in range(each)) for first in wanted]
    return Plan(tuple(Shard(at, those, those, ()) for at, those in zip(span, days_of, strict=True)))


@pytest.mark.parametrize(
    ("workers", "days", "shards", "address"),
    [(1, 400, 8, None), (8, 56, 8, None), (8, 64, 1, None), (8, 0, 1, "tcp://127.0.0.1:1")],
)
def test_few_days_or_one_shard_start_nothing(
    workers: int, days: int, shards: int, address: str | None
) -> None:
    with crew_for(Settings(workers=workers, dask_address=address), planned(days, shards)) as crew:
        assert crew is None


def test_many_days_are_done_by_threads_in_order() -> None:
    with crew_for(Settings(workers=3), planned(400)) as crew:
        assert crew is not None
        assert crew.at_once == 3
        assert list(crew.spread(abs, [-3, -2, -1])) == [3, 2, 1]


def test_a_cluster_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crews, "WAIT", 1)
    settings = Settings(dask_address="tcp://127.0.0.1:9")
    with (
        pytest.raises(ConfigError, match=r"127\.0\.0\.1:9 cannot be used") as caught,
        crew_for(settings, planned(400)),
    ):
        pass
    assert "ISOTHERM_DASK_ADDRESS" in caught.value.remedy


@pytest.mark.parametrize(
    ("address", "used"), [("tcp://dask:8786", False), ("tcp://127.0.0.1:8786", True), ("", False)]
)
def test_what_is_simulated_on_this_machine_is_read_from_it(
    monkeypatch: pytest.MonkeyPatch, address: str, used: bool
) -> None:
    monkeypatch.setenv("ISOTHERM_DASK_ADDRESS", address)
    with job_for("demo") as job:
        assert bool(job.settings.dask_address) is used
    with job_for("sst-seas") as job:
        assert job.settings.dask_address == address


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return seas.write(tmp_path_factory.mktemp("record") / "record.nc", seas.sea(seas.days(last=LAST)))


@contextmanager
def cluster(**settings: Any) -> Iterator[Any]:
    """Worker processes of one thread each, which are begun again when they die."""
    from dask import config
    from distributed import LocalCluster

    with (
        config.set({"distributed.scheduler.allowed-failures": 2, **settings}),
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit=None, silence_logs=50
        ) as started,
    ):
        yield started


def job_at(folder: Path, record: Path) -> IngestJob:
    sea = Region(box=Box(latitude=(-40, -37.5), longitude=(150, 152.5)), regrid=RegridSpec(resolution=0.5))
    oisst = source("oisst", files=(str(record),))
    return IngestJob(oisst, {"small": sea}, folder / "cube", folder / "cache", folder / "quarantine")


def content(job: IngestJob) -> dict[str, Any]:
    root = zarr.open_group(repository.read_session(job.cube).store, mode="r")
    arrays = {name: item for name, item in root.members(max_depth=None) if isinstance(item, zarr.Array)}
    held = {name: np.asarray(item[:]) for name, item in arrays.items() if "ingested" not in name}
    return {name: v.tolist() if v.dtype.kind in "OT" else v.tobytes() for name, v in held.items()}


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore:.*:DeprecationWarning:distributed")
def test_a_worker_that_is_killed_in_the_middle_of_its_shard_is_replaced(tmp_path: Path, record: Path) -> None:
    alone, together = job_at(tmp_path / "alone", record), job_at(tmp_path / "together", record)
    expected = ingest(alone, PERIOD)
    mark = tmp_path / "died"
    with cluster() as started:
        settings = Settings(dask_address=started.scheduler_address)
        made = plan(together, PERIOD)
        with crew_for(settings, made) as crew:
            assert crew is not None
            assert crew.at_once == 2

            def spread(function: Any, work: Any) -> Any:
                return crew.spread(_Dies(function, str(mark)), work)

            (shards,) = batches(made.shards, crew.at_once)
            result = ingest_batch(together, shards, spread=spread, at_once=crew.at_once)
    assert len(list(tmp_path.glob("died*"))) == 1
    assert result.model_copy(update={"snapshot": None}) == expected.model_copy(update={"snapshot": None})
    assert content(together) == content(alone)
    made_commits = [
        commit.message for commit in repository.open_repository(together.cube).ancestry(branch="main")
    ]
    assert len([message for message in made_commits if message.startswith("append")]) == 1


class _Dies:
    """Writes a shard, and is killed before anyone hears of it; the first time only, or always."""

    def __init__(self, function: Any, mark: str, *, always: bool = False) -> None:
        self.function, self.mark, self.always = function, mark, always

    def __call__(self, work: Any) -> Any:
        done = self.function(work)
        try:
            Path(self.mark).touch(exist_ok=self.always)
        except FileExistsError:
            return done
        os.kill(os.getpid(), signal.SIGKILL)
        return done


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore:.*:DeprecationWarning:distributed")
def test_workers_that_are_killed_time_and_again_are_told_of(tmp_path: Path, record: Path) -> None:
    job = job_at(tmp_path, record)
    made = plan(job, PERIOD)
    before = repository.newest(job.cube)
    with cluster() as started, crew_for(Settings(dask_address=started.scheduler_address), made) as crew:
        assert crew is not None

        def spread(function: Any, work: Any) -> Any:
            return crew.spread(_Dies(function, str(tmp_path / "died"), always=True), work)

        with pytest.raises(IsothermError, match="killed time and again") as caught:
            ingest_batch(job, made.shards, spread=spread, at_once=2)
    assert "what was committed is kept" in caught.value.remedy
    assert repository.newest(job.cube) == before
    assert ingest(job, PERIOD).written == 300


WITHOUT = """
import importlib.metadata as metadata
import sys
from distributed.cli.dask_worker import main
known = metadata.version
def version(name):
    if name == "isotherm":
        raise metadata.PackageNotFoundError(name)
    return known(name)
metadata.version = version
sys.argv = ["dask-worker", sys.argv[1], "--no-nanny", "--nthreads", "1", "--no-dashboard", "--death-timeout", "60"]
main()
"""


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore:.*:DeprecationWarning:distributed")
def test_a_cluster_without_isotherm(tmp_path: Path) -> None:
    from distributed import LocalCluster

    with LocalCluster(n_workers=0, dashboard_address=None, silence_logs=50) as started:
        address = started.scheduler_address
        worker = subprocess.Popen(
            [sys.executable, "-c", WITHOUT, address],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            with (
                pytest.raises(ConfigError, match="has no isotherm; this is isotherm") as caught,
                crew_for(Settings(dask_address=address), planned(400)),
            ):
                pass
        finally:
            with suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGTERM)
            worker.wait(20)
    assert "install the same Isotherm" in caught.value.remedy

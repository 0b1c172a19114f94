"""Runs that nobody will end: those whose process is gone, and those that a long pause has made superfluous."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Iterator
from pathlib import Path

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import Cancelled, Crashed

BUSY = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
PAGE = 200


def reap(client: SyncPrefectClient, *, before: dt.datetime) -> list[str]:
    """Mark as Crashed the runs of this machine's workers that are under way without a living process.

    A run is of a worker if it is of a work pool; others, such as those of commands, are left to their heartbeats. One
    that has no process yet is taken for dead if it is so since `before`, when a worker began that is gone now.

    Returns
    -------
    list[str]
        Their names.
    """
    dead = [run for run in _runs(client, BUSY) if run.work_pool_name and _is_dead(run, before)]
    for run in dead:
        client.set_flow_run_state(
            run.id,
            Crashed(message="its process is gone; the deployment's next run does what it left"),
            force=run.state_type is StateType.CANCELLING,
        )
    return [run.name for run in dead]


def skip_late(client: SyncPrefectClient, *, before: dt.datetime) -> int:
    """Of the runs that each deployment's schedule wanted `before`, while nothing served, leave the newest alone.

    Returns
    -------
    int
        How many were cancelled.
    """
    seen: set[object] = set()
    skipped = 0
    for run in _runs(client, [StateType.SCHEDULED]):  # newest first
        if not run.auto_scheduled or run.expected_start_time is None or run.expected_start_time >= before:
            continue
        if run.deployment_id in seen:
            client.set_flow_run_state(run.id, Cancelled(message="a later run does its work"), force=True)
            skipped += 1
        seen.add(run.deployment_id)
    return skipped


def _runs(client: SyncPrefectClient, states: list[StateType]) -> Iterator[FlowRun]:
    """All runs in `states`, by expected start, the newest first."""
    wanted = FlowRunFilter.model_validate({"state": {"type": {"any_": states}}})
    found: list[FlowRun] = []
    while True:
        page = client.read_flow_runs(
            flow_run_filter=wanted,
            sort=FlowRunSort.EXPECTED_START_TIME_DESC,
            limit=PAGE,
            offset=len(found),
        )
        found += page
        if len(page) < PAGE:
            return iter(found)


def _is_dead(run: FlowRun, before: dt.datetime) -> bool:
    host, _, pid = (run.infrastructure_pid or "").rpartition(":")
    if not pid:
        return run.state is not None and run.state.timestamp < before
    return host in {"", socket.gethostname()} and not _lives(pid)


def _lives(pid: str) -> bool:
    """Whether the process is one of Prefect's: the number may have been given anew."""
    process = Path("/proc", pid)
    try:
        words = (process / "cmdline").read_bytes()
        if words:
            return b"prefect" in words
        # It has none at its end, before it is waited for, nor for a moment while it becomes another program.
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"

"""Which runs are ended by whom: the law of late runs, and processes that live or do not."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
DEPLOYMENTS = tuple(uuid4() for _ in range(3))


class Server:
    """As much of a server as is asked: runs, newest first, and their states."""

    def __init__(self, runs: Sequence[Any]) -> None:
        self.runs = sorted(runs, key=lambda run: run.expected_start_time, reverse=True)
        self.states: dict[UUID, str] = {}

    def read_flow_runs(self, *, flow_run_filter: Any, limit: int, offset: int, **_: Any) -> list[Any]:
        wanted = set(flow_run_filter.state.type.any_)
        return [run for run in self.runs if run.state_type in wanted][offset : offset + limit]

    def set_flow_run_state(self, run: UUID, state: Any, **_: Any) -> None:
        self.states[run] = state.type.value


def run(hours: float, deployment: UUID | None = None, **more: Any) -> Any:
    from prefect.client.schemas.objects import FlowRun, State, StateType

    kind = more.pop("kind", StateType.SCHEDULED)
    when = NOW + dt.timedelta(hours=hours)
    given_: dict[str, Any] = {"auto_scheduled": True, "deployment_id": deployment, **more}
    return FlowRun(
        flow_id=uuid4(),
        expected_start_time=when,
        state_type=kind,
        state=State(type=kind, timestamp=when),
        **given_,
    )


@given(
    st.lists(
        st.tuples(st.integers(-200, 50), st.sampled_from(DEPLOYMENTS), st.booleans()),
        max_size=20,
        unique=True,
    )
)
def test_of_what_was_due_meanwhile_the_newest_of_each_deployment_is_left(
    planned: list[tuple[int, UUID, bool]],
) -> None:
    from flows.reaping import skip_late

    runs = [run(hours, deployment, auto_scheduled=auto) for hours, deployment, auto in planned]
    server = Server(runs)
    skipped = skip_late(server, before=NOW)  # type: ignore[arg-type]
    assert skipped == len(server.states)
    assert {*server.states.values()} <= {"CANCELLED"}
    for deployment in DEPLOYMENTS:
        late = [
            r
            for r in runs
            if r.deployment_id == deployment and r.auto_scheduled and r.expected_start_time < NOW
        ]
        left = [r for r in late if r.id not in server.states]
        assert len(left) == bool(late)
        assert all(r.expected_start_time == max(each.expected_start_time for each in late) for r in left)
    kept = {r.id for r in runs if not r.auto_scheduled or r.expected_start_time >= NOW}
    assert kept.isdisjoint(server.states)


def test_runs_are_reaped_whose_process_is_gone_and_no_others() -> None:
    from prefect.client.schemas.objects import StateType

    from flows.reaping import reap

    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    unawaited = subprocess.Popen([sys.executable, "-c", "", "prefect"])
    os.waitid(os.P_PID, unawaited.pid, os.WEXITED | os.WNOWAIT)
    with subprocess.Popen([sys.executable, "-c", "input()", "prefect"], stdin=subprocess.PIPE) as living:
        pids = {
            "living": living.pid,
            "ended": ended.pid,
            "not waited for": unawaited.pid,
            "another program": os.getppid(),
        }
        running: dict[str, Any] = {"kind": StateType.RUNNING, "work_pool_name": "cpu"}
        runs = {name: run(-1, infrastructure_pid=str(pid), **running) for name, pid in pids.items()}
        runs["elsewhere"] = run(-1, infrastructure_pid=f"elsewhere:{ended.pid}", **running)
        runs["of a command"] = run(-1, kind=StateType.RUNNING)
        runs["without a process"] = run(-1, kind=StateType.PENDING, work_pool_name="cpu")
        runs["about to have one"] = run(+1, kind=StateType.PENDING, work_pool_name="cpu")
        runs["planned"] = run(+2, work_pool_name="cpu")
        server = Server([*runs.values()])
        told = reap(server, before=NOW)  # type: ignore[arg-type]
        living.communicate(b"\n")
    unawaited.wait()
    dead = {name for name, each in runs.items() if each.id in server.states}
    assert dead == {"ended", "not waited for", "another program", "without a process"}
    assert {*server.states.values()} == {"CRASHED"}
    assert sorted(told) == sorted(runs[name].name for name in dead)


@pytest.mark.parametrize("many", [0, 1, 450])
def test_all_pages_are_read(many: int) -> None:
    from prefect.client.schemas.objects import StateType

    from flows.reaping import reap

    server = Server([run(-1, kind=StateType.PENDING, work_pool_name="cpu") for _ in range(many)])
    assert len(reap(server, before=NOW)) == many  # type: ignore[arg-type]

"""What all tasks have in common, and which of them Prefect runs again.

Requests are made again where they fail, by the fetcher and by the libraries of object stores. The latter give up after
a number of failures, of whichever request; a store that is out of order for longer is waited for here.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun

from pipeline.errors import OutageError

PAUSE = 5
"""Seconds until a task that met an outage is run again."""


def is_passing(_: object, run: TaskRun, state: State[Any]) -> bool:
    """Whether an object store answered that it is out of order, and the task began within its access's patience."""
    error = state.result(raise_on_failure=False)
    if not isinstance(error, OutageError) or not error.fields.get("answered") or run.start_time is None:
        return False
    waited = dt.datetime.now(dt.UTC) - run.start_time
    return waited.total_seconds() < float(error.fields["patience"])


STEP: dict[str, Any] = {
    "cache_policy": NO_CACHE,
    "retries": 1000,
    "retry_delay_seconds": PAUSE,
    "retry_condition_fn": is_passing,
}

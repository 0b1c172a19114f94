"""Which failed tasks Prefect runs again: those that met an object store out of order, while its access is patient."""

from __future__ import annotations

import datetime as dt

import pytest

from pipeline.errors import OutageError, StoreError

ANSWERED = {"answered": True, "patience": 60.0}


@pytest.mark.parametrize(
    ("error", "seconds", "again"),
    [
        (OutageError("503", **ANSWERED), 0, True),
        (OutageError("503", **ANSWERED), 50, True),
        (OutageError("503", **ANSWERED), 70, False),
        (OutageError("no answer"), 0, False),
        (StoreError("broken", **ANSWERED), 0, False),
        (ValueError("defect"), 0, False),
    ],
)
def test_an_outage_is_waited_for_and_nothing_else(error: Exception, seconds: float, again: bool) -> None:
    from prefect.client.schemas.objects import TaskRun
    from prefect.states import Failed

    from flows.retrying import is_passing

    began = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=seconds)
    run = TaskRun(task_key="publish", dynamic_key="0", start_time=began)
    assert is_passing(None, run, Failed(data=error)) is again

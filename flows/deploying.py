"""What a Prefect server needs before it can run Isotherm: pools, queues, automations and deployments."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentUpdate, WorkPoolCreate
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectAlreadyExists
from prefect.workers.process import ProcessWorker

from flows.settings import EXPERIMENTS
from pipeline.errors import ConfigError, IsothermError

FOLDER = EXPERIMENTS.parent
POOLS: Mapping[str, Sequence[str]] = {"cpu": ("daily", "backfill"), "gpu": ()}
"""Queues of each pool, the most urgent first, beside Prefect's `default`."""
ON_DEMAND = "on-demand"
"""Name of the deployments that are of no experiment."""


def enter(*, command: str | None = None) -> None:
    """Make pools, queues and automations on the server; what is there stays."""
    with get_client(sync_client=True) as client:
        make_pools(client, command=command)
        make_automations(client)


def told(deployments: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A line a deployment: its name and when it runs."""
    for each in deployments:
        when = [str(s.get("cron") or f"every {s.get('interval')} s") for s in each.get("schedules", ())]
        yield f"  {_named(each):<22} {'; '.join(when) + ' UTC' if when else 'on demand'}"


def make_pools(client: SyncPrefectClient, *, command: str | None = None) -> None:
    """Pools of processes, and their queues; what is there stays but for the `command` that runs a flow."""
    template: dict[str, Any] = ProcessWorker.get_default_base_job_template()
    if command is not None:
        template["variables"]["properties"]["command"]["default"] = command
    for pool, queues in POOLS.items():
        wanted = WorkPoolCreate(name=pool, type="process", base_job_template=template)
        with suppress(ObjectAlreadyExists):
            client.create_work_pool(wanted, overwrite=command is not None)
        for priority, queue in enumerate(queues, 1):
            with suppress(ObjectAlreadyExists):
                client.create_work_queue(queue, work_pool_name=pool, priority=priority)


def make_automations(client: SyncPrefectClient) -> None:
    """Those of `automations.yaml`; one that is there by name stays."""
    for table in _read(FOLDER / "automations.yaml")["automations"]:
        wanted = AutomationCore.model_validate(table)
        if not client.read_automations_by_name(wanted.name):
            client.create_automation(wanted)


def deploy(experiments: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Enter the deployments of `prefect.yaml`, by Prefect's own command, and return them.

    Parameters
    ----------
    experiments
        To be scheduled in place of those that the file schedules.

    Raises
    ------
    IsothermError
        Prefect refuses them; it carries what was said.
    """
    plan = planned(experiments)
    with TemporaryDirectory(prefix="isotherm-") as folder:
        path = Path(folder) / "prefect.yaml"
        path.write_text(yaml.safe_dump(plan, sort_keys=False), encoding="utf-8")
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(path)],
            env={**os.environ, "PWD": str(Path.cwd()), "PREFECT_LOGGING_LEVEL": "WARNING"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise IsothermError(
            f"Prefect refused the deployments: {(done.stderr or done.stdout).strip()[-2000:]}",
            remedy=f"correct {FOLDER / 'prefect.yaml'}, or see that PREFECT_API_URL names a server that answers",
        )
    deployments: list[dict[str, Any]] = plan["deployments"]
    with get_client(sync_client=True) as client:
        _refuse_unknown(client, deployments)
    return deployments


def _refuse_unknown(client: SyncPrefectClient, deployments: Sequence[Mapping[str, Any]]) -> None:
    """Let parameters of unknown names be refused before a run is scheduled; Prefect's own command lets them pass."""
    for each in deployments:
        entered = client.read_deployment_by_name(_named(each))
        schema = {**(entered.parameter_openapi_schema or {}), "additionalProperties": False}
        client.update_deployment(entered.id, DeploymentUpdate(parameter_openapi_schema=schema))


def _named(deployment: Mapping[str, Any]) -> str:
    """As `flow/deployment`."""
    return f"{deployment['entrypoint'].rpartition('.')[2]}/{deployment['name']}"


def planned(experiments: Sequence[str] = ()) -> dict[str, Any]:
    """The content of `prefect.yaml`, with what it schedules copied for each of `experiments`, if any are given."""
    told = _read(FOLDER / "prefect.yaml")
    told.pop("definitions", None)
    given = told["deployments"]
    if experiments:
        scheduled = [each for each in given if each["name"] != ON_DEMAND]
        first = [each for each in scheduled if each["name"] == scheduled[0]["name"]]
        told["deployments"] = [each for each in given if each["name"] == ON_DEMAND] + [
            {**each, "name": name, "parameters": {**each["parameters"], "experiment": name}}
            for name in experiments
            for each in first
        ]
    return told


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open(encoding="utf-8") as file:
            told: dict[str, Any] = yaml.safe_load(file)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}", remedy="run Isotherm from a clone of its repository"
        ) from error
    return told

"""What is shipped can be used: experiments load, deployments name what there is, containers have no rights."""

import importlib
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
import yaml

from flows.deploying import ON_DEMAND, POOLS, planned
from flows.loading import load_experiment
from flows.settings import EXPERIMENTS, Settings
from pipeline.mirror.land import LATITUDE, LONGITUDE, ocean_mask
from pipeline.sources import SOURCES
from pipeline.types import Spec

ROOT = Path(__file__).parents[2]
SEAS = ("bengal", "korean", "black", "mediterranean", "arabian", "japan", "bohai", "okhotsk")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(EXPERIMENTS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_experiment_that_is_shipped_loads(path):
    experiment = load_experiment(path.stem, EXPERIMENTS)
    assert isinstance(experiment, Spec)
    assert experiment.description
    assert all(title != name for name, title in experiment.places.items())
    assert experiment.source_name in SOURCES


def test_the_eight_seas_have_ocean_in_the_simulated_mirror():
    seas = load_experiment("sst-seas", EXPERIMENTS)
    assert tuple(seas.regions) == SEAS
    for name in SEAS:
        box, grid = seas.regions[name], seas.region(name).grid
        assert all(edge % 0.25 == 0 for edge in (*box.latitude, *box.longitude))
        assert grid.latitude.size * grid.longitude.size <= 64 * 64
        rows = (box.latitude[0] < LATITUDE) & (box.latitude[1] > LATITUDE)
        columns = (LONGITUDE - box.longitude[0]) % 360 < box.width
        assert 0.25 < ocean_mask()[np.ix_(rows, columns)].mean() < 1


DEPLOYMENTS = yaml.safe_load(text("deployments/prefect.yaml"))["deployments"]


@pytest.mark.parametrize("told", DEPLOYMENTS, ids=lambda told: f"{told['entrypoint']}/{told['name']}")
def test_a_deployment_names_a_flow_an_experiment_and_a_queue_that_exist(told):
    module, _, attribute = told["entrypoint"].rpartition(".")
    assert (ROOT / f"{module.replace('.', '/')}.py").is_file()
    flow = getattr(importlib.import_module(module), attribute)
    pool, queue = told["work_pool"]["name"], told["work_pool"]["work_queue_name"]
    assert queue in {*POOLS[pool], "default"}
    assert told["description"]
    assert f"`{attribute}/{told['name']}`" in text("docs/operations.md")
    given = told.get("parameters", {})
    if told["name"] == ON_DEMAND:
        assert "experiment" not in given
        assert "schedules" not in told
        flow.validate_parameters({"experiment": "demo", **given})
        return
    assert told["name"] == given["experiment"]
    assert told["concurrency_limit"]["limit"] == 1
    load_experiment(given["experiment"], EXPERIMENTS)
    flow.validate_parameters(given)


def test_what_is_scheduled_for_one_experiment_can_be_for_others():
    def names(experiments):
        return {(each["entrypoint"], each["name"]) for each in planned(experiments)["deployments"]}

    assert len(names(())) == len(DEPLOYMENTS)
    scheduled = {flow for flow, name in names(()) if name != ON_DEMAND}
    on_demand = {(flow, name) for flow, name in names(()) if name == ON_DEMAND}
    wanted = ("demo", "jena-temperature")
    assert names(wanted) == on_demand | {(flow, name) for flow in scheduled for name in wanted}


def test_settings_in_containers_are_known():
    compose = yaml.safe_load(text("deployments/compose.yaml"))
    dockerfile = text("deployments/Dockerfile")
    said = set(re.findall(r"ISOTHERM_\w+", dockerfile + str(compose)))
    assert said <= {f"ISOTHERM_{name.upper()}" for name in Settings.model_fields}
    version = tomllib.loads(text("pyproject.toml"))["project"]["requires-python"].removeprefix(">=")
    assert f"FROM python:{version}-slim" in dockerfile


def test_no_container_has_rights():
    """Of our own image, the last USER of each target; of others, what Compose says."""
    for target in text("deployments/Dockerfile").split("\nFROM ")[1:]:
        assert re.findall(r"(?m)^USER (\w+)", target)[-1:] == ["isotherm"]
    for name, service in yaml.safe_load(text("deployments/compose.yaml"))["services"].items():
        own = "build" in service
        assert service.get("user", "root").startswith(("root", "0")) == own, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name

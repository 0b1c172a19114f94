"""The documents name what there is: links lead somewhere, and every command, key and variable is described."""

import importlib
import re
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import zarr
from pydantic import BaseModel
from typer.main import get_command

from flows.cli import app
from flows.experiments import Experiment
from flows.loading import load_experiment
from flows.settings import Settings
from models import MODELS, STATION_MODELS
from models.base import config_of
from pipeline.evaluation import METRICS
from pipeline.forecasts import RUNGS
from pipeline.publish.forecast import coordinate_attributes
from pipeline.sources import SOURCES
from pipeline.sources.jena_columns import QUANTITIES
from pipeline.store import series_schema
from pipeline.store.schema import PROVENANCE
from pipeline.store.series_derived import TIME_FEATURES, WIND
from pipeline.store.series_files import create_table

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)


def anchors(page: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def specs_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (dict, tuple, Union, UnionType) or get_args(annotation):
        return [found for inner in get_args(annotation) for found in specs_in(inner)]
    return []


def keys(spec: type[BaseModel], under: str = "") -> set[str]:
    """Dotted names of all keys of `spec` and of the tables in it."""
    found = set()
    for name, field in spec.model_fields.items():
        found.add(under + name)
        for inner in specs_in(field.annotation):
            found |= keys(inner, f"{under}{name}.")
    return found


def section(page: str, heading: str) -> str:
    """From the heading to the next of its own or a higher rank."""
    _, _, rest = page.partition(f"\n## {heading}\n")
    assert rest, f"there is no section {heading}"
    return rest.split("\n## ")[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(page):
    body = page.read_text(encoding="utf-8")
    prose = re.sub(r"`[^`\n]*`", "", FENCED.sub("", body))
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if target.startswith(("https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path) if path else page
        assert linked.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(linked.read_text(encoding="utf-8")), f"{page.name} links to {target}"


@pytest.mark.parametrize("picture", sorted(ROOT.glob("docs/*.svg")), ids=lambda path: path.name)
def test_pictures_are_well_formed_and_told_in_words(picture):
    root = ET.parse(picture).getroot()
    assert all(root.findtext(f"{{http://www.w3.org/2000/svg}}{part}") for part in ("title", "desc"))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_files_that_are_named_exist(page):
    named = re.findall(
        r"`((?:pipeline|flows|models|benchmarks|deployments|docs)/[\w/.-]+)`",
        page.read_text(encoding="utf-8"),
    )
    for path in named:
        assert (ROOT / path).exists(), f"{page.name} names {path}"


@pytest.mark.parametrize("command", get_command(app).commands)
def test_every_command_is_in_the_readme(command):
    assert re.search(rf"isotherm {command}\b|`{command}`", text("README.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_commands_that_are_named_exist(page):
    prose = page.read_text(encoding="utf-8")
    said = re.findall(r"(?:^\$ |`|^|bin/)isotherm ([a-z]+)", prose, flags=re.MULTILINE)
    assert set(said) <= set(get_command(app).commands)


@pytest.mark.parametrize("key", sorted(keys(Experiment) - {"name"}))
def test_every_key_of_an_experiment_is_described(key):
    page = text("docs/experiments.md")
    table, _, name = key.rpartition(".")
    outer = table.partition(".")[0]
    if any(other.startswith(f"{key}.") for other in keys(Experiment)) and not table:
        assert re.search(rf"^## `\[{name}[\].]", page, flags=re.MULTILINE), key
        return
    if not table:
        described = f"| `{key}` |" in section(page, "Top level")
        assert described or re.search(rf"^## `\[{key}[\].]", page, flags=re.MULTILINE), key
        return
    heading = next(line for line in page.splitlines() if line.startswith(f"## `[{outer}"))
    assert re.search(rf"`[^`]*\b{name}\b[^`]*`", section(page, heading.removeprefix("## "))), key


@pytest.mark.parametrize("model", MODELS)
def test_every_key_of_a_model_is_described_with_its_default(model):
    described = section(text("docs/experiments.md"), "`[model]`")
    for name, field in config_of(model).model_fields.items():
        assert f"| `{name}` | {field.default} |" in described


@pytest.mark.parametrize("name", SOURCES)
def test_every_key_of_a_source_is_described(name):
    described = section(text("docs/experiments.md"), "`[source]`")
    module, _, attribute = SOURCES[name].partition(":")
    for key in getattr(importlib.import_module(module), attribute).Config.model_fields:
        assert f"| `{key}` |" in described


@pytest.mark.parametrize(
    "table", ["fetch", "grid", "quality", "windows", "climatology", "training", "evaluation", "simulation"]
)
def test_defaults_are_those_of_the_specs(table):
    (spec,) = specs_in(Experiment.model_fields[table].annotation)
    described = section(text("docs/experiments.md"), f"`[{table}]`")
    for name, field in spec.model_fields.items():
        (said,) = re.findall(rf"^\| `{name}` \| (.*?) \|", described, flags=re.MULTILINE)
        if isinstance(field.default, bool):
            assert said == f"`{str(field.default).lower()}`"
        elif isinstance(field.default, int | float):
            assert float(said.replace("−", "-")) == field.default
        elif isinstance(field.default, str):
            assert said == f'`"{field.default}"`'
        elif field.is_required():
            assert said == "–"


def test_the_example_is_a_whole_experiment_and_every_rung_is_named(tmp_path):
    page = text("docs/experiments.md")
    (example,) = blocks(page, "toml")
    (tmp_path / "example.toml").write_text(example, encoding="utf-8")
    load_experiment("example", tmp_path)
    assert all(f"`{rung}`" in page or f'"{rung}"' in page for rung in RUNGS)


def test_every_setting_is_described():
    page = text("docs/operations.md")
    for name in Settings.model_fields:
        assert f"| `ISOTHERM_{name.upper()}` |" in page


def test_messages_that_are_explained_are_those_of_the_code():
    rows = re.findall(
        r"^\| `([^`]+)` \|", section(text("docs/operations.md"), "What to do when"), re.MULTILINE
    )
    code = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("pipeline", "models", "flows")
        for path in sorted((ROOT / folder).rglob("*.py"))
    )
    assert rows
    for said in rows:
        for part in said.split("…"):
            assert part.strip() in code, said


def test_every_variable_is_described():
    page = text("docs/store.md")
    coordinates = coordinate_attributes(np.array([24], "timedelta64[h]"), point=False)
    for name in ("sst", "status", "ingested_at", *PROVENANCE, *METRICS, *coordinates):
        assert re.search(rf"^\|.*`{name}`.*\|", page, flags=re.MULTILINE), name
    for name in METRICS:
        assert f"`{name}_map`" in page
        assert f"`{name}_hourly`" in page


def test_every_array_of_a_series_store_is_described():
    described = section(text("docs/store.md"), "The series store")
    station = series_schema.Station(name="roof", latitude=50.9, longitude=11.6)
    group = series_schema.create_group(zarr.group(), station)
    create_table(group)
    arrays = {name for name, _ in group.arrays()}
    for _, inner in group.groups():
        arrays |= {name for name, _ in inner.arrays()}
    for name in arrays:
        assert re.search(rf"^\|.*`{name}`.*\|", described, flags=re.MULTILINE), name
    for name, quantity in QUANTITIES.items():
        assert re.search(rf"^\| `{name}` \|.*\| {re.escape(quantity.units)} \|", described, re.MULTILINE), (
            name
        )
    for name in (*WIND, *(feature.name for feature in TIME_FEATURES)):
        assert f"`{name}`" in described


def test_every_model_of_a_station_is_described():
    described = section(text("docs/experiments.md"), "`[model]`")
    for name in STATION_MODELS:
        assert re.search(rf"^\| `{name}` \|", described, flags=re.MULTILINE), name


@pytest.mark.parametrize("block", blocks(text("CONTRIBUTING.md"), "python"), ids=lambda b: b.splitlines()[0])
def test_examples_of_additions_run(block):
    exec(compile(block, "CONTRIBUTING.md", "exec"), {"__name__": "example"})


@pytest.mark.parametrize("block", blocks(text("README.md"), "python"))
def test_the_readme_s_program_is_python(block):
    compile(block, "README.md", "exec")

"""The whole way on a small sea of local files: bad files, gaps, repetition, and kills in the middle."""

from __future__ import annotations

import datetime as dt
import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest
from rich.console import Console

from flows.settings import Settings
from flows.show_status import status
from flows.status import workspace_status
from models.champions import reigns
from pipeline.errors import FetchError, GridError, IsothermError, NotFoundError
from pipeline.quarantine import list_quarantine
from pipeline.store import repository
from pipeline.store.state import read_state, status_summary
from pipeline.types import Status
from pipeline.workspace import Workspace
from tests import seas

CUT = dt.date(2020, 8, 20)
NEWEST = seas.days(CUT + dt.timedelta(1))

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All days but the newest in one file."""
    return seas.write(tmp_path_factory.mktemp("record") / "record.nc", seas.sea(seas.days(last=CUT)))


def spoil(folder: Path) -> dict[dt.date, str]:
    """Daily files of the newest days, most of them bad: by day, what the refusal is to say."""
    good = {day: seas.sea([day]) for day in NEWEST}
    truncated, empty, html, shifted, warm, other, fill, hot = NEWEST[:8]
    kelvin = good[warm].assign(sst=good[warm].sst + 100)
    kelvin.sst.attrs["units"] = "kelvin"
    boiling = good[hot].assign(sst=good[hot].sst + 80)
    boiling.sst.attrs["units"] = "Celsius"
    odd = {
        shifted: good[shifted].assign_coords(lat=good[shifted].lat + 0.1),
        warm: kelvin,
        other: seas.sea([other + dt.timedelta(40)]),
        fill: good[fill].assign(sst=good[fill].sst.where(False)),
        hot: boiling,
    }
    for day in NEWEST:
        seas.write_day(folder, day, odd.get(day, good[day]))
    whole = (folder / seas.daily_name(truncated)).read_bytes()
    (folder / seas.daily_name(truncated)).write_bytes(whole[: len(whole) // 3])
    (folder / seas.daily_name(empty)).write_bytes(b"")
    (folder / seas.daily_name(html)).write_text("<!DOCTYPE html><html><body>Sorry</body></html>")
    return {
        truncated: "truncated",
        empty: "is empty",
        html: "HTML",
        shifted: "latitude is",
        warm: "'kelvin'",
        other: str(other + dt.timedelta(40)),
        fill: "",
        hot: "",
    }


def shown_status(workspace: Path) -> str:
    told = io.StringIO()
    status(Console(file=told, width=400), workspace_status(Settings(workspace=workspace)))
    return told.getvalue()


@dataclass
class Sea:
    """The small experiment with the newest days in daily files."""

    workspace: Path
    daily: Path
    globs: tuple[str, ...]
    told: dict[dt.date, str]


@pytest.fixture
def spoiled(experiments: Path, tmp_path: Path, record: Path) -> Sea:
    daily = tmp_path / "daily"
    told = spoil(daily)
    return Sea(tmp_path / "workspace", daily, (str(record), f"{daily}/*.nc"), told)


def test_bad_files_leave_gaps_that_mended_files_fill(spoiled: Sea) -> None:
    from flows.cycle import Cycle, cycle
    from flows.ingest import GapsError

    given = {"workspace": spoiled.workspace, "from_files": spoiled.globs}
    state = cycle("small", **given, return_state=True)
    assert (state.name, state.type.value) == ("FailedWithGaps", "FAILED")
    with pytest.raises(GapsError, match="8 days could not be had: 2020-08-21") as caught:
        state.result()
    first = caught.value.fields["done"]
    assert isinstance(first, Cycle)
    assert first.ingested.gaps == tuple(spoiled.told)
    assert first.ingested.written == len(seas.days()) - 8
    assert Path(first.released[0].forecast).is_dir()
    assert first.report.is_file()
    assert "isotherm status small" in caught.value.remedy

    workspace = Workspace(spoiled.workspace.resolve())
    held = read_state(workspace.cube("small"))
    assert [day for day in seas.days() if held.at(day)[0] == Status.MISSING] == [*spoiled.told]
    entries = {entry.days[0]: entry for entry in list_quarantine(workspace.quarantine("small"))}
    assert {*entries} == {*spoiled.told}
    for day, said in spoiled.told.items():
        assert said in entries[day].findings[0].message
        assert entries[day].file is not None
    shown = shown_status(spoiled.workspace)
    assert "8 days: 2020-08-21 … 2020-08-28" in shown
    assert "8 files" in shown
    assert "2020-08-21" not in shown.split("small")[0]
    assert entries[NEWEST[0]].findings[0].message in shown

    for day in spoiled.told:
        seas.write_day(spoiled.daily, day)
    second = cycle("small", **given)
    assert (second.ingested.written, second.ingested.gaps) == (8, ())
    assert second.models == first.models  # no training day has changed
    assert second.released[0].init_time == str(seas.LAST)
    shown = shown_status(spoiled.workspace)
    assert "gaps" in shown
    assert "none" in shown
    assert "refused" not in shown

    stores = (workspace.cube("small"), workspace.archive("small"))
    before = [repository.newest(store) for store in stores]
    products = sorted(path.name for path in workspace.published.rglob("*.zarr"))
    third = cycle("small", **given)
    assert third.ingested.written == 0
    assert third.models == second.models
    assert third.verdicts == second.verdicts
    assert third.released == second.released
    assert repository.newest(stores[0]) == before[0]
    assert sorted(path.name for path in workspace.published.rglob("*.zarr")) == products


def isotherm(*words: str, server: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PREFECT_API_URL": server, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [Path(sys.executable).with_name("isotherm"), *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def killed_at(words: tuple[str, ...], mark: str, server: str, kill: int = signal.SIGKILL) -> tuple[int, str]:
    """Exit status of a command that was killed when its progress said `mark`, and what it printed before."""
    with isotherm(*words, server=server) as process:
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if mark in line:
                os.killpg(process.pid, kill)
                said += process.stderr.read()
        return process.wait(), said


def test_a_run_that_is_interrupted_and_killed_goes_on(
    experiments: Path, tmp_path: Path, prefect_server: str
) -> None:
    seas.write_experiment(experiments, epochs=3)
    seas.write(tmp_path / "all.nc", seas.sea(seas.days()))
    words = ("run", "small", "--from-files", "all.nc")
    workspace = Workspace(tmp_path / "workspace")

    status, said = killed_at(words, "ingest: 128/", prefect_server, signal.SIGINT)
    assert status == 130, said
    assert "the same command goes on from there" in said
    assert "Traceback" not in said
    some = status_summary(workspace.cube("small")).final
    assert 128 <= some < 609

    status, said = killed_at(words, "train small: 1/3 loss", prefect_server)
    assert status == -signal.SIGKILL
    assert f"ingest: 0/{609 - some} days" in said
    assert not reigns(workspace.models("small", "small"))

    with isotherm(*words, server=prefect_server) as process:
        out, err = process.communicate()
    assert process.returncode == 0, err
    assert "ingest: 0/0 days" in err
    assert "epoch 1," not in err
    assert "3/3 loss" in err
    assert not [line for line in err.splitlines() if not line.startswith(("ingest", "train", "forecast"))]
    assert "ingested 0 days" in out
    assert str(workspace.report("small")) in out
    assert str(workspace.published / "catalog.json") in out


def test_a_region_without_ocean(experiments: Path, tmp_path: Path) -> None:
    from flows.ingest import ingest

    path = experiments / "small.toml"
    text = (
        path.read_text()
        .replace("[-40.0, -37.5]", "[-40.0, -39.0]")
        .replace("[150.0, 152.5]", "[150.0, 151.0]")
    )
    path.write_text(text)
    seas.write(tmp_path / "all.nc", seas.sea(seas.days(last=dt.date(2019, 1, 5))))
    with pytest.raises(GridError, match="small") as caught:
        ingest("small", from_files=("all.nc",))
    assert "ocean" in str(caught.value)
    assert status_summary(Workspace(tmp_path / "workspace").cube("small")).final == 0


def test_a_record_too_short_for_its_windows_says_so_with_the_gaps(experiments: Path, tmp_path: Path) -> None:
    from flows.cycle import cycle

    seas.write(
        tmp_path / "few.nc", seas.sea([seas.FIRST, *seas.days(dt.date(2019, 1, 4), dt.date(2019, 1, 9))])
    )
    with pytest.raises(IsothermError) as caught:
        cycle("small", from_files=("few.nc",))
    assert caught.value.remedy
    assert caught.value.__notes__ == ["2 days could not be had: 2019-01-02, 2019-01-03"]


def test_the_command_ends_with_3_where_there_are_gaps(
    experiments: Path, tmp_path: Path, prefect_server: str
) -> None:
    seas.write(tmp_path / "few.nc", seas.sea([seas.FIRST, dt.date(2019, 1, 3)]))
    with isotherm("ingest", "small", "--from-files", "few.nc", server=prefect_server) as process:
        out, err = process.communicate()
    assert process.returncode == 3
    told = out.splitlines()
    assert told[0] == "ingested 2 days (2 final, 0 preliminary), 1 day lacking"
    assert "the newest day that any lists is 2019-01-03, 606 days before 2020-08-31" in told[1]
    assert "not all: 1 day could not be had: 2019-01-02; all else is done" in err
    assert "→ `isotherm status small` lists the gaps" in err


def test_no_network(experiments: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from flows.ingest import ingest

    with pytest.raises(FetchError, match="no mirror can be listed") as caught:
        ingest("small", mirror="http://127.0.0.1:9")
    assert "--from-files" in caught.value.remedy
    assert "Traceback" not in capfd.readouterr().err
    with pytest.raises(NotFoundError):
        shown_status(Path("workspace"))


@pytest.mark.parametrize(
    "name", ["cycle", "ingest", "train", "retrain", "forecast", "evaluate", "publish", "report"]
)
def test_every_flow_can_be_deployed(name: str) -> None:
    from prefect.flows import load_flow_from_entrypoint

    module = "publish" if name == "report" else name
    flow = load_flow_from_entrypoint(f"flows.{module}.{name}")
    assert flow is getattr(import_module(f"flows.{module}"), name)
    given = {"experiment": "small", "workspace": "/srv/isotherm"}
    wanted = {"experiment": "small", "workspace": Path("/srv/isotherm")}
    if name in {"cycle", "ingest"}:
        given |= {"from_files": ["a.nc", "b.nc"]}
        wanted |= {"from_files": ("a.nc", "b.nc"), "mirror": None}
    if name == "ingest":
        given |= {"audit": "yes"}
        wanted |= {"audit": True}
    assert flow.validate_parameters({**given} | {key: None for key in wanted if key not in given}) == wanted
    assert flow.parameters.required == ["experiment"]


@pytest.mark.parametrize("name", ["train", "retrain", "forecast", "evaluate"])
def test_a_step_before_its_inputs_names_the_command(experiments: Path, name: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        getattr(import_module(f"flows.{name}"), name)("small")
    assert "isotherm ingest small" in caught.value.remedy


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Prefect's own logs are not part of what is tested."""
    import logging

    before = logging.getLogger("prefect").level
    logging.getLogger("prefect").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("prefect").setLevel(before)

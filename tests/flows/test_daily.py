"""Days of an operated experiment: new files, late ones, finals, reissues, gaps; each told by what is left behind."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from flows import cli
from flows.settings import Settings
from flows.status import ExperimentStatus, workspace_status
from pipeline.forecasts import archive
from pipeline.store import repository
from pipeline.types import Status
from pipeline.workspace import Workspace
from tests import seas

pytestmark = pytest.mark.usefixtures("prefect_server")

SEPTEMBER = dt.date(2020, 9, 1)


def day(number: int) -> dt.date:
    """Of September."""
    return SEPTEMBER + dt.timedelta(number - 1)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, prefect_server: str) -> Path:
    """A folder with the experiment, its record to the end of August, and a workspace in which it went the whole way."""
    from flows.cycle import cycle

    root = tmp_path_factory.mktemp("operated")
    experiment = seas.write_experiment(root / "experiments")
    lines = experiment.read_text().replace(f"end = {seas.LAST}\n", "", 1)
    experiment.write_text(lines + "\n[operations]\nscorecard_days = 300\nrecheck_days = 20\n")
    seas.write(root / "record.nc", seas.sea(seas.days()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ISOTHERM_EXPERIMENTS", str(root / "experiments"))
        patch.setenv("ISOTHERM_TODAY", "2020-09-01")
        patch.setenv("ISOTHERM_WORKERS", "1")
        cycle("small", workspace=root / "workspace", from_files=(str(root / "record.nc"),))
    shutil.copytree(root, root.with_name("kept"))
    return root


@dataclass
class Operated:
    """The experiment from September on, day by day."""

    root: Path
    patch: pytest.MonkeyPatch

    @property
    def workspace(self) -> Workspace:
        return Workspace((self.root / "workspace").resolve())

    def publish(self, number: int, *, preliminary: bool = True, add: float = 0.0) -> Path:
        """A day of September comes out, as preliminary or as final, which then takes the other's place."""
        sea = seas.sea([day(number)])
        sea["sst"] = sea.sst + np.float32(add)
        sea.sst.attrs["units"] = "Celsius"
        name = seas.daily_name(day(number))
        early = self.root / "daily" / name.replace(".nc", "_preliminary.nc")
        if preliminary:
            return seas.write(early, sea)
        early.unlink(missing_ok=True)
        return seas.write(self.root / "daily" / name, sea)

    def run(self, today: dt.date) -> Any:
        from flows.daily import daily

        self.patch.setenv("ISOTHERM_TODAY", str(today))
        globs = (str(self.root / "record.nc"), str(self.root / "daily" / "*.nc"))
        return daily("small", workspace=self.root / "workspace", from_files=globs, return_state=True)

    def done(self, today: dt.date) -> Any:
        state = self.run(today)
        assert state.is_completed(), state.message
        return state.result()

    def alerted(self, today: dt.date) -> Any:
        from flows.daily import AlertsError

        state = self.run(today)
        assert state.name == "FailedWithAlerts"
        with pytest.raises(AlertsError) as caught:
            state.result()
        return caught.value.fields["done"]

    def status(self, today: dt.date) -> ExperimentStatus:
        settings = Settings.load(workspace=self.root / "workspace").model_copy(update={"today": today})
        return workspace_status(settings).experiments[0]

    def product(self) -> xr.Dataset:
        """The newest forecast, as a consumer finds it."""
        item = sorted((self.workspace.published / "small").glob("*/*/*.json"))
        products = sorted(
            (self.workspace.published / "small" / "small").glob("forecast-*.zarr"),
            key=lambda path: path.stat().st_mtime_ns,
        )
        assert item or products
        with xr.open_zarr(products[-1]) as opened:
            return opened.load()


@pytest.fixture
def operated(trained: Path, monkeypatch: pytest.MonkeyPatch, request: Any) -> Operated:
    if "reported" not in request.keywords:
        # Drawing the report is most of what a day costs.
        monkeypatch.setattr(
            import_module("flows.daily"),
            "run_report",
            lambda job, *_: job.workspace.report(job.experiment.name),
        )
    # At the same place each time: the cube knows its files by their paths.
    shutil.rmtree(trained)
    shutil.copytree(trained.with_name("kept"), trained)
    monkeypatch.setenv("ISOTHERM_EXPERIMENTS", str(trained / "experiments"))
    return Operated(trained, monkeypatch)


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and "prefect" not in path.relative_to(folder).parts
    }


@pytest.mark.reported
def test_a_new_day_is_forecast_from_and_a_second_run_does_nothing(operated: Operated) -> None:
    for number in (1, 2):
        operated.publish(number)
    done = operated.done(day(3))
    assert (done.ingested.preliminary, done.ingested.final) == (2, 0)
    assert done.released[0].init_time == str(day(2))
    assert done.rescored == {}
    product = operated.product()
    assert product.init_time.values[0].astype("datetime64[D]").item() == day(2)
    assert product.input_status.values.tolist() == [Status.FINAL, Status.PRELIMINARY, Status.PRELIMINARY]
    assert product.valid_time.values[0, -1].astype("datetime64[D]").item() == day(4)
    assert json.loads(product.attrs["lineage"])["inputs"] == {
        "first": "2020-08-31",
        "last": "2020-09-02",
        "final": 1,
        "preliminary": 2,
    }

    before = contents(operated.workspace.root)
    assert operated.done(day(3)).ingested.written == 0
    after = contents(operated.workspace.root)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed == set()


def test_forecasts_are_verified_as_their_truth_comes(operated: Operated) -> None:
    verified = []
    for number in range(1, 5):
        operated.publish(number)
        card = operated.done(day(number + 1)).scorecards["small"]
        verified.append(card.verified)
        assert card.last_init == f"{day(number)}T00:00"
        assert card.waiting == 2  # the newest two forecasts lack their last lead
    # Each day brings the first lead of yesterday's forecast and the second of the one before.
    assert np.diff(verified).tolist() == [2, 2, 2]
    held = archive.read(operated.workspace.archive("small"), "small", card.model).load()
    assert held.init_time.values[-1].astype("datetime64[D]").item() == day(4)
    assert held.input_status.values[-1] == "PPP"
    status = operated.status(day(5))
    assert status.alerts == ()
    assert status.places[0].scorecard == card
    assert status.places[0].last_init == f"{day(4)}T00:00"
    assert [str(each) for each in status.preliminary_days] == [str(day(n)) for n in range(1, 5)]
    assert status.store_bytes > 10_000


def test_finals_are_scored_anew_and_what_they_changed_is_noted(operated: Operated) -> None:
    for number in (1, 2, 3):
        operated.publish(number)
    before = operated.done(day(4)).scorecards["small"]
    operated.publish(1, preliminary=False, add=0.2)
    after = operated.done(day(4))
    assert (after.ingested.final, after.ingested.preliminary) == (1, 0)
    card = after.scorecards["small"]
    assert card.verified == before.verified
    assert card.rmse["persistence"] != before.rmse["persistence"]
    found = operated.status(day(4)).places[0].revisions
    assert found is not None
    assert (found.days, found.first) == (1, str(day(1)))
    assert found.rmse == pytest.approx(0.2, abs=0.01)
    # What was issued stays as it was issued, and says what it was made from.
    held = archive.read(operated.workspace.archive("small"), "small", "persistence")
    assert held.input_status.values[-1] == "PPP"


def test_a_reissued_test_day_is_scored_anew_and_a_training_day_is_named(operated: Operated) -> None:
    operated.publish(1)
    first = operated.done(day(2))
    record = seas.sea(seas.days())
    for reissued in (dt.date(2019, 5, 5), dt.date(2020, 8, 20)):
        record["sst"].loc[{"time": np.datetime64(reissued)}] += np.float32(0.5)
    record.sst.attrs["units"] = "Celsius"
    seas.write(operated.root / "record.nc", record)
    from flows.ingest import ingest

    given = {"workspace": operated.root / "workspace", "from_files": (str(operated.root / "record.nc"),)}
    audited = ingest("small", audit=True, **given)
    assert audited.final > 0
    done = operated.done(day(2))
    assert "test days have changed" in done.rescored["small"]
    assert done.scorecards["small"].rmse != first.scorecards["small"].rmse
    assert operated.done(day(2)).rescored == {}
    place = operated.status(day(2)).places[0]
    assert place.changed_training_days
    (note,) = [each for each in operated.status(day(2)).alerts if each.kind == "learned-from-changed"]
    assert note.severity == "note"


def test_stale_input_is_not_forecast_from_and_somebody_is_told(operated: Operated) -> None:
    operated.publish(1)
    operated.done(day(2))
    before = repository.newest(operated.workspace.archive("small"))
    done = operated.alerted(day(20))
    assert [alert.kind for alert in done.alerts] == ["stale"]
    assert repository.newest(operated.workspace.archive("small")) == before
    told = CliRunner().invoke(
        cli.app,
        ["status", "small", "--workspace", str(operated.root / "workspace")],
        env={"ISOTHERM_TODAY": str(day(20)), "COLUMNS": "200"},
    )
    assert told.exit_code == 4
    assert "19 days before 2020-09-20" in " ".join(told.output.split())
    as_json = CliRunner().invoke(
        cli.app,
        ["status", "--json", "--workspace", str(operated.root / "workspace")],
        env={"ISOTHERM_TODAY": str(day(2))},
    )
    assert as_json.exit_code == 0
    assert json.loads(as_json.output)["experiments"][0]["places"][0]["published"]


def test_a_gap_is_seen_while_it_lasts_and_heals(operated: Operated) -> None:
    for number in (1, 2, 4):
        operated.publish(number)
    done = operated.alerted(day(5))
    assert {alert.kind for alert in done.alerts} == {"gap", "behind"}
    assert done.released[0].init_time == str(day(2))
    assert operated.status(day(5)).data.gaps[0].start == str(day(3))
    operated.publish(3)
    done = operated.done(day(5))
    assert done.alerts == ()
    assert done.released[0].init_time == str(day(4))


def test_in_an_outage_what_was_taken_in_is_forecast_from(operated: Operated) -> None:
    from flows.daily import AlertsError, daily
    from flows.ingest import ingest

    path = operated.publish(1)
    ingest("small", workspace=operated.root / "workspace", from_files=(str(path),))
    operated.patch.setenv("ISOTHERM_TODAY", str(day(2)))
    with pytest.raises(AlertsError) as caught:
        daily("small", workspace=operated.root / "workspace", mirror="http://127.0.0.1:9")
    done = caught.value.fields["done"]
    (alert,) = done.alerts
    assert (alert.kind, alert.about) == ("unreachable", "small")
    assert "no mirror can be listed" in alert.message
    assert done.released[0].init_time == str(day(1))
    assert done.scorecards["small"].last_init == f"{day(1)}T00:00"


def test_a_refused_file_is_told_with_its_reason(operated: Operated) -> None:
    operated.publish(1)
    path = operated.publish(2)
    path.write_text("<html>Sorry</html>")
    done = operated.alerted(day(3))
    (refused,) = [alert for alert in done.alerts if alert.kind == "refused"]
    assert "HTML" in refused.message
    operated.publish(2)
    assert operated.done(day(3)).alerts == ()
    path = operated.publish(1, preliminary=False)
    path.write_text("<html>Sorry</html>")
    assert {alert.kind for alert in operated.alerted(day(3)).alerts} == {"refused"}
    operated.publish(1, preliminary=False)
    assert operated.done(day(3)).alerts == ()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Prefect's own logs are not part of what is tested."""
    import logging

    before = logging.getLogger("prefect").level
    logging.getLogger("prefect").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("prefect").setLevel(before)

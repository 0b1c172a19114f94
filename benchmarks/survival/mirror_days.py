"""A cycle simulated day by day against a mirror with every fault it knows, and what is to be true on each day."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import xarray as xr

from benchmarks.survival import require
from benchmarks.survival.troubles import (
    EXPERIMENT,
    HISTORY,
    HORIZON,
    NAME,
    ONE_DAY,
    SCORECARD,
    SEA,
    SIXTY_DAYS,
    START,
    TEST,
    TODAY,
    Trouble,
)
from benchmarks.survival.truth import equal_to_truth, retained
from flows.settings import Settings
from flows.status import ExperimentStatus, workspace_status
from pipeline.forecasts import archive
from pipeline.mirror import Fault, Mirror, SimulatedOcean
from pipeline.quarantine import list_quarantine
from pipeline.store.state import CubeState, read_state
from pipeline.types import Status, TimeRange
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path


@dataclass
class Days:
    """What was counted."""

    runs: int = 0
    gaps_seen: int = 0
    """Days that were lacking when a run ended, each day of each run: all were told by `status`."""
    failed_runs: int = 0
    alerts: Counter[str] = field(default_factory=Counter)
    products: int = 0
    cards: int = 0
    rescored: int = 0
    equal_days: int = 0
    replaced: int = 0
    """Preliminary days that their finals took the place of."""
    answers: Counter[int] = field(default_factory=Counter)
    """Of the mirrors, by status."""
    expired: int = 0
    """Snapshots that retention let go at the end."""
    traced: int = 0
    """Published forecasts whose snapshots are there after it."""
    refused: int = 0
    """Files that lie in the quarantine at the end."""
    troubles: list[str] = field(default_factory=list)


class Diary:
    """The experiment `days` beside its mirror; each `run` is one day."""

    def __init__(self, root: Path, mirror: Mirror, troubles: Sequence[Trouble]) -> None:
        self.root, self.mirror, self.troubles = root, mirror, troubles
        self.workspace = Workspace((root / "workspace").resolve())
        self.found = Days(troubles=[each.what for each in troubles])
        self._standing: dict[str, list[Fault | str]] = {}
        self._may_lack: dict[str, tuple[dt.date, ...]] = {}
        self._held: CubeState | None = None
        self._products: set[Path] = set()
        self._inits: set[dt.date] = set()

    @property
    def today(self) -> dt.date:
        """The mirror's."""
        return self.mirror.today

    def begin(self) -> None:
        """The whole way once, without faults."""
        from flows.cycle import cycle

        (self.root / "experiments").mkdir(parents=True)
        (self.root / "experiments" / f"{NAME}.toml").write_text(EXPERIMENT)
        with self._day():
            cycle(NAME, workspace=self.workspace.root, mirror=self.mirror.url)
        # Validation ends the day before test, and between their windows there is a gap of a window's length.
        first = TEST.start + (HISTORY + HORIZON + HISTORY - 1) * ONE_DAY
        self._inits = {day for day in TEST.days().tolist() if first <= day <= TEST.end - HORIZON * ONE_DAY}
        self._inits.add(self.today - ONE_DAY)
        require(self._archived_inits() == self._inits, f"forecast from {sorted(self._archived_inits())}")
        self._products = self._published()
        self._held = read_state(self.workspace.cube(NAME))

    def run(self, number: int, *, reported: bool = True) -> None:
        """The next day, with the troubles of this run; all that is to be true at its end is looked at."""
        self.mirror.advance()
        newest = self.today - ONE_DAY
        outage = False
        for trouble in self.troubles:
            if trouble.runs and number == trouble.first + trouble.runs:
                for fault in self._standing.pop(trouble.what):
                    self.mirror.faults.remove(fault)
                self._may_lack.pop(trouble.what)
            if number == trouble.first:
                self._standing[trouble.what] = list(trouble.faults(newest))
                self._may_lack[trouble.what] = tuple(newest - back * ONE_DAY for back in trouble.about)
                for fault in self._standing[trouble.what]:
                    self.mirror.faults.add(fault)
            if trouble.outage and trouble.first <= number < trouble.first + trouble.runs:
                outage = True
                self._may_lack[trouble.what] += (newest,)
        state = self._daily(reported=reported)
        self.found.runs += 1
        self._check_day(number, state, outage=outage)

    def _daily(self, *, reported: bool) -> Any:
        from flows.daily import daily

        with self._day():
            if reported:
                return daily(NAME, workspace=self.workspace.root, mirror=self.mirror.url, return_state=True)
            with patch("flows.daily.run_report", lambda job, *_: job.workspace.report(job.experiment.name)):
                return daily(NAME, workspace=self.workspace.root, mirror=self.mirror.url, return_state=True)

    @contextmanager
    def _day(self) -> Iterator[None]:
        given = {
            "ISOTHERM_TODAY": str(self.today),
            "ISOTHERM_EXPERIMENTS": str(self.root / "experiments"),
            "ISOTHERM_WORKERS": "1",
        }
        with patch.dict(os.environ, given):
            yield

    def status(self) -> ExperimentStatus:
        """What `isotherm status` tells today."""
        with self._day():
            return workspace_status(Settings.load(workspace=self.workspace.root)).experiments[0]

    def _check_day(self, number: int, state: Any, *, outage: bool) -> None:
        held, told = read_state(self.workspace.cube(NAME)), self.status()
        wanted = [START + number * ONE_DAY for number in range((self.today - START).days)]
        lacking = {day for day in wanted if held.at(day)[0] == Status.MISSING}
        allowed = {day for days in self._may_lack.values() for day in days}
        require(
            lacking <= allowed,
            f"{self.today}: {sorted(lacking - allowed)} lack, and nothing was wrong with them",
        )
        gaps = [
            TimeRange(start=dt.date.fromisoformat(gap.start), end=dt.date.fromisoformat(gap.end))
            for gap in told.data.gaps
        ]
        inside = {day for gap in gaps for day in gap.days().tolist()}
        behind = {day for day in wanted if told.data.last_day is None or str(day) > told.data.last_day}
        require(
            inside | behind == lacking, f"{self.today}: {lacking} lack, and status tells of {inside | behind}"
        )
        kinds = {alert.kind for alert in told.alerts}
        require(not inside or "gap" in kinds, f"{self.today}: no alert of the gap {inside}")
        pressing = {alert.kind for alert in told.alerts if alert.severity == "act"}
        wrong = any(each.about or each.outage or each.refused for each in self._troubles_now(number))
        require(wrong or not pressing, f"{self.today}: {pressing}, and nothing is wrong any more")
        refused = any(each.refused for each in self._troubles_now(number))
        require(not refused or "refused" in pressing, f"{self.today}: no alert of a refused file")
        if outage:
            require("no mirror can be listed" in state.message, f"{self.today}: {state.message}")
        name = "FailedWithAlerts" if pressing or outage else "Completed"
        require(state.name == name, f"{self.today}: {state.name}, not {name}: {state.message}")
        self._check_forecast(held, told)
        self.found.gaps_seen += len(lacking)
        self.found.failed_runs += not state.is_completed()
        self.found.alerts.update(kinds)
        before = self._held
        assert before is not None
        both = [day for day in before.days.tolist() if before.at(day)[0] == Status.PRELIMINARY]
        self.found.replaced += sum(held.at(day)[0] == Status.FINAL for day in both)
        self.found.rescored += bool(_done(state).rescored)
        self._held = held

    def _troubles_now(self, number: int) -> list[Trouble]:
        return [each for each in self.troubles if each.first <= number < each.first + each.runs]

    def _archived_inits(self) -> set[dt.date]:
        held = archive.read(self.workspace.archive(NAME), SEA, "persistence")
        return {*held.init_time.values.astype("datetime64[D]").tolist()}

    def _published(self) -> set[Path]:
        return {*(self.workspace.published / NAME / SEA).glob("forecast-*.zarr")}

    def _check_forecast(self, held: CubeState, told: ExperimentStatus) -> None:
        """The newest forecast is from the newest whole history, says its days' status, and is counted."""
        days = [day for day in held.days.tolist() if held.at(day)[0] > Status.MISSING]
        whole = [day for day in days if all(held.at(day - n * ONE_DAY)[0] for n in range(HISTORY))]
        newest = max(whole)
        self._inits.add(newest)
        require(self._archived_inits() == self._inits, f"{self.today}: other init times than expected")
        for path in sorted(self._published() - self._products):
            with xr.open_zarr(path) as product:
                init = product.init_time.values[0].astype("datetime64[D]").item()
                made_from = product.input_time.values.astype("datetime64[D]").tolist()
                status = product.input_status.values.tolist()
                lineage = json.loads(product.attrs["lineage"])["inputs"]
            require(init == newest, f"{self.today}: published from {init}, not {newest}")
            require(
                made_from == [newest - n * ONE_DAY for n in range(HISTORY - 1, -1, -1)],
                f"{path}: {made_from}",
            )
            expected = [int(held.at(day)[0]) for day in made_from]
            require(status == expected, f"{path} says {status}, and was made from {expected}")
            require(lineage["final"] == expected.count(Status.FINAL), f"{path}: {lineage}")
            self.found.products += 1
        self._products = self._published()
        place = told.places[0]
        require(place.last_init == f"{newest}T00:00", f"{self.today}: status tells {place.last_init}")
        recent = [init for init in self._inits if init >= held.days[-1].item() - SCORECARD * ONE_DAY]
        known = {
            init: [bool(held.at(init + lead * ONE_DAY)[0]) for lead in range(1, HORIZON + 1)]
            for init in recent
        }
        card = place.scorecard
        assert card is not None
        counted = (card.forecasts, card.verified, card.waiting)
        expected = (len(recent), sum(map(sum, known.values())), sum(not all(each) for each in known.values()))
        require(counted == expected, f"{self.today}: the scorecard counts {counted}, not {expected}")
        self.found.cards += 1

    def finish(self) -> None:
        """An audit, which finds what is reissued far back, and one more run; then the store is the mirror's truth."""
        from flows.composing import job_for
        from flows.ingest import ingest

        with self._day():
            ingest(NAME, workspace=self.workspace.root, mirror=self.mirror.url, audit=True)
        self._daily(reported=True)
        told = self.status()
        require(told.data.gaps == (), f"gaps are left: {told.data.gaps}")
        require(told.data.last_day == str(self.today - ONE_DAY), f"the newest day is {told.data.last_day}")
        require(told.refused == (), f"still refused: {told.refused}")
        require(not [each for each in told.alerts if each.severity == "act"], f"{told.alerts}")
        with self._day(), job_for(NAME, workspace=self.workspace.root, mirror=self.mirror.url) as job:
            self.found.expired, self.found.traced = retained(job)
        self.found.equal_days = equal_to_truth(self.mirror, self.workspace)
        self.found.answers.update(status for _, _, status in self.mirror.requests)
        self.found.refused = len(list_quarantine(self.workspace.quarantine(NAME)))


def _done(state: Any) -> Any:
    """What a daily run gave, whether it ended with alerts or without."""
    result = state.result(raise_on_failure=False)
    return result.fields["done"] if isinstance(result, Exception) else result


def sixty_days(
    root: Path,
    *,
    runs: int = 60,
    troubles: Sequence[Trouble] = SIXTY_DAYS,
    reported: Callable[[int], bool] = lambda number: number % 15 == 0,
    say: Callable[[str], None] = print,
) -> Days:
    """Simulate `runs` days, and look at each.

    Raises
    ------
    AssertionError
        Something was not as it must be.
    """
    with Mirror(ocean=SimulatedOcean(seed=4, first=START, today=TODAY)) as mirror:
        diary = Diary(root, mirror, troubles)
        diary.begin()
        for number in range(1, runs + 1):
            diary.run(number, reported=reported(number))
            if number % 10 == 0:
                say(f"  {number} of {runs} days, {diary.found.gaps_seen} gaps seen and told")
        diary.finish()
    return diary.found

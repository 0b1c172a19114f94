"""What is wrong with the mirrors in sixty days, run by run, and the experiment that lives through it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.mirror import Fault
from pipeline.types import Box, TimeRange

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NAME, SEA = "days", "sea"
START, TODAY = dt.date(2020, 1, 1), dt.date(2020, 5, 1)
TEST = TimeRange(start=dt.date(2020, 4, 1), end=dt.date(2020, 4, 26))
AROUND = Box(latitude=(-46.5, -35.5), longitude=(149.5, 160.5))
"""The region with half a degree more."""
HISTORY, HORIZON, SCORECARD = 3, 2, 40
EXPERIMENT = f"""
title = "A simulated sea, taken in day by day"

[source]
name = "oisst"
mirrors = ["open-data", "ncei"]

[fetch]
attempts = 3
connect_attempts = 1
backoff = 0.01
longest_backoff = 0.05
longest_retry_after = 0.2
read_timeout = 1.0
per_second = 1000

[period]
start = {START}

[regions.{SEA}]
latitude = [-46.0, -36.0]
longitude = [150.0, 160.0]

[grid]
resolution = 1.0

[splits]
train = {{ start = {START}, end = 2020-03-10 }}
validation = {{ start = 2020-03-11, end = 2020-03-31 }}
test = {{ start = {TEST.start}, end = {TEST.end} }}

[windows]
history = {HISTORY}
horizon = {HORIZON}

[climatology]
harmonics = 0

[model]
name = "convlstm"
filters = 2
head = 2
patch = 1

[training]
epochs = 1
batch_size = 32

[evaluation]
block_length = 5
resamples = 50

[operations]
recheck_days = 40
scorecard_days = {SCORECARD}
"""
ONE_DAY = dt.timedelta(1)


@dataclass(frozen=True)
class Trouble:
    """What is wrong with the mirrors from the run number `first` on, for `runs` of them; always where that is 0.

    Parameters
    ----------
    faults
        Given the newest day there is when the trouble begins.
    about
        The days, counted back from that one, that may be lacking meanwhile; all later ones in an outage.
    """

    what: str
    first: int
    runs: int
    faults: Callable[[dt.date], Sequence[Fault | str]]
    about: tuple[int, ...] = ()
    outage: bool = False
    refused: bool = False
    """The files are refused, which an alert tells of while nothing as good has come."""


def files_of(day: dt.date, mark: str = "*") -> str:
    """Glob of a day's file: both forms, or with `mark` `.nc` the final and `_p*` the preliminary alone."""
    return f"…/oisst-avhrr-v02r01.{day:%Y%m%d}{mark}"


def at(text: str, *, back: int = 0, mark: str = "*") -> Callable[[dt.date], list[Fault | str]]:
    """One fault of the file that is `back` days older than the newest; `text` is what stands before the glob."""
    return lambda newest: [f"{text}:{files_of(newest - back * ONE_DAY, mark)}"]


def stalled(newest: dt.date) -> list[Fault | str]:
    return [Fault(kind="stall", match=files_of(newest), times=1, seconds=30)]


def reissued(day: dt.date) -> Callable[[dt.date], list[Fault | str]]:
    return lambda _: [f"changed:{files_of(day, '.nc')}"]


def three_at_once(newest: dt.date) -> list[Fault | str]:
    return [*at("late")(newest), *at("corrupt", back=14, mark=".nc")(newest), *at("503*2", back=-1)(newest)]


SIXTY_DAYS = (
    Trouble("503, twice", 2, 1, at("503*2")),
    Trouble("503 with Retry-After", 3, 1, at("503*1@1")),
    Trouble("429 with Retry-After", 4, 1, at("429*1@1")),
    Trouble("500, twice", 5, 1, at("500*2")),
    Trouble("truncated, twice", 6, 1, at("truncate*2")),
    Trouble("stalled once", 7, 1, stalled),
    Trouble("404 at the first mirror", 8, 1, lambda day: [f"404:/open-data/*{day:%Y%m%d}*"]),
    Trouble("a page of HTML at both", 9, 1, at("html"), about=(0,)),
    Trouble("the first mirror down", 11, 1, lambda _: ["503:/open-data/*"]),
    Trouble("a listing that is a page of HTML", 12, 1, lambda _: ["html:/open-data/[?]*"]),
    Trouble("a preliminary that vanishes after its listing", 13, 1, at("vanish"), about=(0,)),
    Trouble("a corrupt file, mended two days later", 15, 2, at("corrupt"), about=(0,)),
    Trouble("a late file, by three days", 19, 3, at("late"), about=(0,)),
    Trouble("an outage of all mirrors, three days", 24, 3, lambda _: ["503:*"], outage=True),
    Trouble("a reissued final", 28, 0, at("changed", back=20, mark=".nc")),
    Trouble("a reissued final of a test day", 31, 0, reissued(dt.date(2020, 4, 25))),
    Trouble("a reissued preliminary", 33, 4, at("changed", back=3, mark="_p*")),
    Trouble("a final that comes six days late", 35, 6, at("late", back=14, mark=".nc")),
    Trouble("403 at the first mirror", 43, 1, lambda _: ["403:/open-data/*"]),
    Trouble("always truncated at the first mirror", 44, 1, lambda day: [f"truncate:/open-data/*{day:%Y%m%d}*"]),
    Trouble("a corrupt final, mended two days later", 46, 2, at("corrupt", back=14, mark=".nc"), refused=True),
    Trouble("listings answered 503, twice", 50, 1, lambda _: ["503*2:/open-data/[?]*"]),
    Trouble("an old final reissued, which an audit finds", 53, 0, reissued(dt.date(2020, 2, 2))),
    Trouble("at once: late, corrupt, and 503", 55, 2, three_at_once, about=(0,), refused=True),
    Trouble("a preliminary that vanishes at both", 58, 1, at("vanish"), about=(0,)),
)  # fmt: skip
"""Run by run of sixty."""

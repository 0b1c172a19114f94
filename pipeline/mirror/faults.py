"""Faults on request: what a mirror does wrong, to which paths, and how often."""

from __future__ import annotations

import re
import threading
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal, Self

from pydantic import NonNegativeFloat, PositiveInt, model_validator

from pipeline.errors import ConfigError
from pipeline.types import Spec

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal["status", "truncate", "stall", "corrupt", "html", "changed", "late", "vanish"]
STANDING = ("changed", "late")
"""Of a daily file in every layout, for as long as the fault is there."""

TEXT = re.compile(
    r"(?P<kind>\d{3}|truncate|stall|corrupt|html|changed|late|vanish)(?:\*(?P<times>\d+))?(?:@(?P<after>[\d.]+))?:(?P<match>.+)"
)


class Fault(Spec):
    """One thing that goes wrong.

    `status` answers with `status` (and `Retry-After`, if given), `truncate` breaks the body off in its middle,
    `stall` sends half of it and then nothing for `seconds`, `corrupt` sends it whole with garbled bytes, `html` answers
    200 with a page, `vanish` answers 404 to what is listed, `changed` reissues a day with other values, a new version
    and a new ETag, and what is `late` is neither listed nor served.
    """

    kind: Kind
    match: str
    """Glob on the path with its query, in which `…/` stands for any beginning: `…/20200105*`. What is `changed`
    or `late` is a daily file in every layout, so that of its glob only the part after the last slash counts."""
    status: int = 503
    times: PositiveInt | None = None
    """How often it happens; always, if None. What is changed or late stays so."""
    retry_after: NonNegativeFloat | None = None
    """Seconds."""
    seconds: NonNegativeFloat = 3600.0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not 400 <= self.status <= 599:
            raise ValueError(f"status is an error from 400 to 599 and got {self.status}")
        return self

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `KIND[*TIMES][@RETRY_AFTER]:GLOB`, where KIND is a kind or a status code.

        Examples
        --------
        >>> Fault.parse("503*2@1:…/oisst-avhrr-v02r01.20200105*").times
        2

        Raises
        ------
        ConfigError
            The text has another form.
        """
        found = TEXT.fullmatch(text.strip())
        if found is None:
            raise ConfigError(
                f"cannot read the fault {text!r}",
                remedy="write KIND[*TIMES][@RETRY_AFTER]:GLOB, with a kind of 503 (any status code), truncate, "
                "stall, corrupt, html, changed, late or vanish; for example 503*2:…/20200105*",
                given=text,
            )
        kind, after = found["kind"], found["after"]
        given = {"kind": "status", "status": int(kind)} if kind.isdigit() else {"kind": kind}
        times = {"times": int(found["times"])} if found["times"] else {}
        return cls(match=found["match"], retry_after=float(after) if after else None, **given, **times)

    def hits(self, path: str) -> bool:
        """Whether `path` is meant."""
        pattern = self.match.replace("…/", "*")
        return fnmatchcase(path, pattern.rpartition("/")[2] if self.kind in STANDING else pattern)


class Faults:
    """The faults of one mirror, counted down as they happen."""

    def __init__(self, faults: Iterable[Fault | str]) -> None:
        self._faults: list[tuple[Fault, int | None]] = []
        self._lock = threading.Lock()
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault | str) -> None:
        """From now on, `fault` happens too."""
        made = Fault.parse(fault) if isinstance(fault, str) else fault
        with self._lock:
            self._faults.append((made, made.times))

    def remove(self, fault: Fault | str) -> None:
        """What was added as `fault` happens no more."""
        gone = Fault.parse(fault) if isinstance(fault, str) else fault
        with self._lock:
            self._faults = [(each, left) for each, left in self._faults if each != gone]

    def clear(self) -> None:
        """All is well again; what was changed goes back."""
        with self._lock:
            self._faults.clear()

    def next(self, path: str) -> Fault | None:
        """The fault that happens to this request, if any."""
        with self._lock:
            for place, (fault, left) in enumerate(self._faults):
                if fault.kind not in STANDING and left != 0 and fault.hits(path):
                    self._faults[place] = (fault, None if left is None else left - 1)
                    return fault
        return None

    def revision(self, name: str) -> int:
        """How often the daily file called `name` has been reissued."""
        with self._lock:
            return sum(fault.kind == "changed" and fault.hits(name) for fault, _ in self._faults)

    def late(self, name: str) -> bool:
        """Whether the daily file called `name` is not out yet."""
        with self._lock:
            return any(fault.kind == "late" and fault.hits(name) for fault, _ in self._faults)

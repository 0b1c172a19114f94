"""Stays in intensive care made in NumPy, in the genuine file format: sicker patients die more often."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pipeline.records.base import RecordSet, RecordTable
from pipeline.sources import record_source
from pipeline.sources.base import Fetched
from pipeline.sources.cache import sha256_of

HEADER = "Time,Parameter,Value"
FIRST = 132539


def stay(
    record: int, *, hours: int = 48, heart_rate: float = 80.0, every: int = 60, age: float = 60.0
) -> list[str]:
    """Lines of a patient's file whose heart rate is noted each `every` minutes, and creatinine now and then."""
    lines = [
        HEADER,
        f"00:00,RecordID,{record}",
        f"00:00,Age,{age:g}",
        "00:00,Gender,0",
        "00:00,Height,-1",
        "00:00,ICUType,3",
        "00:00,Weight,70",
    ]
    for minute in range(7, 60 * hours, every):
        lines.append(f"{minute // 60:02}:{minute % 60:02},HR,{heart_rate + minute % 5:g}")
        if minute % 7 == 0:
            lines.append(f"{minute // 60:02}:{minute % 60:02},Creatinine,1.2")
    return lines


def stays(count: int, *, seed: int = 0, shortest: int = 48) -> tuple[dict[int, list[str]], dict[int, int]]:
    """Files and outcomes by record: about a third die, of those with a high heart rate most."""
    rng = np.random.default_rng(seed)
    files, outcomes = {}, {}
    for record in range(FIRST, FIRST + count):
        sick = rng.random() < 1 / 3
        outcomes[record] = int(sick)
        hours = int(rng.integers(shortest, 49))
        files[record] = stay(
            record, hours=hours, heart_rate=(95 if sick else 80) + rng.normal(scale=8), every=90
        )
    return files, outcomes


def write_archive(path: Path, files: Mapping[int | str, list[str] | bytes]) -> Path:
    """A `.tar.gz` of these files."""
    with tarfile.open(path, "w:gz") as archive:
        for record, lines in files.items():
            content = lines if isinstance(lines, bytes) else ("\n".join(lines) + "\n").encode()
            member = tarfile.TarInfo(f"set-a/{record}.txt")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def write_outcomes(path: Path, outcomes: Mapping[int, int | str]) -> Path:
    """The list of outcomes in the challenge's columns."""
    rows = [f"{record},6,1,5,-1,{died}" for record, died in outcomes.items()]
    head = "RecordID,SAPS-I,SOFA,Length_of_stay,Survival,In-hospital_death"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def decoded(
    folder: Path, files: Mapping[int | str, list[str] | bytes], outcomes: Mapping[int, int | str]
) -> RecordTable:
    """What the source makes of these files."""
    write_archive(folder / "set-a.tar.gz", files)
    write_outcomes(folder / "Outcomes-a.txt", outcomes)
    source = record_source("physionet2012", files=(str(folder / "*"),))
    found = [
        Fetched(granule, Path(granule.url), sha256_of(Path(granule.url)))
        for granule in source.list_granules("files", lambda _: b"")
    ]
    return source.decode_records(found)


def record_set(folder: Path, count: int, *, seed: int = 0, shortest: int = 48) -> RecordSet:
    """The records of `count` patients."""
    return RecordSet.of(decoded(folder, *stays(count, seed=seed, shortest=shortest)))

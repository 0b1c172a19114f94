"""Film reviews made here, in the published forms: the favourable have other words more often."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from pipeline.records.texts import TextSet, TextTable
from pipeline.sources import record_source
from pipeline.sources.base import Fetched
from pipeline.sources.cache import sha256_of

GOOD = ("wonderful", "moving", "superb", "delight")
BAD = ("dull", "awful", "waste", "boring")
OTHER = ("the", "film", "a", "of", "it", "was", "plot", "actor", "scene", "who")

Files = dict[str, str | bytes]


def reviews(train: int = 80, test: int = 40, *, seed: int = 0) -> Files:
    """Texts by their place in the published folders, half of each split favourable."""
    rng = np.random.default_rng(seed)
    found: Files = {}
    for split, count in (("train", train), ("test", test)):
        for number in range(count):
            label = ("neg", "pos")[number % 2]
            words = rng.choice(OTHER, size=int(rng.integers(5, 40))).tolist()
            told = rng.choice(GOOD if label == "pos" else BAD, size=int(rng.integers(1, 4))).tolist()
            for word in told:
                words.insert(int(rng.integers(len(words) + 1)), word)
            found[f"{split}/{label}/{number}_{9 if label == 'pos' else 2}.txt"] = " ".join(words)
    return found


def write_folder(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """As the archive unpacks."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def write_tar(path: Path, files: Mapping[str, str | bytes]) -> Path:
    """As the archive is."""
    with tarfile.open(path, "w:gz") as archive:
        for name, text in {"README": "What it is.", "imdb.vocab": "the", **files}.items():
            content = text if isinstance(text, bytes) else text.encode()
            member = tarfile.TarInfo(f"aclImdb/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def line_of(name: str, text: str) -> str:
    """A review as a line of JSON."""
    split, label, file = name.split("/")
    return json.dumps({"split": split, "label": int(label == "pos"), "file": file, "rating": 3, "text": text})


def write_lines(path: Path, lines: Iterable[str | bytes]) -> Path:
    """A file of JSON lines, packed if its name says so."""
    content = b"".join((each if isinstance(each, bytes) else each.encode()) + b"\n" for each in lines)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def lines_of(files: Files) -> list[str]:
    """All of them."""
    return [line_of(name, text) for name, text in files.items() if isinstance(text, str)]


def decoded(*paths: Path) -> TextTable:
    """What the source makes of these paths."""
    source = record_source("imdb", files=tuple(map(str, paths)))
    found = [
        Fetched(granule, Path(granule.url), sha256_of(Path(granule.url)))
        for granule in source.list_granules("files", lambda _: b"")
    ]
    table = source.decode_records(found)
    assert isinstance(table, TextTable)
    return table


def text_set(folder: Path, train: int = 80, test: int = 40, *, seed: int = 0) -> TextSet:
    """The reviews as rungs and models see them."""
    made = reviews(train, test, seed=seed)
    return TextSet.of(decoded(write_lines(folder / "reviews.jsonl", lines_of(made))))

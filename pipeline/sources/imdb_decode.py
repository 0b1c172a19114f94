"""Reading labelled film reviews from folders, archives and JSON lines; what is wrong is named by file and line."""

from __future__ import annotations

import json
import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import GranuleError
from pipeline.naming import counted
from pipeline.records.base import Exclusion, sources_of
from pipeline.records.texts import TextTable
from pipeline.records.words import has_words
from pipeline.sources.archives import gzip_head, is_gzip, is_zip, read_gzip, read_members
from pipeline.sources.numpy_files import numpy_complaint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.sources.base import Fetched

SPLITS = ("train", "test")
LABELS = ("neg", "pos")
UNLABELLED = "unsup"
KEYS = ("split", "label", "file", "text")
FILES = 150_000
"""Members that an archive may have; the published one has 100,020."""
_USTAR = slice(257, 262)


class _UnusableError(Exception):
    """A review cannot be taken, and why."""

    def __init__(self, check: str, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.check, self.message, self.line = check, message, line


def content_complaint(head: bytes) -> str:
    """What is wrong with a file that begins so; empty where it may hold reviews."""
    if is_gzip(head) or is_zip(head) or head.lstrip()[:1] == b"{":
        return ""
    if head.lstrip()[:1] == b"<":
        return "is a page of HTML or XML"
    return "is neither an archive of reviews nor JSON lines"


def is_review(path: str) -> bool:
    """Whether it is a text in a folder of a split's folder, such as `train/pos/0_9.txt`."""
    parts = PurePosixPath(path).parts
    return len(parts) > 2 and parts[-3] in SPLITS and path.lower().endswith(".txt")


def inner_of(path: Path) -> str:
    """Split, label and name of a file on disk, as far as its path has so many parts, wherever it is named from."""
    # A link is called as it is called, and not as what it leads to.
    return "/".join(Path(os.path.abspath(path)).parts[-3:])  # noqa: PTH100


def decode(files: Sequence[Fetched]) -> TextTable:
    """The reviews of all these files; those that cannot be used become `exclusions`.

    Raises
    ------
    GranuleError
        A file cannot be read or is of another form, or a review is there twice; `path` and `line` say where. Of a NumPy
        archive, nothing but the arrays' types is looked at: what needs pickle is not loaded.
    """
    sources, places = sources_of(files)
    gathered = _Gathered()
    for each, source in zip(files, places, strict=True):
        path = each.path
        if path.suffix.lower() == ".txt":
            gathered.add_file(source, str(path), inner_of(path), path.read_bytes())
        elif _is_archive(path):
            for name, content in read_members(path, suffix=".txt", limit_files=FILES):
                if is_review(name):
                    inner = "/".join(PurePosixPath(name).parts[-3:])
                    gathered.add_file(source, f"{path.name}/{name}", inner, content)
        else:
            for line, content in _lines(path):
                gathered.add_line(source, path.name, line, content)
    gathered.end()
    return TextTable(
        ids=tuple(gathered.seen),
        labels=np.array(gathered.labels, np.int8),
        files=tuple(gathered.files),
        source=np.array(gathered.sources, np.int16),
        texts=tuple(gathered.texts),
        published=np.array(gathered.published, np.int8),
        sources=sources,
        exclusions=tuple(gathered.exclusions),
    )


def _is_archive(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(64)
    if complaint := numpy_complaint(path, head):
        raise _refused(path.name, complaint, "give the published archive, its folder, or JSON lines")
    if is_zip(head):
        return True
    if is_gzip(head):
        return gzip_head(path, 512)[_USTAR] == b"ustar"
    if path.suffix not in (".jsonl", ".json") and (complaint := content_complaint(head)):
        raise _refused(path.name, complaint, "name the archive, its unpacked folder, or a file of JSON lines")
    return False


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        packed = is_gzip(file.read(4))
    if not packed and path.suffix == ".gz":
        raise _refused(
            path.name, "is not packed by gzip, as its name says", "fetch the file again, or rename it"
        )
    content = (read_gzip(path) if packed else path.read_bytes()).removeprefix(b"\xef\xbb\xbf")
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.strip():
            yield number, line


class _Gathered:
    """Reviews that are read one after another."""

    def __init__(self) -> None:
        self.seen: dict[str, str] = {}
        self.labels: list[int] = []
        self.files: list[str] = []
        self.sources: list[int] = []
        self.texts: list[str] = []
        self.published: list[bool] = []
        self.exclusions: list[Exclusion] = []
        self._unlabelled: dict[str, tuple[str, int]] = {}

    def add_file(self, source: int, file: str, inner: str, content: bytes) -> None:
        """A review of a folder; `inner` is split, label and name."""
        split, label, _ = ("", "", *inner.split("/"))[-3:]
        if label == UNLABELLED:
            first, many = self._unlabelled.get(split, (file, 0))
            self._unlabelled[split] = first, many + 1
            return
        try:
            text = _decoded(content)
            self._add(source, file, 1, split, label, inner, text)
        except _UnusableError as error:
            self._exclude(inner, error.check, file, error.line, error.message)

    def add_line(self, source: int, file: str, line: int, content: bytes) -> None:
        """A review of a file of JSON lines."""
        name = f"{file}:{line}"
        try:
            told = _object(content)
            label = told["label"]
            if type(label) is int and label in (0, 1):
                label = LABELS[label]
            name = f"{told['split']}/{label}/{told['file']}"
            self._add(source, file, line, told["split"], label, name, told["text"])
        except _UnusableError as error:
            self._exclude(name, error.check, file, line, error.message)

    def end(self) -> None:
        """Tell of those without a label."""
        for split, (first, many) in self._unlabelled.items():
            said = f"{counted(many, 'review')} of {split}/{UNLABELLED} have no label"
            self._exclude(f"{split}/{UNLABELLED}", "unlabelled", first, 1, said)

    def _add(
        self, source: int, file: str, line: int, split: object, label: object, name: str, text: object
    ) -> None:
        if split not in SPLITS:
            raise _UnusableError("split", f"its split is {split!r}, and must be train or test")
        if not isinstance(label, str) or label not in LABELS:
            raise _UnusableError("label", f"its label is {label!r}, and must be neg or pos, or 0 or 1")
        if not isinstance(text, str):
            raise _UnusableError("structure", f"its text is {text!r:.40}, and must be a text")
        if not _is_unicode(name + text):
            raise _UnusableError("encoding", "it holds half a surrogate pair, which is no character")
        if not has_words(text):
            raise _UnusableError("empty", "it has no word")
        where = f"{file} line {line}"
        if name in self.seen:
            raise _refused(where, f"review {name} is in {self.seen[name]} already", "keep one of the two")
        self.seen[name] = where
        self.labels.append(LABELS.index(label))
        self.files.append(name)
        self.sources.append(source)
        self.texts.append(text)
        self.published.append(split == "test")

    def _exclude(self, record: str, check: str, file: str, line: int, message: str) -> None:
        # What could not be read may be what cannot be written either.
        shown = record.encode("utf-8", "replace").decode()
        self.exclusions.append(Exclusion(record=shown, check=check, file=file, line=line, message=message))


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _UnusableError("encoding", f"it is not UTF-8: {error.reason}", line) from error


def _object(content: bytes) -> dict[str, Any]:
    text = _decoded(content)
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _UnusableError("structure", f"it is no JSON: {error}") from error
    if not isinstance(told, dict):
        raise _UnusableError("structure", f"it is no JSON object, but {text.strip()!r:.40}")
    absent = [key for key in KEYS if key not in told]
    if absent:
        raise _UnusableError("structure", f"it has no key {' and '.join(absent)}")
    if not isinstance(told["file"], str) or not told["file"]:
        raise _UnusableError("structure", f"its file is {told['file']!r:.40}, and must be a name")
    return told


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refused(where: str, complaint: str, remedy: str) -> GranuleError:
    return GranuleError(
        f"{where} {complaint}" if "line" not in where else f"{where}: {complaint}",
        remedy=remedy,
        path=where,
        check="structure",
        found=complaint,
    )

"""Reading film reviews: the published forms give the same, and what is wrong is named."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import re
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ConfigError, GranuleError
from pipeline.records.texts import TextTable
from pipeline.sources import record_source
from pipeline.sources.imdb_decode import _Gathered
from tests.reviews import decoded, line_of, lines_of, reviews, write_folder, write_lines, write_tar

GOOD = line_of("train/pos/1_9.txt", "A fine film.")


def told(table: TextTable) -> dict[str, tuple[int, int, str]]:
    rows = zip(table.labels.tolist(), table.published.tolist(), table.texts, strict=True)
    return dict(zip(table.ids, rows, strict=True))


def test_folder_archive_and_lines_give_the_same_reviews(tmp_path: Path) -> None:
    made = reviews(6, 4)
    made["train/pos/7_8.txt"] = "Élan, naïve; “quoted” – 日本<br />\nsecond line"
    expected = {
        name: (int("/pos/" in name), int(name.startswith("test")), text) for name, text in made.items()
    }
    with zipfile.ZipFile(tmp_path / "reviews.zip", "w") as archive:
        for name, text in made.items():
            archive.writestr(f"aclImdb/{name}", text)
    forms = [
        write_folder(tmp_path / "aclImdb", made),
        tmp_path / "aclImdb" / "t*",
        write_tar(tmp_path / "aclImdb_v1.tar.gz", made),
        tmp_path / "reviews.zip",
        write_lines(tmp_path / "reviews.jsonl", lines_of(made)),
        write_lines(tmp_path / "reviews.jsonl.gz", lines_of(made)),
    ]
    for form in forms:
        table = decoded(form)
        assert told(table) == expected, form
        assert table.exclusions == ()


def test_many_files_are_told_by_their_folders_and_their_content(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "aclImdb", reviews(120, 8))
    table = decoded(folder)
    assert [Path(each.url).relative_to(folder).as_posix() for each in table.sources] == [
        "test/neg", "test/pos", "train/neg", "train/pos",
    ]  # fmt: skip
    assert [table.sources[at].url.endswith("train/pos") for at in table.source] == [
        each.startswith("train/pos") for each in table.ids
    ]
    (folder / "train/pos/1_9.txt").write_text("Another text.")
    again = decoded(folder)
    same = [one.sha256 == other.sha256 for one, other in zip(table.sources, again.sources, strict=True)]
    assert same == [True, True, True, False]


def test_reviews_without_a_label_are_counted_and_other_files_are_no_reviews(tmp_path: Path) -> None:
    extra = {"train/unsup/1_0.txt": "x", "train/unsup/2_0.txt": "y", "train/urls_pos.txt": "http://a"}
    for form in (
        write_folder(tmp_path / "aclImdb", reviews(4, 2) | extra),
        write_tar(tmp_path / "a.tar.gz", reviews(4, 2) | extra),
    ):
        table = decoded(form)
        assert len(table.ids) == 6
        ((one),) = table.exclusions
        assert (one.record, one.check) == ("train/unsup", "unlabelled")
        assert one.message == "2 reviews of train/unsup have no label"


@pytest.mark.parametrize(
    ("name", "content", "check", "said"),
    [
        ("train/pos/1_9.txt", b"na\xefve and caf\xe9", "encoding", "it is not UTF-8"),
        ("train/pos/1_9.txt", b"fine\nna\xefve", "encoding", "it is not UTF-8"),
        ("train/pos/1_9.txt", b"", "empty", "it has no word"),
        ("train/pos/1_9.txt", b" <br /> ... \n", "empty", "it has no word"),
        ("train/good/1_9.txt", b"A film.", "label", "its label is 'good'"),
    ],
)
def test_a_bad_text_is_left_out_by_name(
    tmp_path: Path, name: str, content: bytes, check: str, said: str
) -> None:
    files = {"train/pos/2_9.txt": "Fine.", name: content}
    for form in (write_folder(tmp_path / "aclImdb", files), write_tar(tmp_path / "a.tar.gz", files)):
        table = decoded(form)
        assert table.ids == ("train/pos/2_9.txt",)
        ((one),) = table.exclusions
        assert (one.record, one.check) == (name, check)
        assert said in one.message
        assert one.file.endswith(name)
        assert one.line == 1 + content[: content.find(b"\xef")].count(b"\n") * (check == "encoding")


@pytest.mark.parametrize(
    ("line", "check", "said"),
    [
        ("{", "structure", "it is no JSON"),
        ("[" * 100_000, "structure", "it is no JSON"),
        ("[1]", "structure", r"no JSON object, but '\[1\]'"),
        (GOOD.replace('"label"', '"lable"'), "structure", "it has no key label"),
        ('{"label": 1}', "structure", "it has no key split and file and text"),
        (
            GOOD.replace('"label": 1', '"label": 2'),
            "label",
            "its label is 2, and must be neg or pos, or 0 or 1",
        ),
        (GOOD.replace('"label": 1', '"label": true'), "label", "its label is True"),
        (GOOD.replace('"label": 1', '"label": 1.0'), "label", r"its label is 1\.0"),
        (GOOD.replace('"label": 1', '"label": [1]'), "label", "its label is"),
        (GOOD.replace('"train"', '"unsup"'), "split", "its split is 'unsup', and must be train or test"),
        (GOOD.replace('"train"', "null"), "split", "its split is None"),
        (GOOD.replace('"A fine film."', '""'), "empty", "it has no word"),
        (GOOD.replace('"A fine film."', "7"), "structure", "its text is 7, and must be a text"),
        (GOOD.replace('"1_9.txt"', '""'), "structure", "its file is '', and must be a name"),
        (GOOD.replace("fine", "\\ud800"), "encoding", "half a surrogate pair"),
        (GOOD.replace("1_9", "\\ud800"), "encoding", "half a surrogate pair"),
        (GOOD.encode().replace(b"fine", b"na\xefve"), "encoding", "it is not UTF-8"),
    ],
)
def test_a_bad_line_is_left_out_by_name(tmp_path: Path, line: str | bytes, check: str, said: str) -> None:
    first = line_of("test/neg/2_2.txt", "A bad film.")
    for name in ("reviews.jsonl", "reviews.jsonl.gz"):
        table = decoded(write_lines(tmp_path / name, [first, "", line]))
        assert table.ids == ("test/neg/2_2.txt",)
        ((one),) = table.exclusions
        assert (one.check, one.file, one.line) == (check, name, 3)
        assert re.search(said, one.message)
        one.record.encode()


def test_a_label_may_be_a_word(tmp_path: Path) -> None:
    table = decoded(write_lines(tmp_path / "a.jsonl", [GOOD.replace('"label": 1', '"label": "pos"')]))
    assert (table.ids, table.labels.tolist()) == (("train/pos/1_9.txt",), [1])


def test_a_review_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    twice = write_lines(tmp_path / "a.jsonl", [GOOD, line_of("train/pos/1_9.txt", "Another.")])
    with pytest.raises(
        GranuleError, match=r"a.jsonl line 2: review train/pos/1_9.txt is in a.jsonl line 1 alre"
    ):
        decoded(twice)
    other = write_lines(tmp_path / "b.jsonl.gz", [GOOD])
    with pytest.raises(GranuleError, match=r"review train/pos/1_9.txt is in a2.jsonl line 1 already"):
        decoded(write_lines(tmp_path / "a2.jsonl", [GOOD]), other)


def test_the_same_name_in_another_class_or_split_is_another_review(tmp_path: Path) -> None:
    names = ["train/pos/1_9.txt", "train/neg/1_9.txt", "test/pos/1_9.txt"]
    table = decoded(write_lines(tmp_path / "a.jsonl", [line_of(name, "A film.") for name in names]))
    assert list(table.ids) == names
    assert (table.repeated, table.shared) == (2, 1)


def object_archive(path: Path) -> Path:
    """As Keras has it: lists of numbers of words in object arrays, which run code when they are loaded."""

    class Harmful:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (path.parent / "harm",))

    lists = np.array([[1, 2], [3, Harmful()]], dtype=object)
    np.savez(path, x_train=lists, y_train=np.array([0, 1]))
    return path


def test_a_numpy_archive_of_objects_is_refused_and_nothing_of_it_is_run(tmp_path: Path) -> None:
    path = object_archive(tmp_path / "imdb.npz")
    with pytest.raises(
        GranuleError, match=r"imdb.npz is a NumPy file with Python objects in x_train.npy: only pickle"
    ):
        decoded(path)
    assert not (tmp_path / "harm").exists()
    with zipfile.ZipFile(path) as archive, pytest.raises(pickle.UnpicklingError, match="refused"):
        _refusing(archive.read("x_train.npy"))
    np.save(tmp_path / "one.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(GranuleError, match=r"one.npy is a NumPy file with Python objects in one.npy"):
        decoded(tmp_path / "one.npy")
    np.savez(tmp_path / "numbers.npz", x=np.arange(3))
    with pytest.raises(GranuleError, match=r"numbers.npz is a NumPy file of numbers, not of texts"):
        decoded(tmp_path / "numbers.npz")


def _refusing(content: bytes) -> None:
    """The archive above does hold a pickle that would run."""

    class Refusing(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> object:
            if module.startswith("numpy"):
                return super().find_class(module, name)
            raise pickle.UnpicklingError(f"refused {module}.{name}")

    stream = io.BytesIO(content)
    np.lib.format.read_magic(stream)
    np.lib.format.read_array_header_1_0(stream)
    Refusing(stream).load()


def test_what_is_not_packed_as_it_says_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_text(GOOD)
    with pytest.raises(GranuleError, match=r"a.jsonl.gz is not packed by gzip, as its name says"):
        decoded(tmp_path / "a.jsonl.gz")
    whole = gzip.compress((GOOD + "\n").encode() * 1000)
    for content in (whole[:-12], whole[:40] + b"\0" * 20 + whole[60:]):
        (tmp_path / "b.jsonl.gz").write_bytes(content)
        with pytest.raises(GranuleError, match=r"b.jsonl.gz cannot be unpacked"):
            decoded(tmp_path / "b.jsonl.gz")
    (tmp_path / "c.jsonl.gz").write_bytes(gzip.compress(b" " * (200 << 20)))
    with pytest.raises(GranuleError, match=r"c.jsonl.gz inflates to more than the \d+ bytes"):
        decoded(tmp_path / "c.jsonl.gz")


def test_an_archive_that_leads_out_is_refused(tmp_path: Path) -> None:
    for name, said in (
        ("../train/pos/1_9.txt", "leads out of the archive"),
        ("/train/pos/1_9.txt", "is an absolute or malformed path"),
    ):
        path = tmp_path / "a.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, io.BytesIO(b"Fine"))
        with pytest.raises(GranuleError, match=said):
            decoded(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<!DOCTYPE html>", "is a page of HTML or XML"),
        (b"\x00\x01", "is neither an archive of reviews nor JSON"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.dat").write_bytes(content)
    with pytest.raises(GranuleError, match=said):
        decoded(tmp_path / "a.dat")
    assert said in record_source("imdb").content_complaint(content)


def test_what_may_be_reviews_has_no_complaint(tmp_path: Path) -> None:
    made = record_source("imdb")
    for path in (
        write_tar(tmp_path / "a.tar.gz", reviews(2, 2)),
        write_lines(tmp_path / "a.jsonl", lines_of(reviews(2, 2))),
    ):
        assert made.content_complaint(path.read_bytes()[:64]) == ""


def test_a_path_without_reviews_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no file matches"):
        decoded(tmp_path / "absent*")
    write_folder(tmp_path / "empty", {"pos/0_9.txt": "A fine film.", "train/README": "What it is."})
    with pytest.raises(ConfigError, match=r"empty' holds no review") as refused:
        decoded(tmp_path / "empty")
    assert "the folder that has train/ and test/" in refused.value.remedy


@pytest.mark.parametrize(
    "given", ["pos neg", "../train", ".", "pos/*.txt neg/*.txt", "../../aclImdb/train/pos ../train/neg"]
)
def test_a_folder_may_be_named_from_wherever_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    made = {name: text for name, text in reviews(6, 2).items() if name.startswith("train/")}
    folder = write_folder(tmp_path / "aclImdb", made)
    monkeypatch.chdir(folder / "train")
    assert set(decoded(*map(Path, given.split())).ids) == set(made)


@pytest.mark.parametrize("name", ["r.txt", "pos/r.txt", "any/pos/r.txt"])
def test_a_text_that_lies_elsewhere_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write_folder(tmp_path, {name: "A fine film.", "train/pos/1_9.txt": "A fine film."})
    monkeypatch.chdir(tmp_path)
    table = decoded(Path(name), Path("train"))
    assert table.ids == ("train/pos/1_9.txt",)
    (left_out,) = table.exclusions
    assert (left_out.check, left_out.file) == ("split", name)


def test_what_lies_next_to_the_root_is_left_out() -> None:
    """Its path has no room for a split and a label."""
    found = _Gathered()
    found.add_file(0, "/r.txt", "r.txt", b"A fine film.")
    found.add_file(0, "/pos/r.txt", "pos/r.txt", b"A fine film.")
    assert not found.seen
    assert [(each.check, each.file) for each in found.exclusions] == [
        ("split", "/r.txt"), ("split", "/pos/r.txt"),
    ]  # fmt: skip


def test_endings_may_be_in_capitals(tmp_path: Path) -> None:
    made = {name.replace(".txt", ".TXT"): text for name, text in reviews(6, 2).items()}
    folder = write_folder(tmp_path / "aclImdb", made)
    for form in (folder, folder / "*" / "*" / "*.TXT", write_tar(tmp_path / "a.tar.gz", made)):
        table = decoded(form)
        assert set(table.ids) == set(made)
        assert table.exclusions == ()


def test_the_archive_is_asked_of_its_public_address() -> None:
    ((granule),) = record_source("imdb").list_granules("stanford", lambda _: b"")
    assert granule.url == "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"


def test_a_line_says_all_that_is_read_of_it() -> None:
    assert json.loads(GOOD).keys() == {"split", "label", "file", "rating", "text"}

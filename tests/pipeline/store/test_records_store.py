"""Records in their store: what was written comes back, a second ingestion does nothing, and all of it is told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr

from pipeline.errors import FetchError, GranuleError, StoreError, WorkspaceError
from pipeline.ingestion.collection import CollectionJob
from pipeline.ingestion.records import ingest_records
from pipeline.records.base import RecordSet
from pipeline.records.texts import TextTable
from pipeline.sources import record_source
from pipeline.sources.base import RecordSource
from pipeline.store import collection_schema, repository
from pipeline.store.collections import collection_summary
from pipeline.store.records_reader import read_records, read_table
from pipeline.store.records_writer import write_records
from pipeline.store.state import status_summary
from tests.icu import FIRST, decoded, stay, stays, write_archive, write_outcomes
from tests.reviews import decoded as text_table
from tests.reviews import line_of, lines_of, reviews, write_folder, write_lines


def job(folder: Path, name: str = "set-a") -> CollectionJob[RecordSource]:
    source = record_source("physionet2012", files=(str(folder / "set-*"), str(folder / "Outcomes-*")))
    return CollectionJob(source, name, folder / "store", folder / "cache")


def lay(folder: Path, count: int, *, lonely: int = 0) -> None:
    files, outcomes = stays(count)
    write_archive(folder / "set-a.tar.gz", files)
    write_outcomes(folder / "Outcomes-a.txt", outcomes | dict.fromkeys(range(7, 7 + lonely), 1))


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    files, outcomes = stays(6, shortest=3)
    files[FIRST + 2] = stay(FIRST + 2)[:7]
    table = decoded(tmp_path, files, outcomes)
    assert write_records(tmp_path / "store", "set-a", table)
    back = read_table(tmp_path / "store", "set-a")
    for name in ("ids", "files", "parameters", "sources", "exclusions"):
        assert getattr(back, name) == getattr(table, name)
    for name in ("labels", "source", "offset", "parameter", "time", "value"):
        held, given = getattr(back, name), getattr(table, name)
        assert held.dtype == given.dtype
        np.testing.assert_array_equal(held, given)


def test_nothing_is_padded_on_disk(tmp_path: Path) -> None:
    table = decoded(tmp_path, *stays(6, shortest=2))
    write_records(tmp_path / "store", "set-a", table)
    session = repository.read_session(tmp_path / "store")
    group = zarr.open_group(session.store, mode="r")["set-a"]
    assert {group[name].shape for name in ("value", "time", "parameter")} == {(len(table.value),)}
    assert group["offset"].shape == (7,)
    assert group["label"].shape == (6,)


def test_readers_miss_what_cannot_be_and_nothing_else(tmp_path: Path) -> None:
    files, outcomes = stays(3)
    files[FIRST] += ["47:59,pH,735", "47:59,pH,7.4"]
    table = decoded(tmp_path, files, outcomes)
    write_records(tmp_path / "store", "set-a", table)
    read = read_records(tmp_path / "store", "set-a")
    assert len(read.value) == len(table.value) - int(table.implausible.sum())
    assert 735 not in read.value
    for at in range(3):
        held = ~table.implausible[table.offset[at] : table.offset[at + 1]]
        mine = table.value[table.offset[at] : table.offset[at + 1]][held]
        np.testing.assert_array_equal(read.value[read.offset[at] : read.offset[at + 1]], mine)


def test_ingested_twice_it_is_written_once(tmp_path: Path) -> None:
    lay(tmp_path, 5, lonely=120)  # more than a commit names
    first = ingest_records(job(tmp_path))
    assert (first.records, first.excluded) == (5, {"record": 120})
    again = ingest_records(job(tmp_path))
    assert again == first.model_copy(update={"snapshot": None})
    lay(tmp_path, 6)
    grown = ingest_records(job(tmp_path))
    assert (grown.records, grown.excluded) == (6, {})
    assert len(read_records(tmp_path / "store", "set-a", snapshot=first.snapshot)) == 5


def test_the_store_is_told_without_being_read(tmp_path: Path) -> None:
    lay(tmp_path, 5, lonely=1)
    done = ingest_records(job(tmp_path))
    summary = collection_summary(tmp_path / "store")
    assert summary is not None
    assert (summary.snapshot, summary.records, summary.positives) == (done.snapshot, 5, done.positives)
    assert summary.implausible == {"Height": 5}
    assert [each.message for each in summary.exclusions] == ["the outcome of 7 has no record"]
    assert status_summary(tmp_path / "store").regions == ("set-a",)


def test_where_no_record_is_left_the_first_reason_is_told(tmp_path: Path) -> None:
    write_archive(tmp_path / "set-a.tar.gz", {FIRST: stay(FIRST)[:7]})
    write_outcomes(tmp_path / "Outcomes-a.txt", {FIRST: 1})
    with pytest.raises(GranuleError, match=rf"{FIRST}.txt line 7: it has descriptors and no series"):
        ingest_records(job(tmp_path))
    assert not repository.exists(tmp_path / "store")


def test_a_file_that_goes_meanwhile_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path, 5)
    asked = job(tmp_path)
    granules = asked.source.list_granules("files", lambda _: b"")
    (tmp_path / "set-a.tar.gz").unlink()
    monkeypatch.setattr(asked.source, "list_granules", lambda *_: granules)
    with pytest.raises(FetchError, match="is gone"):
        ingest_records(asked)


def test_other_records_need_a_store_of_their_own(tmp_path: Path) -> None:
    lay(tmp_path, 5)
    ingest_records(job(tmp_path))
    with pytest.raises(StoreError, match=r"that of set-a, and 'set-b' needs one"):
        ingest_records(job(tmp_path, "set-b"))
    with pytest.raises(StoreError, match=r"no records 'set-b'; it has set-a"):
        read_records(tmp_path / "store", "set-b")


def test_a_store_of_a_newer_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path, 5)
    with monkeypatch.context() as newer:
        newer.setattr(collection_schema, "FORMAT", 9)
        ingest_records(job(tmp_path))
    with pytest.raises(WorkspaceError, match="have format 9"):
        read_records(tmp_path / "store", "set-a")


def test_a_record_set_is_that_of_its_table(tmp_path: Path) -> None:
    table = decoded(tmp_path, *stays(4))
    made = RecordSet.of(table)
    assert (made.kind, len(made)) == ("records", 4)
    assert len(made.series) == 37
    assert made.offset[-1] == len(made.value)


@pytest.mark.parametrize("many", [6, 120])
def test_a_review_that_moves_to_another_folder_gets_its_label(tmp_path: Path, many: int) -> None:
    """Also of so many files that their folders are told in their place."""
    folder = write_folder(tmp_path / "aclImdb", reviews(many, 4))
    source = record_source("imdb", files=(str(folder),))
    asked = CollectionJob(source=source, name="reviews", store=tmp_path / "store", cache=tmp_path / "cache")

    def held() -> dict[str, int]:
        table = read_table(tmp_path / "store", "reviews")
        return dict(zip(table.ids, table.labels.tolist(), strict=True))

    ingest_records(asked)
    before = held()
    moved = next(each for each in before if each.startswith("train/pos/"))
    (folder / moved).rename(folder / "train/neg/900_1.txt")
    assert ingest_records(asked).snapshot
    del before[moved]
    assert held() == before | {"train/neg/900_1.txt": 0}
    assert ingest_records(asked).snapshot is None


@pytest.mark.parametrize("many", [6, 120])
def test_folders_that_swap_their_names_swap_their_labels(tmp_path: Path, many: int) -> None:
    folder = write_folder(tmp_path / "aclImdb", reviews(many, 4))
    source = record_source("imdb", files=(str(folder),))
    asked = CollectionJob(source=source, name="reviews", store=tmp_path / "store", cache=tmp_path / "cache")
    ingest_records(asked)
    before = read_table(tmp_path / "store", "reviews")
    assert isinstance(before, TextTable)
    (folder / "train/pos").rename(folder / "train/old")
    (folder / "train/neg").rename(folder / "train/pos")
    (folder / "train/old").rename(folder / "train/neg")
    assert ingest_records(asked).snapshot
    after = read_table(tmp_path / "store", "reviews")
    assert isinstance(after, TextTable)
    train = before.published == 0
    label = dict(zip(after.texts, after.labels.tolist(), strict=True))
    assert len(label) == len(after.texts)
    was = dict(zip(before.texts, zip(before.labels.tolist(), train.tolist(), strict=True), strict=True))
    assert label == {text: 1 - one if moved else one for text, (one, moved) in was.items()}


def test_the_same_archive_elsewhere_is_no_change(tmp_path: Path) -> None:
    lay(tmp_path, 5)
    first = ingest_records(job(tmp_path))
    (tmp_path / "other").mkdir()
    for each in ("set-a.tar.gz", "Outcomes-a.txt"):
        (tmp_path / each).rename(tmp_path / "other" / each)
    elsewhere = replace(job(tmp_path / "other"), store=tmp_path / "store")
    assert ingest_records(elsewhere) == first.model_copy(update={"snapshot": None})


def test_texts_are_kept_as_they_were_published(tmp_path: Path) -> None:
    made = reviews(6, 4) | {"train/neg/9_1.txt": "Ünïcode “quotes” 日本 <br />\n\ttabs, NUL \x00 and 😀"}
    path = write_lines(tmp_path / "r.jsonl", [*lines_of(made), "no JSON"])
    source = record_source("imdb", files=(str(path),))
    asked = CollectionJob(source=source, name="reviews", store=tmp_path / "store", cache=tmp_path / "cache")
    done = ingest_records(asked)
    table = read_table(tmp_path / "store", "reviews", snapshot=done.snapshot)
    assert isinstance(table, TextTable)
    assert dict(zip(table.ids, table.texts, strict=True)) == made
    expected = text_table(path)
    for name in ("labels", "published", "source"):
        np.testing.assert_array_equal(getattr(table, name), getattr(expected, name))
    assert (table.files, table.sources, table.exclusions) == (
        expected.files, expected.sources, expected.exclusions,
    )  # fmt: skip
    found = read_records(tmp_path / "store", "reviews")
    assert (found.kind, found.texts) == ("texts", table.texts)  # type: ignore[union-attr]
    summary = collection_summary(tmp_path / "store")
    assert summary is not None
    assert (summary.records, summary.published, summary.excluded) == (11, 4, 1)
    assert summary.characters == sum(map(len, made.values()))
    assert ingest_records(asked).snapshot is None
    path.write_text(path.read_text() + line_of("test/pos/77_9.txt", "Fine.") + "\n")
    assert ingest_records(asked).records == 12

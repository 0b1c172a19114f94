"""Records of intensive care: what is wrong with one is told by file and line, and nothing goes without a word."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigError, GranuleError
from pipeline.records.base import RecordSet
from pipeline.records.steps import StepSpec, lengths
from pipeline.sources import record_source
from pipeline.sources.physionet2012_decode import content_complaint
from pipeline.sources.physionet2012_parameters import PARAMETERS
from tests.icu import FIRST, HEADER, decoded, stay, stays, write_archive, write_outcomes

SECOND, THIRD = FIRST + 1, FIRST + 2


def with_line(at: int, line: str) -> list[str]:
    """A good file with another line in the place of line `at`, from 1."""
    lines = stay(SECOND)
    return [*lines[: at - 1], line, *lines[at:]]


BAD = {
    "no-series": (stay(SECOND)[:7], 7, "no series"),
    "no-series that can be": ([*stay(SECOND)[:7], "03:00,HR,-1", "04:00,HR,999"], 9, "none of its 2 measure"),
    "no-series but descriptors": ([*stay(SECOND)[:7], "03:00,Age,50"], 8, "no series"),
    "order": (with_line(20, "00:01,HR,80"), 20, "00:01 stands after"),
    "parameter": (with_line(9, "03:00,Creatinin,80"), 9, "no parameter 'Creatinin'; did it mean Creatinine?"),
    "time": (with_line(9, "3 am,HR,80"), 9, "'3 am' is no time"),
    "time beyond": (with_line(9, "48:01,HR,80"), 9, "48:01 lies beyond 48:00"),
    "value": (with_line(9, "03:00,HR,high"), 9, "'high' is no number"),
    "value nan": (with_line(9, "03:00,HR,nan"), 9, "'nan' is no number"),
    "structure": (with_line(9, "03:00,HR"), 9, "2 values stand below"),
    "structure header": ([f"{HEADER},Unit", *stay(SECOND)[1:]], 1, "does not begin with"),
    "identity": (with_line(2, "00:00,RecordID,7"), 2, "it is record 7"),
    "identity none": (with_line(2, ""), 1, "no RecordID"),
    "encoding": (b"Time,Parameter,Value\n00:00,\xff\xfe,1\n", 2, "not UTF-8"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_record_is_left_out_by_file_and_line(tmp_path: Path, case: str) -> None:
    lines, line, said = BAD[case]
    table = decoded(
        tmp_path, {FIRST: stay(FIRST), SECOND: lines, THIRD: stay(THIRD)}, {FIRST: 0, SECOND: 1, THIRD: 1}
    )
    assert table.ids == (str(FIRST), str(THIRD))
    (left_out,) = table.exclusions
    assert (left_out.record, left_out.check) == (str(SECOND), case.partition(" ")[0])
    assert (left_out.file, left_out.line) == (f"set-a.tar.gz/set-a/{SECOND}.txt", line)
    assert said in left_out.message


@pytest.mark.parametrize("name", [f"{SECOND} (copy)", "²", "12e3"])
def test_a_file_whose_name_is_no_number_is_left_out(tmp_path: Path, name: str) -> None:
    table = decoded(tmp_path, {FIRST: stay(FIRST), name: stay(SECOND)}, {FIRST: 0})
    assert table.ids == (str(FIRST),)
    (left_out,) = table.exclusions
    assert (left_out.record, left_out.check, left_out.line) == (name, "identity", 1)
    assert left_out.message == f"its name {name!r} is no record's number"


@settings(max_examples=20, deadline=None)
@given(values=st.lists(st.sampled_from([-1, 0, 9, 10, 80, 300, 301, 999]), min_size=1, max_size=4))
def test_a_record_is_taken_just_where_readers_find_a_measurement(
    tmp_path_factory: pytest.TempPathFactory, values: list[int]
) -> None:
    """And each that is taken can be cut into steps."""
    folder = tmp_path_factory.mktemp("icu")
    lines = [*stay(SECOND)[:6], *(f"0{at}:30,HR,{value}" for at, value in enumerate(values))]
    table = decoded(folder, {FIRST: stay(FIRST), SECOND: lines}, {FIRST: 0, SECOND: 1})
    assert (str(SECOND) in table.ids) == any(10 <= value <= 300 for value in values)
    assert lengths(RecordSet.of(table), StepSpec()).min() > 0


def test_an_outcome_without_a_record_and_a_record_without_an_outcome_are_told(tmp_path: Path) -> None:
    table = decoded(tmp_path, {FIRST: stay(FIRST), SECOND: stay(SECOND)}, {FIRST: 1, THIRD: 0})
    assert table.ids == (str(FIRST),)
    told = {(each.record, each.check, each.file, each.line) for each in table.exclusions}
    assert told == {
        (str(SECOND), "outcome", f"set-a.tar.gz/set-a/{SECOND}.txt", 1),
        (str(THIRD), "record", "Outcomes-a.txt", 3),
    }


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        ("RecordID,SAPS-I\n1,2\n", 1, "no column In-hospital_death"),
        ("RecordID,In-hospital_death\n132539,2\n", 2, "is '2', and must be 0 or 1"),
        ("RecordID,In-hospital_death\n132539,1\n132539,1\n", 3, "stands in line 2 already"),
        ("RecordID,In-hospital_death\n132539\n", 2, "1 values stand below 2 columns"),
        ("RecordID,In-hospital_death\nJohn,1\n", 2, "'John' is no record's number"),
    ],
)
def test_outcomes_that_cannot_be_understood_are_refused_by_line(
    tmp_path: Path, content: str, line: int, said: str
) -> None:
    write_archive(tmp_path / "a.tar.gz", {FIRST: stay(FIRST)})
    (tmp_path / "o.txt").write_text(content)
    with pytest.raises(GranuleError, match=f"o.txt line {line}: ") as caught:
        _decode(tmp_path)
    assert said in caught.value.message
    assert caught.value.fields["line"] == line


def test_a_record_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    write_archive(tmp_path / "a.tar.gz", {FIRST: stay(FIRST)})
    write_archive(tmp_path / "b.tar.gz", {FIRST: stay(FIRST)})
    write_outcomes(tmp_path / "o.txt", {FIRST: 1})
    with pytest.raises(GranuleError, match=r"b\.tar\.gz/.* is in a\.tar\.gz/"):
        _decode(tmp_path)


def test_what_is_published_is_kept_and_what_cannot_be_is_told(tmp_path: Path) -> None:
    lines = stay(FIRST)
    lines += ["47:59,pH,735", "47:59,Urine,60", "47:59,Urine,40", "48:00,HR,70"]
    table = decoded(tmp_path, {FIRST: lines}, {FIRST: 1})
    assert len(table.value) == len(lines) - 2
    assert table.value[-4:].tolist() == [735, 60, 40, 70]
    assert table.time[-4:].tolist() == [2879, 2879, 2879, 2880]
    assert table.repeated == 1
    names = [PARAMETERS[at].name for at in table.parameter[table.implausible]]
    assert names == ["Height", "pH"]


def test_both_files_are_asked_for(tmp_path: Path) -> None:
    write_archive(tmp_path / "a.tar.gz", {FIRST: stay(FIRST)})
    with pytest.raises(ConfigError, match="no list of outcomes"):
        _decode(tmp_path)
    (tmp_path / "a.tar.gz").unlink()
    write_outcomes(tmp_path / "o.txt", {FIRST: 1})
    with pytest.raises(ConfigError, match="no archive of records"):
        _decode(tmp_path)


def test_pages_are_no_records() -> None:
    assert "HTML" in content_complaint(b"<!DOCTYPE html>")
    assert content_complaint(b"a,b\n")
    assert not content_complaint(b"\x1f\x8b\x08")
    assert not content_complaint(b"RecordID,SAPS-I")


def test_there_are_five_descriptors_and_thirty_seven_series() -> None:
    static = [each.name for each in PARAMETERS if each.static]
    assert static == ["Age", "Gender", "Height", "ICUType"]
    assert len(PARAMETERS) - len(static) == 37
    assert all(each.low < each.high for each in PARAMETERS)


def test_a_zip_does_as_well(tmp_path: Path) -> None:
    import zipfile

    files, outcomes = stays(3)
    expected = decoded(tmp_path, files, outcomes)
    (tmp_path / "set-a.tar.gz").unlink()
    with zipfile.ZipFile(tmp_path / "set-a.zip", "w") as archive:
        for record, lines in files.items():
            archive.writestr(f"set-a/{record}.txt", "\n".join(lines))
    got = _decode(tmp_path)
    assert got.ids == expected.ids
    assert got.value.tobytes() == expected.value.tobytes()


def _decode(folder: Path):
    from pipeline.sources.base import Fetched

    source = record_source("physionet2012", files=(str(folder / "*"),))
    granules = source.list_granules("files", lambda _: b"")
    return source.decode_records([Fetched(each, Path(each.url), each.url) for each in granules])

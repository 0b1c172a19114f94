"""Decoding Jena's tables: what was written comes back, in either dialect; what is broken is named with its line."""

import datetime as dt
import pickle
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import GranuleError
from pipeline.mirror.jena import classic_file, packed, station_file, text
from pipeline.mirror.weather import SimulatedWeather
from pipeline.sources.base import Granule
from pipeline.sources.jena_columns import COLUMNS, COMMON_VARIABLES, QUANTITIES
from pipeline.sources.jena_decode import content_complaint, decode, decode_all, read_days
from pipeline.types import Status, Table

START, END = dt.date(2016, 3, 1), dt.date(2016, 3, 2)
TABLE = SimulatedWeather(seed=1, first=START).table(START, END)
HEADER = ",".join(("Date Time", *list(COLUMNS)[:14]))
PLAIN = text(TABLE, HEADER, COMMON_VARIABLES)
in_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(tmp_path: Path, content: bytes | str, name: str = "a.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def granule(path: Path, *days: dt.date) -> Granule:
    return Granule("files", str(path), days or (START, END), Status.FINAL)


def same(first: Table, second: Table) -> None:
    assert first.variables == second.variables
    np.testing.assert_array_equal(first.time, second.time)
    np.testing.assert_array_equal(first.values, second.values)
    np.testing.assert_array_equal(first.line, second.line)


def common(table: Table) -> Table:
    return replace(table, values=table.values[:, :14], variables=table.variables[:14])


def refusal(path: Path) -> GranuleError:
    with pytest.raises(GranuleError) as caught:
        decode(path, granule(path))
    assert caught.value.fields["check"] == "structure"
    assert caught.value.fields["path"] == str(path)
    assert pickle.loads(pickle.dumps(caught.value)).fields == caught.value.fields
    return caught.value


def line_of(path: Path) -> int:
    error = refusal(path)
    assert f"line {error.fields['line']}:" in error.message
    return int(error.fields["line"])


cells = st.one_of(
    st.integers(-999_999, 999_999).map(lambda number: number / 100), st.just(-9999.0), st.just(float("nan"))
)


@in_folder
@given(
    rows=st.lists(st.lists(cells, min_size=21, max_size=21), min_size=1, max_size=5),
    minutes=st.integers(0, 10_000_000),
)
def test_decoding_undoes_writing(tmp_path: Path, rows: list[list[float]], minutes: int) -> None:
    time = np.datetime64("2009-01-01T00:10:00") + np.arange(len(rows)) * np.timedelta64(600, "s")
    time += np.timedelta64(minutes, "m")
    table = Table(time, np.array(rows), tuple(QUANTITIES), np.arange(2, len(rows) + 2))
    known = np.isfinite(table.values)
    content = text(
        replace(table, values=np.where(known, table.values, 0)), ",".join(("date", *COLUMNS)), table.variables
    )
    if not known.all():
        lines = content.split("\r\n")
        for row, column in zip(*np.nonzero(~known), strict=True):
            cut = lines[row + 1].split(",")
            cut[column + 1] = ""
            lines[row + 1] = ",".join(cut)
        content = "\r\n".join(lines)
    same(decode_all(written(tmp_path, content.encode("latin-1"))), table)


def test_both_dialects_hold_the_same(tmp_path: Path) -> None:
    classic = decode_all(written(tmp_path, classic_file(TABLE), "classic.zip"))
    station = decode_all(written(tmp_path, station_file(TABLE, "mpi_roof_2016a.zip"), "station.zip"))
    same(station, TABLE)
    same(classic, common(TABLE))
    assert classic.variables == COMMON_VARIABLES


def spelled(header: str, body: str = PLAIN.partition("\r\n")[2], encoding: str = "utf-8") -> bytes:
    return f"{header}\r\n{body}".encode(encoding)


ALL = text(TABLE, "@", TABLE.variables).partition("\r\n")[2]
FULL = ",".join(("Date Time", *COLUMNS))


@pytest.mark.parametrize(
    "content",
    [
        spelled(FULL, ALL),
        spelled(FULL, ALL, "latin-1"),
        b"\xef\xbb\xbf" + spelled(FULL, ALL),
        spelled(FULL.replace("²", "\ufffd").replace("µ", "\ufffd"), ALL),
        spelled(FULL.replace("²", "2").replace("µ", "\u03bc").replace("**3", "³"), ALL),
        spelled(FULL.replace("²", "Â²").replace("µ", "Âµ"), ALL),
        spelled(FULL.replace("CO2 (ppm)", "OT").replace("Date Time", "date"), ALL),
        spelled(FULL.upper(), ALL),
        spelled(", ".join(f'"{name}"' for name in FULL.split(",")), ALL),
        spelled(FULL, ALL).replace(b"\r\n", b"\n"),
        spelled(FULL, ALL) + b"\r\n\r\n",
        spelled(FULL + ",extra (V)", ALL.replace("\r\n", ",7\r\n")),
    ],
)
def test_headers_are_read_however_they_are_spelled(tmp_path: Path, content: bytes) -> None:
    same(decode_all(written(tmp_path, content)), TABLE)


@pytest.mark.parametrize("form", ["{0} {1}:00", "{0}T{1}:00", "{0} {1}", "{2} {1}"])
def test_dates_of_either_form(tmp_path: Path, form: str) -> None:
    lines = PLAIN.split("\r\n")
    for number, line in enumerate(lines[1:-1], start=1):
        day, clock = line[:10], line[11:16]
        lines[number] = form.format("-".join(reversed(day.split("."))), clock, day) + line[19:]
    same(decode_all(written(tmp_path, "\r\n".join(lines))), common(TABLE))


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    columns = list(COLUMNS)[:14]
    order = [13, *range(13)]
    header = ",".join(("date", *(columns[place] for place in order)))
    content = text(TABLE, header, tuple(COMMON_VARIABLES[place] for place in order))
    same(decode_all(written(tmp_path, content)), common(TABLE))


def test_a_granule_has_the_rows_of_its_days(tmp_path: Path) -> None:
    path = written(tmp_path, PLAIN)
    assert read_days(path) == (START, END)
    second = decode(path, granule(path, END))
    assert second.time[0] == np.datetime64("2016-03-02T00:10:00")
    assert second.time[-1] == np.datetime64("2016-03-03T00:00:00")
    assert second.line[0] == 146
    assert not len(decode(path, granule(path, dt.date(2016, 3, 3))).time)


def test_repeated_and_descending_rows_are_kept_as_published(tmp_path: Path) -> None:
    lines = PLAIN.split("\r\n")
    lines[5:7] = [lines[6], lines[5], lines[5]]
    table = decode_all(written(tmp_path, "\r\n".join(lines)))
    assert np.diff(table.time)[3:6].astype(int).tolist() == [1200, -600, 0]


@pytest.mark.parametrize("missing", range(14))
def test_a_missing_column_is_named(tmp_path: Path, missing: int) -> None:
    columns = list(COLUMNS)[:14]
    kept = [place for place in range(14) if place != missing]
    header = ",".join(("Date Time", *(columns[place] for place in kept)))
    path = written(tmp_path, text(TABLE, header, tuple(COMMON_VARIABLES[place] for place in kept)))
    error = refusal(path)
    assert error.fields["missing"] == (columns[missing],)
    assert error.fields["line"] == 1
    assert f"lacks the column {columns[missing]!r}" in error.message


def test_the_nearest_column_is_named(tmp_path: Path) -> None:
    error = refusal(written(tmp_path, PLAIN.replace("T (degC),Tpot", "T (degF),Tpot")))
    assert "'T (degC)' (the nearest is 'T (degF)')" in error.message
    assert "'T (degF)', which the roof station has not" in error.message


def test_a_file_of_another_station_is_refused(tmp_path: Path) -> None:
    saale = (
        "Date Time,p (mbar),T (degC),rh (%),sh (g/kg),Tpot (K),Tdew (degC),VPmax (mbar),VPact (mbar),"
        "VPdef (mbar),H2OC (mmol/mol),rho (g/m**3),wv (m/s),wd (deg),rain (mm),SWDR (W/m**2),SDUR (s),"
        "TRAD (degC),Rn (W/m**2),ST002 (degC),SM008 (%)"
    )
    row = "01.01.2021 00:10:00" + ",1" * saale.count(",")
    error = refusal(written(tmp_path, f"{saale}\n{row}\n"))
    assert error.fields["missing"] == ("max. wv (m/s)",)
    assert "'SDUR (s)', 'TRAD (degC)', 'Rn (W/m**2)', 'ST002 (degC)', which the roof station" in error.message
    assert "roof" in error.remedy


@in_folder
@given(
    row=st.integers(0, 287),
    cell=st.integers(1, 14),
    words=st.sampled_from(
        ["abc", "1.2.3", "12a", "--", "1e", "inf", "0x1", "9,", "ß", "\0", "1 2", "²", "1_0"]
    ),
)
def test_text_in_a_number_is_named_with_its_line(tmp_path: Path, row: int, cell: int, words: str) -> None:
    lines = PLAIN.split("\r\n")
    cut = lines[row + 1].split(",")
    cut[cell] = words
    lines[row + 1] = ",".join(cut)
    assert line_of(written(tmp_path, "\r\n".join(lines))) == row + 2


@in_folder
@given(
    row=st.integers(0, 287),
    stamp=st.sampled_from(
        [
            "2016-03-01 00:10:00",
            "03/01/2016 00:10",
            "31.02.2016 00:10:00",
            "01.13.2016 00:10:00",
            "00.01.2016 00:10:00",
            "01.03.2016 24:00:00",
            "01.03.2016 00:60:00",
            "1.3.2016 00:10:00",
            "01.03.16 00:10:00",
            "01.03.2016 00:10:00 ",
            "29.02.2015 00:10:00",
            "",
            "-",
        ]
    ),
)
def test_a_wrong_date_is_named_with_its_line(tmp_path: Path, row: int, stamp: str) -> None:
    lines = PLAIN.split("\r\n")
    lines[row + 1] = stamp + lines[row + 1][19:]
    # What the first row is written in, the others must be: an ISO date first makes the second row the odd one.
    expected = 3 if row == 0 and stamp.startswith("2016-") else row + 2
    assert line_of(written(tmp_path, "\r\n".join(lines))) == expected


def test_only_dates_that_there_are_pass(tmp_path: Path) -> None:
    lines = PLAIN.split("\r\n")[:2]
    for year in (1900, 2000, 2015):
        for month in range(1, 14):
            for day in (0, 1, 28, 29, 30, 31, 32):
                try:
                    there = dt.datetime(year, month, day, 23, 50)  # noqa: DTZ001
                except ValueError:
                    there = None
                row = f"{day:02d}.{month:02d}.{year} 23:50:00{lines[1][19:]}"
                path = written(tmp_path, f"{lines[0]}\n{row}\n")
                if there is None:
                    assert line_of(path) == 2
                else:
                    assert decode_all(path).time.tolist() == [there]


@in_folder
@given(cut=st.integers(1, len(PLAIN) - 3))
def test_a_truncated_file_is_refused_or_ends_with_a_line(tmp_path: Path, cut: int) -> None:
    content = PLAIN[:cut]
    path = written(tmp_path, content)
    if content.endswith("\n") and content.count("\n") > 1:
        assert len(decode_all(path).time) == content.count("\n") - 1
    else:
        refusal(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE HTML><html>", "page of HTML"),
        (b"\n<html>", "page of HTML"),
        (b"CDF\x01", "begins neither"),
        (b"Date Time", "begins neither"),
        (HEADER.encode(), "a header and no row"),
        (HEADER.encode() + b"\r\n", "a header and no row"),
        (HEADER.encode() + b"\r\n\r\n\r\n", "a header and no row"),
        (HEADER.encode() + b"\r\n\r\n" + PLAIN.partition("\r\n")[2].encode(), "line 2: has 1 cell where"),
        ((HEADER + ",T (degC)").encode() + b"\r\n1\r\n", "two columns 'T (degC)'"),
        (PLAIN.replace(",", ";").encode(), "begins neither"),
        (PLAIN.rstrip().encode(), "cut off in its last line"),
        (b"PK\x05\x06" + bytes(18), "archive of nothing"),
        (packed({"../a.csv": PLAIN.encode()}), "leads out"),
        (packed({"a.csv": b""}), "holds a table that is empty"),
        (packed({"a.csv": b"<html></html>"}), "holds a table that is a page"),
        (packed({"a.csv": PLAIN.encode() + bytes(20 << 20)}), "inflate to more than"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    assert words in refusal(written(tmp_path, content)).message


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(GranuleError, match="cannot be opened"):
        read_days(tmp_path / "none.csv")


def test_complaints_of_a_files_first_bytes() -> None:
    assert not content_complaint(classic_file(TABLE)[:64])
    assert not content_complaint(PLAIN[:64].encode())
    assert not content_complaint(b'"Date Time","p (mbar)"')
    assert not content_complaint(b"date,p (mbar)")
    for head in (b"", b"<html>", b"\x89HDF\r\n", b"%PDF-1.4,", b"time,p"):
        assert content_complaint(head)


@pytest.mark.parametrize("name", QUANTITIES)
def test_every_variable_is_in_cf_terms(name: str) -> None:
    from cf_units import Unit

    quantity = QUANTITIES[name]
    assert quantity.name == name
    unit = Unit(quantity.units)
    if quantity.standard_name:
        canonical = standard_names()[quantity.standard_name]
        assert unit.is_convertible(canonical), (quantity, canonical)


@cache
def standard_names() -> dict[str, str]:
    """The CF table's names with their canonical units."""
    table = files("compliance_checker") / "data" / "cf-standard-name-table.xml"
    root = ET.fromstring(table.read_text(encoding="utf-8"))
    return {entry.attrib["id"]: entry.findtext("canonical_units", "") for entry in root.iterfind("entry")}

"""Radar composites: rain as the file says it, and what cannot be used is told and breaks the movie in two."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigError, GranuleError
from pipeline.sources import source
from pipeline.sources.base import Fetched
from pipeline.sources.knmi_radar_file import content_complaint
from tests.radar import (
    FIRST,
    MISSING,
    SHAPE,
    STEP,
    decode_files,
    decoded,
    drifting,
    name_of,
    write_composite,
    write_composites,
)

COUNT = 7
AT = 3
"""The frame that is spoilt."""


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    return write_composites(tmp_path / "knmi", drifting(COUNT))


def times_of(table, movie: int) -> list[np.datetime64]:
    first, last = table.offset[movie : movie + 2]
    return table.time[first:last].astype("datetime64[s]").tolist()


def test_rain_is_counts_in_millimetres_an_hour(paths: list[Path]) -> None:
    table = decode_files(paths)
    counts = drifting(COUNT)
    expected = np.where(counts == MISSING, np.nan, counts * 0.01 * 12)
    np.testing.assert_allclose(table.values, expected, rtol=1e-6)
    assert table.values.dtype == np.float32
    assert len(table.ids) == 1
    assert times_of(table, 0) == [(FIRST + at * STEP).tolist() for at in range(COUNT)]
    assert table.picture.units == "mm h-1"
    assert table.picture.step == 300
    assert (table.y.values[:2], table.x.values[:2]) == ((3650.5, 3651.5), (0.5, 1.5))
    assert not table.exclusions


@given(
    rows=st.tuples(st.integers(0, 3), st.integers(1, 4)),
    columns=st.tuples(st.integers(0, 3), st.integers(1, 3)),
    factor=st.integers(1, 4),
)
def test_a_cell_is_the_mean_of_its_pixels_and_known_where_all_are(
    tmp_path_factory: pytest.TempPathFactory,
    rows: tuple[int, int],
    columns: tuple[int, int],
    factor: int,
) -> None:
    folder = tmp_path_factory.mktemp("knmi")
    counts = drifting(1)
    paths = write_composites(folder, counts)
    top, left = rows[0], columns[0]
    bottom, right = top + rows[1] * factor, left + columns[1] * factor
    config = {"rows": (top, bottom), "columns": (left, right), "factor": factor}
    table = decode_files(paths, config)
    rain = np.where(counts[0] == MISSING, np.nan, counts[0] * 0.12)
    expected = [
        [rain[y : y + factor, x : x + factor].mean() for x in range(left, right, factor)]
        for y in range(top, bottom, factor)
    ]
    if np.isfinite(expected).any():
        np.testing.assert_allclose(table.values[0], expected, rtol=1e-6)
        whole = table.values[0] / table.picture.scale
        np.testing.assert_allclose(whole, np.rint(whole), atol=1e-2)
    else:
        assert [each.check for each in table.exclusions] == ["no-values"]
    assert table.y.values[0] == pytest.approx(3650 + top + factor / 2)
    assert table.x.values[-1] == pytest.approx(right - factor / 2)


BAD = {
    "structure html": (b"<html>Maintenance</html>", "page of HTML"),
    "structure empty": (b"", "is empty"),
    "structure text": (b"rain, rain", "does not begin as HDF5 does"),
    "structure truncated": (None, "cannot be read"),
    "calibration": ({"formula": "GEO=0.5*PV-31.5"}, "must be by GEO = 0.01·PV"),
    "calibration offset": ({"formula": "GEO=0.01*PV+1.0"}, "must be by GEO = 0.01·PV"),
    "calibration odd": ({"formula": "GEO=PV"}, "must be by GEO = 0.01·PV"),
    "units": ({"parameter": "REFLECTIVITY_[DBZ]"}, "shows REFLECTIVITY"),
    "period": ({"seconds": 3600}, "is of 3600 s"),
    "time": ({"end": "26-AOU-2010;00:15:00.000"}, "no time"),
    "grid": ({"row_offset": 10.0}, "lies elsewhere"),
    "grid units": ({"pixel": "DEG,DEG"}, "pixels in DEG,DEG"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_not_as_promised_is_left_out_and_breaks_the_movie(paths: list[Path], case: str) -> None:
    how, said = BAD[case]
    if isinstance(how, dict):
        write_composite(paths[AT], drifting(COUNT)[AT], FIRST + AT * STEP, **how)
    else:
        paths[AT].write_bytes(paths[AT].read_bytes()[:3000] if how is None else how)
    table = decode_files(paths)
    (left_out,) = table.exclusions
    assert (left_out.file, left_out.check) == (paths[AT].name, case.partition(" ")[0])
    assert said in left_out.message
    assert np.diff(table.offset).tolist() == [AT, COUNT - AT - 1]
    assert times_of(table, 1)[0] == (FIRST + (AT + 1) * STEP).tolist()
    assert table.source.tolist() == [at for at in range(COUNT) if at != AT]


def test_a_frame_without_any_value_is_left_out_and_breaks_the_movie(paths: list[Path]) -> None:
    write_composite(paths[AT], np.full(SHAPE, MISSING, np.uint16), FIRST + AT * STEP)
    table = decode_files(paths)
    (left_out,) = table.exclusions
    assert (left_out.file, left_out.check) == (paths[AT].name, "no-values")
    assert np.diff(table.offset).tolist() == [AT, COUNT - AT - 1]


def test_a_frame_of_another_size_is_left_out_and_told(paths: list[Path]) -> None:
    write_composite(paths[AT], drifting(COUNT, (12, 20))[AT], FIRST + AT * STEP)
    table = decode_files(paths, {"rows": (0, 24), "columns": (0, 20), "factor": 2})
    (left_out,) = table.exclusions
    assert (left_out.file, left_out.check) == (paths[AT].name, "size")
    assert "12 × 20 pixels" in left_out.message
    assert "24 × 20" in left_out.message
    assert np.diff(table.offset).tolist() == [AT, COUNT - AT - 1]


def test_rain_that_cannot_be_is_left_out(paths: list[Path]) -> None:
    counts = drifting(COUNT)[AT]
    counts[5, 5] = 60000
    write_composite(paths[AT], counts, FIRST + AT * STEP)
    (left_out,) = decode_files(paths).exclusions
    assert (left_out.file, left_out.check) == (paths[AT].name, "range")
    assert "7200 mm/h" in left_out.message


def test_the_count_for_missing_is_the_files_own(paths: list[Path]) -> None:
    counts = drifting(COUNT)[AT]
    counts[counts == MISSING] = 65000
    write_composite(paths[AT], counts, FIRST + AT * STEP, missing=65000)
    table = decode_files(paths)
    assert not table.exclusions
    assert np.isnan(table.values[AT]).sum() == np.isnan(table.values[0]).sum()


def test_a_gap_in_time_begins_another_movie(paths: list[Path]) -> None:
    table = decode_files([*paths[:2], *paths[4:]])
    assert np.diff(table.offset).tolist() == [2, 3]
    assert len(set(table.ids)) == 2
    assert not table.exclusions


def test_files_are_put_in_the_order_of_their_time(paths: list[Path]) -> None:
    table = decode_files(paths[::-1])
    assert np.diff(table.offset).tolist() == [COUNT]
    assert table.values.tobytes() == decode_files(paths).values.tobytes()
    assert table.source.tolist() == list(range(COUNT))[::-1]


def test_of_two_files_that_show_the_same_one_is_taken(paths: list[Path], tmp_path: Path) -> None:
    again = tmp_path / "again.h5"
    again.write_bytes(paths[AT].read_bytes())
    table = decode_files([*paths, again])
    (left_out,) = table.exclusions
    assert (left_out.file, left_out.check) == ("again.h5", "repeated")
    assert paths[AT].name in left_out.message
    assert np.diff(table.offset).tolist() == [COUNT]


def test_of_two_files_of_one_time_that_differ_none_is_taken(paths: list[Path], tmp_path: Path) -> None:
    write_composite(tmp_path / "other.h5", drifting(COUNT)[0], FIRST + AT * STEP)
    table = decode_files([*paths, tmp_path / "other.h5"])
    assert {each.check for each in table.exclusions} == {"conflict"}
    assert {each.file for each in table.exclusions} == {"other.h5", paths[AT].name}
    assert np.diff(table.offset).tolist() == [AT, COUNT - AT - 1]


def test_where_no_file_is_left_the_first_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(b"<html>")
    with pytest.raises(
        GranuleError, match=r"none of 1 files could be used; the first: a\.h5 is a page of HTML"
    ):
        decoded(tmp_path)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"rows": (0, 30), "factor": 2}, "rows 0 to 30 do not fit into 24"),
        ({"factor": 7}, "rows 0 to 24 do not fit into 24 in squares of 7"),
        ({"rows": (4, 4)}, "holds no pixel"),
        ({"columns": (0, 9), "factor": 2}, "9 pixels, no multiple of 2"),
        ({"factr": 2}, "did you mean 'factor'"),
    ],
)
def test_a_box_that_does_not_fit_is_refused(paths: list[Path], config: dict, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        decode_files(paths, config)
    assert said in str(caught.value)


def test_without_files_or_an_address_it_is_told_what_to_do() -> None:
    made = source("knmi-radar")
    with pytest.raises(ConfigError, match="--from-files"):
        made.list_granules("web", lambda _: b"")
    with pytest.raises(ConfigError, match="no mirror 'nowhere'"):
        made.list_granules("nowhere", lambda _: b"")
    with pytest.raises(ConfigError, match="no file matches"):
        source("knmi-radar", files=("nothing-here/*.h5",)).list_granules("files", lambda _: b"")


def test_a_folder_on_the_web_is_listed_by_its_index() -> None:
    index = b'<a href="../">up</a><a href="?C=N">Name</a><a href="b.h5">b</a><a href="a.H5">a</a><a href="x.txt">x</a>'
    made = source("knmi-radar", addresses={"web": "http://127.0.0.1:1/radar/"})
    granules = made.list_granules("web", {"http://127.0.0.1:1/radar/": index}.__getitem__)
    assert [each.url for each in granules] == [
        "http://127.0.0.1:1/radar/a.H5",
        "http://127.0.0.1:1/radar/b.h5",
    ]


def test_pages_are_no_composites() -> None:
    assert "HTML" in content_complaint(b"<!DOCTYPE html>")
    assert content_complaint(b"CDF\x01")
    assert not content_complaint(b"\x89HDF\r\n\x1a\n\0")


def test_a_file_is_named_by_its_last_part(tmp_path: Path) -> None:
    (path,) = write_composites(tmp_path, drifting(1))
    made = source("knmi-radar", files=(str(path),))
    (granule,) = made.list_granules("files", lambda _: b"")
    assert Fetched(granule, path, "").granule.name == name_of(FIRST)

"""A station's store: whatever comes in whatever order, the series is that of the files by their rank."""

import datetime as dt
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import GranuleError, NotFoundError, StoreError
from pipeline.quality.series import STEP
from pipeline.sources.jena_columns import QUANTITIES
from pipeline.store import repository, series_reader, series_schema, series_writer, state
from pipeline.store.series_files import decode_days, encode_days
from pipeline.types import Status, Table
from tests.records import make_sea, write_cube
from tests.stations import FEW, MORE, NOW, START, STATION, file_rows, joined, make_table, write_series


@pytest.fixture
def path(place):
    return place / "store"


def commits(path):
    return [commit.message for commit in repository.open_repository(path).ancestry(branch="main")]


def temperature(path, **options):
    return series_reader.open_series(path, "roof", **options).air_temperature.values


def test_what_is_written_is_read_with_its_provenance(path):
    rows = file_rows(make_table(1, 400))
    written = write_series(path, rows, now=NOW)
    assert (written.final, written.preliminary, written.findings) == (3, 0, ())
    data = series_reader.open_series(path, "roof")
    assert data.attrs["snapshot"] == written.snapshot
    np.testing.assert_array_equal(data.time.values.astype("datetime64[s]"), rows.table.time)
    for place, name in enumerate(FEW):
        np.testing.assert_array_equal(data[name], rows.table.values[:, place].astype(np.float32))
        quantity = QUANTITIES[name]
        assert data[name].dtype == np.float32
        assert data[name].attrs["units"] == quantity.units
        assert data[name].attrs["standard_name"] == quantity.standard_name
        assert data[name].attrs["long_name"] == quantity.long_name
    assert set(data.status.values) == {Status.FINAL}
    assert set(data.granule.values) == {0}
    assert (float(data.latitude), float(data.longitude), str(data.station.values)) == (50.5, 11.5, "roof")
    assert state.source_list(path) == ((rows.granule.url,), (rows.sha256,))
    summary = state.status_summary(path)
    assert (summary.regions, summary.first_day, summary.last_day) == (("roof",), "2020-01-01", "2020-01-03")
    assert (summary.final, summary.preliminary, summary.missing) == (3, 0, 0)


def test_the_same_again_makes_no_commit_and_a_new_label_no_change(path):
    rows = file_rows(make_table(1, 300))
    write_series(path, rows)
    before = commits(path)
    assert write_series(path, rows, now=NOW).snapshot is None
    assert commits(path) == before
    again = write_series(path, file_rows(rows.table, version="2", sha=rows.sha256))
    assert (again.final, again.snapshot is None) == (0, False)
    assert write_series(path, file_rows(rows.table, version="2", sha=rows.sha256)).snapshot is None
    moved = write_series(path, file_rows(rows.table, "b.csv", version="2", sha=rows.sha256))
    assert state.source_list(path)[0] == ("http://one/b.csv",)
    assert moved.final == 0
    assert [message.split()[0] for message in commits(path)[:2]] == ["relabel", "relabel"]


FILES = (
    file_rows(make_table(1, 300), "jan.csv"),
    file_rows(make_table(250, 500, variables=MORE, add=0.5), "new.csv"),
    file_rows(
        joined(make_table(480, 500, add=1), make_table(480, 900, add=1)),
        "grows.csv",
        status=Status.PRELIMINARY,
    ),
    file_rows(make_table(2000, 2100), "far.csv"),
    file_rows(make_table(2050, 2200, add=0.25), "farther.csv"),
)


def expected(files):
    """Time → row, file by file in the order of rank; row by row, without NumPy's help."""
    rows = {}
    for file in sorted(
        files, key=lambda file: (file.granule.status, len(file.table.variables), file.table.time[-1])
    ):
        for time, values in zip(file.table.time, file.table.values.astype(np.float32), strict=True):
            rows[time] = dict(zip(file.table.variables, values, strict=True)), file
    return rows


@settings(max_examples=4)
@given(st.permutations(range(len(FILES))))
def test_the_order_in_which_files_come_does_not_matter(tmp_path_factory, order):
    path = tmp_path_factory.mktemp("series") / "store"
    write_series(path, *(FILES[number] for number in order))
    data = series_reader.open_series(path, "roof").load()
    assert np.all(np.diff(data.time.values) == STEP)
    assert (
        data.time.values[[0, -1]].tolist()
        == (START + np.array([1, 2199]) * STEP).astype("datetime64[ns]").tolist()
    )
    wanted = expected(FILES)
    urls = [url for url, _ in sorted_entries(path)]
    for name in MORE:
        made = [
            wanted.get(time, ({},))[0].get(name, np.nan) for time in data.time.values.astype("datetime64[s]")
        ]
        np.testing.assert_array_equal(data[name], np.array(made, np.float32))
    for time, status, granule in zip(
        data.time.values.astype("datetime64[s]"), data.status.values, data.granule.values, strict=True
    ):
        file = wanted[time][1] if time in wanted else None
        assert status == (file.granule.status if file else Status.MISSING)
        assert (urls[granule] if granule >= 0 else None) == (file.granule.url if file else None)
    published = series_reader.read_series(
        path, "roof", target="air_temperature", variables=FEW, protocol="as-published"
    )
    in_order = sorted(FILES, key=lambda file: file.table.time[0])
    np.testing.assert_array_equal(
        published.values, np.concatenate([file.table.values[:, :4] for file in in_order]).astype(np.float32)
    )
    assert state.status_summary(path).gaps == (state.Gap(start="2020-01-08", end="2020-01-13", days=6),)


def sorted_entries(path):
    """Address and hash of each file in the order in which they came, as the store keeps them."""
    import zarr

    table = zarr.open_group(repository.read_session(path).store, mode="r")["roof/granules"]
    return list(zip(table["url"][:].tolist(), table["sha256"][:].tolist(), strict=True))


@given(st.lists(st.integers(10, 700), min_size=1, max_size=4))
@settings(max_examples=3)
def test_a_file_that_grows_takes_the_place_of_its_former_rows(tmp_path_factory, lengths):
    path = tmp_path_factory.mktemp("series") / "store"
    final = file_rows(make_table(1, 200))
    write_series(path, final)
    for number, length in enumerate(lengths):
        table = make_table(150, 200 + length, add=0.01 * number)
        write_series(path, file_rows(table, "b.csv", status=Status.PRELIMINARY, sha=str(number)))
    made = np.concatenate([final.table.values[:, 0], table.values[50:, 0]]).astype(np.float32)
    np.testing.assert_array_equal(temperature(path), made)
    rows = series_reader.read_series(
        path, "roof", target="air_temperature", variables=FEW, protocol="as-published"
    )
    assert len(rows.time) == 199 + len(table.time)
    assert len(state.source_list(path)[0]) == 2


def chunk_objects(path):
    return {each for each in (path / "chunks").rglob("*") if each.is_file()}


def test_a_file_that_grows_writes_its_newest_chunks_alone(tmp_path, monkeypatch):
    """And not those of its rows before, which each snapshot that is kept would keep anew."""
    path, first, later = tmp_path / "store", make_table(1, 1500), make_table(1, 1600)
    noise = np.random.default_rng(0).normal(size=later.values.shape)
    later.values[:], first.values[:] = noise, noise[: len(first.values)]
    monkeypatch.setattr(series_schema, "CHUNKS", {"time": 200, "row": 200, "granule": 64})
    write_series(path, file_rows(first, status=Status.PRELIMINARY))
    before = chunk_objects(path)
    write_series(path, file_rows(later, status=Status.PRELIMINARY))
    numbers = 2 * len(FEW)
    assert len(chunk_objects(path) - before) >= numbers
    # The newest chunk of each array of numbers, and what is larger than a manifest takes of times and files.
    assert len(chunk_objects(path) - before) <= numbers + 6
    assert len(before) >= 7 * numbers
    np.testing.assert_array_equal(temperature(path), later.values[:, 0].astype(np.float32))


def test_a_preliminary_never_replaces_a_final_and_a_late_final_does(path):
    early = file_rows(make_table(1, 300, add=1), "early.csv", status=Status.PRELIMINARY)
    assert write_series(path, early).preliminary == 3
    final = write_series(path, file_rows(make_table(1, 200), "final.csv"))
    assert (final.final, final.preliminary) == (2, 0)
    late = write_series(path, file_rows(make_table(1, 300, add=2), "late.csv", status=Status.PRELIMINARY))
    assert late.preliminary == 2
    data = series_reader.open_series(path, "roof")
    made = make_table(1, 300).values[:, 0] + np.where(np.arange(299) < 199, 0, 2)
    np.testing.assert_array_equal(data.air_temperature, made.astype(np.float32))
    np.testing.assert_array_equal(
        data.status, np.where(np.arange(299) < 199, Status.FINAL, Status.PRELIMINARY)
    )
    summary = state.status_summary(path)
    assert (summary.final, summary.preliminary, summary.last_final) == (1, 2, "2020-01-01")
    same = write_series(path, file_rows(make_table(1, 300, add=2), "late.csv", sha="closed"))
    assert same.final == 3


def test_the_file_of_the_running_period_becomes_final_with_the_same_content(path):
    table = make_table(1, 300)
    write_series(path, file_rows(table, status=Status.PRELIMINARY, sha="same"))
    written = write_series(path, file_rows(table, sha="same"))
    assert (written.final, written.preliminary) == (3, 0)
    assert set(series_reader.open_series(path, "roof").status.values) == {Status.FINAL}


def test_files_that_agree_where_they_overlap_say_nothing_and_a_conflict_is_told(path):
    write_series(path, file_rows(make_table(1, 300)))
    assert write_series(path, file_rows(make_table(200, 400), "b.csv")).findings == ()
    third = make_table(350, 500)
    third.values[3, 0] += 1
    (finding,) = write_series(path, file_rows(third, "c.csv")).findings
    assert (finding.check, finding.severity, finding.day) == ("overlap", "warn", dt.date(2020, 1, 3))
    assert finding.message == (
        "b.csv and c.csv differ at 1 stamp in air_temperature, and c.csv is taken: 2020-01-03 10:50:00"
    )


def test_sentinels_and_repeated_stamps_stay_in_the_rows_and_not_in_the_series(path):
    table = joined(make_table(1, 50), make_table(49, 50), make_table(50, 51, add=1), make_table(50, 100))
    table.values[10, 1] = -9999
    table.values[20] = -9999
    write_series(path, file_rows(table))
    rows = series_reader.read_series(
        path, "roof", target="air_temperature", variables=FEW, protocol="as-published"
    )
    np.testing.assert_array_equal(rows.values, table.values.astype(np.float32))
    np.testing.assert_array_equal(rows.time, (table.time[0] + np.arange(101) * STEP).astype("datetime64[ns]"))
    data = series_reader.open_series(path, "roof")
    assert len(data.time) == 99
    assert np.flatnonzero(np.isnan(data.wind_speed)).tolist() == [10, 20, 49]
    assert np.flatnonzero(np.isnan(data.air_temperature)).tolist() == [20, 49]
    assert np.flatnonzero(data.status == Status.MISSING).tolist() == [20, 49]


def test_a_variable_that_comes_later_is_missing_before(path):
    write_series(
        path, file_rows(make_table(1, 100)), file_rows(make_table(100, 200, variables=MORE), "b.csv")
    )
    carbon = series_reader.open_series(path, "roof").carbon_dioxide.values
    assert np.isnan(carbon[:99]).all()
    assert np.isfinite(carbon[99:]).all()


def test_a_file_that_goes_back_in_time_is_refused_and_nothing_of_it_is_written(path):
    back = joined(make_table(1, 50), make_table(10, 20, add=1), make_table(60, 70))
    back = Table(back.time[::-1], back.values, back.variables, back.line)
    with pytest.raises(GranuleError, match=r"a\.csv, line 3: time goes back"):
        write_series(path, file_rows(back))
    assert not path.exists()
    write_series(path, file_rows(make_table(1, 50)))
    before = commits(path)
    with pytest.raises(GranuleError, match="goes back"):
        write_series(path, file_rows(back, "b.csv"))
    assert commits(path) == before


def test_a_file_without_any_value_is_refused(path):
    empty = make_table(1, 50)
    empty.values[:] = -9999
    with pytest.raises(GranuleError, match="no value at any step") as caught:
        write_series(path, file_rows(empty))
    assert caught.value.fields["check"] == "completeness"


def test_another_place_or_another_station_is_refused(path):
    write_series(path, file_rows(make_table(1, 50)))
    moved = STATION.model_copy(update={"latitude": 51.0})
    with pytest.raises(StoreError, match=r"at 50.5° north, 11.5° east, and now at 51.0°"):
        series_writer.write(path, moved, file_rows(make_table(1, 60)), QUANTITIES)
    with pytest.raises(StoreError, match="the store is that of roof"):
        series_writer.write(
            path, STATION.model_copy(update={"name": "cellar"}), file_rows(make_table(1, 60)), QUANTITIES
        )
    with pytest.raises(StoreError, match="no station 'cellar'; it has roof"):
        series_reader.open_series(path, "cellar")


def test_a_snapshot_stays_what_it_was(path):
    first = write_series(path, file_rows(make_table(1, 50))).snapshot
    write_series(path, file_rows(make_table(1, 80, add=1), version="2"))
    np.testing.assert_array_equal(
        temperature(path, snapshot=first), make_table(1, 50).values[:, 0].astype(np.float32)
    )
    assert state.source_list(path, first) != state.source_list(path)
    with pytest.raises(NotFoundError, match="no snapshot"):
        series_reader.open_series(path, "roof", snapshot="NOSUCHSNAPSHOT000000")


def test_the_sources_of_a_cube_are_those_of_its_days(tmp_path):
    record = make_sea(5)
    snapshot = write_cube(tmp_path / "cube", record)
    urls, sha256s = state.source_list(tmp_path / "cube", snapshot)
    assert urls == tuple(f"https://mirror.test/{day}.nc" for day in record.time.astype("datetime64[D]"))
    assert len(set(sha256s)) == 5


@given(st.sets(st.dates(dt.date(2009, 1, 1), dt.date(2009, 12, 31))))
def test_days_are_told_in_runs_and_come_back(days):
    ordered = tuple(sorted(days))
    text = encode_days(ordered)
    assert decode_days(text) == ordered
    breaks = sum((b - a).days > 1 for a, b in pairwise(ordered))
    assert text.count("/") == (breaks + 1 if ordered else 0)

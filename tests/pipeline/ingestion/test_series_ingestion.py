"""Ingestion of a station's files: each mirror a folder of small files, whose faults are in them; and over HTTP."""

import datetime as dt
import io
import pickle
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import DiskFullError, FetchError, GranuleError
from pipeline.ingestion import SeriesJob, ingest_series
from pipeline.ingestion import series as ingestion
from pipeline.mirror import Mirror, SimulatedWeather
from pipeline.quarantine import list_quarantine
from pipeline.sources.base import Granule
from pipeline.sources.jena import Jena, JenaConfig
from pipeline.sources.jena_columns import QUANTITIES
from pipeline.sources.policy import FetchPolicy
from pipeline.store import repository, series_reader, state
from pipeline.store.series_schema import day_of
from pipeline.types import Status, Table, TimeRange
from tests.stations import STATION, joined, make_table

PERIOD = TimeRange(start=dt.date(2020, 1, 1), end=dt.date(2020, 1, 31))


@dataclass(frozen=True)
class Folders:
    """A source of which each mirror is a folder of .npz files named by status and version."""

    root: Path
    mirrors: tuple[str, ...] = ("one", "two")
    name = "folders"
    quantities = QUANTITIES

    def list_granules(self, mirror, period, read):
        folder = self.root / mirror
        if not folder.is_dir():
            raise FetchError(f"{mirror} does not answer", url=str(folder))
        found = []
        for path in sorted(folder.glob("*.npz")):
            _, status, version, first, last = path.stem.split("_")
            span = TimeRange(start=dt.date.fromisoformat(first), end=dt.date.fromisoformat(last))
            days = tuple(day for day in span.days().tolist() if day in period)
            if days:
                found.append(Granule(mirror, str(path), days, Status[status], version))
        return sorted(found, key=lambda granule: granule.days[0])

    def decode(self, path, granule):
        try:
            with path.open("rb") as opened, np.load(io.BytesIO(opened.read()), allow_pickle=False) as loaded:
                file = dict(loaded)
        except (ValueError, OSError, EOFError, BadZipFile) as error:
            raise GranuleError(f"{path.name}: {error}", check="structure", path=str(path)) from error
        kept = np.isin(day_of(file["time"]), np.array(granule.days, "datetime64[D]"))
        line = np.flatnonzero(kept) + 2
        return Table(file["time"][kept], file["values"][kept], tuple(file["variables"].tolist()), line)

    def content_complaint(self, head):
        return ""


def put(root, mirror, name, table, *, status="FINAL", version="1"):
    """A file of `table`, in the place of what it was."""
    folder = root / mirror
    folder.mkdir(parents=True, exist_ok=True)
    days = day_of(table.time)
    path = folder / f"{name}_{status}_{version}_{days.min()}_{days.max()}.npz"
    np.savez(path, time=table.time, values=table.values, variables=np.array(table.variables))
    return path


@pytest.fixture
def job(tmp_path):
    return job_in(tmp_path)


def job_in(folder):
    return SeriesJob(
        Folders(folder / "remote"), STATION, folder / "store", folder / "cache", folder / "quarantine"
    )


def temperature(job):
    return series_reader.open_series(job.store, "roof").air_temperature.values


def column(table):
    return table.values[:, 0].astype(np.float32)


def test_every_file_comes_in_and_the_second_time_nothing_is_done(job):
    root, whole = job.source.root, make_table(1, 1000)
    for name, first, last in (("a", 1, 400), ("b", 400, 700), ("c", 700, 1000)):
        put(root, "one", name, make_table(first, last), status="PRELIMINARY" if name == "c" else "FINAL")
    told = []
    result = ingest_series(
        job, PERIOD, progress=lambda granule, part: told.append((granule.name[0], part.written))
    )
    assert (result.final, result.preliminary, result.gaps) == (6, 3, ())
    assert told == [("a", 3), ("b", 3), ("c", 3)]
    np.testing.assert_array_equal(temperature(job), column(whole))
    again = ingest_series(pickle.loads(pickle.dumps(job)), PERIOD)
    assert (again.written, again.snapshot, again.warnings) == (0, None, ())
    assert state.status_summary(job.store).snapshot == result.snapshot


@settings(max_examples=3)
@given(st.permutations(range(4)), st.integers(0, 3))
def test_a_kill_between_files_loses_nothing_in_whatever_order_they_appear(tmp_path_factory, order, killed):
    folder = tmp_path_factory.mktemp("series")
    job, parts = job_in(folder), [(1, 300), (300, 500), (480, 800), (800, 900)]
    write, done = ingestion.series_writer.write, []

    def fails(*arguments, **options):
        if len(done) == killed:
            done.append(None)
            raise KeyboardInterrupt
        done.append(None)
        return write(*arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingestion.series_writer, "write", fails)
        for number in order:
            put(job.source.root, "one", "abcd"[number], make_table(*parts[number]))
            try:
                ingest_series(job, PERIOD)
            except KeyboardInterrupt:
                assert len(state.source_list(job.store)[0]) == killed if killed else not job.store.exists()
    ingest_series(job, PERIOD)
    np.testing.assert_array_equal(temperature(job), column(make_table(1, 900)))
    assert len(state.source_list(job.store)[0]) == 4
    assert ingest_series(job, PERIOD).snapshot is None


def test_a_kill_while_the_store_is_made_is_mended(job):
    put(job.source.root, "one", "a", make_table(1, 300))
    repository.create(job.store, splits={"time": 64})
    assert ingest_series(job, PERIOD).final == 3


def test_a_file_that_grew_replaces_what_it_was_and_a_final_the_preliminary(job, monkeypatch):
    table = make_table(1, 300)
    monkeypatch.setattr(
        Folders,
        "list_granules",
        lambda self, mirror, period, read: (
            [Granule("one", str(path), tuple(PERIOD.days().tolist()), status)] if mirror == "one" else []
        ),
    )
    path, status = put(job.source.root, "one", "a", table), Status.PRELIMINARY
    first = ingest_series(job, PERIOD)
    assert (first.preliminary, first.gaps) == (3, ())
    assert ingest_series(job, PERIOD).snapshot is None
    path.rename(path.with_name("grown.npz"))
    path = put(job.source.root, "one", "a", table)
    np.savez(path, **{name: getattr(make_table(1, 500), name) for name in ("time", "values", "variables")})
    grown = ingest_series(job, PERIOD)
    assert (grown.preliminary, grown.final) == (2, 0)
    np.testing.assert_array_equal(temperature(job), column(make_table(1, 500)))
    assert len(state.source_list(job.store)[0]) == 1
    status = Status.FINAL
    assert ingest_series(job, PERIOD).final == 4
    status = Status.PRELIMINARY
    assert ingest_series(job, PERIOD).snapshot is None
    assert state.status_summary(job.store).preliminary == 0


def test_a_changed_version_is_a_reissue_and_a_longer_period_asks_for_the_rest(job, monkeypatch):
    put(job.source.root, "one", "a", make_table(1, 1000))
    ingest_series(job, TimeRange(start=PERIOD.start, end=dt.date(2020, 1, 2)))
    np.testing.assert_array_equal(temperature(job), column(make_table(1, 289)))
    longer = ingest_series(job, PERIOD)
    assert (longer.final, longer.gaps) == (5, ())
    shorter = ingest_series(job, TimeRange(start=dt.date(2020, 1, 2), end=dt.date(2020, 1, 3)))
    assert shorter.snapshot is None
    listed = Folders.list_granules

    def reissued(*arguments):
        return [replace(granule, version="2") for granule in listed(*arguments)]

    (path,) = (job.source.root / "one").iterdir()
    np.savez(
        path, **{name: getattr(make_table(1, 1000, add=1), name) for name in ("time", "values", "variables")}
    )
    assert ingest_series(job, PERIOD).snapshot is None
    monkeypatch.setattr(Folders, "list_granules", reissued)
    assert ingest_series(job, PERIOD).final == 7
    np.testing.assert_array_equal(temperature(job), column(make_table(1, 1000, add=1)))
    assert ingest_series(job, PERIOD).snapshot is None


def test_the_same_file_under_another_name_is_not_taken_twice(job):
    path = put(job.source.root, "one", "a", make_table(1, 300))
    ingest_series(job, PERIOD)
    copy = path.with_name(path.name.replace("a_", "b_"))
    copy.write_bytes(path.read_bytes())
    assert ingest_series(job, PERIOD).snapshot is None
    path.unlink()
    moved = ingest_series(job, PERIOD)
    assert (moved.written, moved.snapshot is None) == (0, False)
    assert state.source_list(job.store)[0] == (str(copy),)
    assert ingest_series(job, PERIOD).snapshot is None


def test_what_one_mirror_cannot_give_is_asked_of_the_next(job):
    root = job.source.root
    put(root, "one", "a", make_table(1, 145))
    put(root, "one", "b", make_table(145, 289)).write_bytes(b"half a fi")
    for name, first in (("a", 1), ("b", 145), ("c", 289)):
        put(root, "two", name, make_table(first, first + 144, add=1))
    result = ingest_series(job, PERIOD)
    assert (result.final, result.gaps, len(result.refused)) == (3, (), 1)
    added = temperature(job) - column(make_table(1, 433))
    np.testing.assert_allclose(added, np.repeat([0, 1, 1], 144), atol=1e-5)
    (entry,) = list_quarantine(job.quarantine)
    assert (entry.mirror, entry.findings[0].check) == ("one", "structure")
    assert (job.quarantine / entry.file).read_bytes() == b"half a fi"


BACK = make_table(145, 289)
BAD = {
    "truncated": ("structure", lambda path: path.write_bytes(path.read_bytes()[:300])),
    "a page of HTML": ("structure", lambda path: path.write_text("<html>404</html>")),
    "time that goes back": ("order", Table(BACK.time[::-1], BACK.values, BACK.variables, BACK.line)),
    "sentinels alone": ("completeness", replace(BACK, values=np.full_like(BACK.values, -9999))),
}


@pytest.mark.parametrize("fault", BAD)
def test_bad_input_is_quarantined_whole_and_the_rest_is_done(job, fault):
    check, change = BAD[fault]
    root = job.source.root
    (root / "two").mkdir(parents=True)
    for name, first in (("a", 1), ("b", 145), ("c", 289)):
        bad = name == "b" and isinstance(change, Table)
        path = put(root, "one", name, change if bad else make_table(first, first + 144))
        if name == "b" and not bad:
            change(path)
    result = ingest_series(job, PERIOD)
    assert (result.final, result.gaps) == (2, (dt.date(2020, 1, 2),))
    (entry,) = list_quarantine(job.quarantine)
    assert entry.findings[0].check == check
    assert result.refused[0].findings[0].message
    assert np.isnan(temperature(job)[144:288]).all()
    assert [gap.start for gap in state.status_summary(job.store).gaps] == ["2020-01-02"]
    (broken,) = (root / "one").glob("b_*")
    broken.unlink()
    put(root, "one", "b", BACK)
    mended = ingest_series(job, PERIOD)
    assert (mended.final, mended.gaps, mended.stale) == (1, (), ())


def test_a_file_refused_at_the_end_is_a_gap_and_one_that_the_store_held_is_stale(job):
    root = job.source.root
    (root / "two").mkdir(parents=True)
    path = put(root, "one", "a", make_table(1, 145), status="PRELIMINARY")
    put(root, "one", "b", make_table(145, 289)).write_bytes(b"")
    result = ingest_series(job, PERIOD)
    assert (result.preliminary, result.gaps) == (1, (dt.date(2020, 1, 2),))
    path.unlink()
    put(root, "one", "a", make_table(1, 145)).write_bytes(b"")
    assert ingest_series(job, PERIOD).stale == (dt.date(2020, 1, 1),)


def test_what_the_checks_find_and_files_that_differ_are_told_once(job):
    table = joined(make_table(1, 50), make_table(49, 50), make_table(50, 100))
    table.values[5, 1] = -9999
    put(job.source.root, "one", "a", table)
    put(job.source.root, "one", "b", make_table(90, 200, add=1))
    result = ingest_series(job, PERIOD)
    assert [warning.check for warning in result.warnings] == ["duplicates", "sentinel", "overlap"]
    assert "10 stamps" in result.warnings[-1].message
    assert ingest_series(job, PERIOD).warnings == ()


def test_no_mirror_at_all_is_an_error_that_names_them(job):
    with pytest.raises(FetchError, match=r"one does not answer.*two does not answer[\s\S]*check the network"):
        ingest_series(job, PERIOD)
    assert not job.store.exists()
    put(job.source.root, "two", "a", make_table(1, 145))
    result = ingest_series(job, PERIOD)
    assert [(problem.mirror, problem.what) for problem in result.problems] == [("one", "listing")]


def test_a_full_disk_keeps_what_was_committed(job, monkeypatch):
    for name, first in (("a", 1), ("b", 145)):
        put(job.source.root, "one", name, make_table(first, first + 144))
    write = ingestion.series_writer.write

    def full(path, station, rows, *rest, **options):
        if rows.granule.name.startswith("b"):
            raise DiskFullError("no space", remedy="free some")
        return write(path, station, rows, *rest, **options)

    monkeypatch.setattr(ingestion.series_writer, "write", full)
    with pytest.raises(DiskFullError):
        ingest_series(job, PERIOD)
    monkeypatch.undo()
    assert len(temperature(job)) == 144
    assert ingest_series(job, PERIOD).final == 1


def test_the_station_over_http_grows_and_is_asked_conditionally(tmp_path):
    today = dt.date(2024, 1, 20)
    with Mirror(weather=SimulatedWeather(seed=3, first=dt.date(2023, 12, 20), today=today)) as mirror:
        addresses = mirror.addresses_of("jena")
        policy = FetchPolicy(attempts=2, backoff=0.001, longest_backoff=0.002, per_second=1000)

        def ingested(recheck=5):
            source = Jena(JenaConfig(addresses=addresses, today=mirror.today))
            folders = (tmp_path / name for name in ("store", "cache", "bad"))
            job = SeriesJob(source, STATION, *folders, policy, recheck=recheck)
            mirror.requests.clear()
            return ingest_series(job, TimeRange(start=dt.date(2023, 12, 20), end=mirror.today))

        first = ingested()
        assert (first.final, first.preliminary, first.gaps, first.problems) == (12, 19, (), ())
        assert {warning.check for warning in first.warnings} <= {"duplicates", "sentinel"}
        assert ingested().snapshot is None
        assert [status for _, _, status in mirror.requests] == [304]
        assert ingested(recheck=None).snapshot is None
        assert [status for _, _, status in mirror.requests] == [304, 304]
        mirror.advance()
        grown = ingested()
        assert (grown.final, grown.preliminary, grown.gaps) == (0, 1, ())
        assert state.status_summary(tmp_path / "store").last_day == "2024-01-20"


def test_a_closed_file_that_is_corrected_in_place_is_found_when_it_is_rechecked(job):
    table = make_table(1, 400)
    put(job.source.root, "one", "a", table, version="")
    ingest_series(job, PERIOD)
    before = temperature(job)
    put(job.source.root, "one", "a", replace(table, values=table.values + 1), version="")
    assert ingest_series(replace(job, recheck=5), PERIOD).written == 0
    assert ingest_series(job, PERIOD).written == 3
    np.testing.assert_allclose(temperature(job), before + 1, rtol=1e-6)
    assert ingest_series(job, PERIOD).written == 0

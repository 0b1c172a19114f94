"""Ingestion against a source of small local files, each mirror a folder; faults are in the files."""

import datetime as dt
import io
import pickle
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import DiskFullError, FetchError, GranuleError, GridError
from pipeline.ingestion import IngestJob, ingest, ingest_shard, plan
from pipeline.ingestion.plan import enclosing_box, pieces, spans
from pipeline.quarantine import list_quarantine
from pipeline.regrid import Region, RegridSpec
from pipeline.sources.base import Granule
from pipeline.store import reader, state, writer
from pipeline.types import Box, Field, Status, TimeRange

START = dt.date(2020, 1, 1)
LATITUDE, LONGITUDE = np.arange(-3.5, 4), np.arange(0.5, 12)
LAND = np.zeros((8, 12), bool)
LAND[:, 9:] = True
REGIONS = {
    "sea": Region(box=Box(latitude=(-2, 2), longitude=(2, 8)), regrid=RegridSpec(resolution=2)),
    "bay": Region(box=Box(latitude=(0, 2), longitude=(4, 6)), regrid=RegridSpec(resolution=1)),
}


@dataclass(frozen=True)
class Folders:
    """A source of which each mirror is a folder of .npz files named by day, status and version."""

    root: Path
    mirrors: tuple[str, ...] = ("one", "two")
    name = "folders"

    def list_granules(self, mirror, period, box, read):
        folder = self.root / mirror
        if not folder.is_dir():
            raise FetchError(f"{mirror} does not answer", url=str(folder))
        best = {}
        for path in sorted(folder.glob("*.npz")):
            day, status, version = path.stem.split("_")
            day, status = dt.date.fromisoformat(day), Status[status]
            if day in period and (day not in best or status > best[day].status):
                best[day] = Granule(mirror, str(path), (day,), status, version)
        return [best[day] for day in sorted(best)]

    def decode(self, path, granule, box):
        try:
            with path.open("rb") as opened, np.load(io.BytesIO(opened.read()), allow_pickle=False) as loaded:
                file = dict(loaded)
        except (ValueError, OSError, EOFError, BadZipFile) as error:
            raise GranuleError(f"{path.name}: {error}", check="structure", path=str(path)) from error
        day = file["day"].astype("datetime64[D]").reshape(1)
        return Field(
            file["sst"][None], day, file["latitude"], file["longitude"], str(file["units"]), granule.status
        )


def day_of(number):
    return START + dt.timedelta(number)


def put(root, mirror, number, *, status="FINAL", version="1", add=0.0, **changes):
    """A file of one day; `changes` replace what it holds."""
    folder = root / mirror
    folder.mkdir(parents=True, exist_ok=True)
    sst = np.where(LAND, np.nan, 20 + number / 100 + add).astype(np.float32)
    held = {
        "sst": sst,
        "day": np.datetime64(day_of(number)),
        "latitude": LATITUDE,
        "longitude": LONGITUDE,
        "units": "degree_Celsius",
    }
    path = folder / f"{day_of(number)}_{status}_{version}.npz"
    np.savez(path, **(held | changes))
    return path


@pytest.fixture
def job(tmp_path):
    return IngestJob(
        Folders(tmp_path / "remote"), REGIONS, tmp_path / "cube", tmp_path / "cache", tmp_path / "quarantine"
    )


def period(days):
    return TimeRange(start=START, end=day_of(days - 1))


def values(job, region="sea"):
    return reader.read_record(job.cube, region).values[:, 0, 0]


def test_all_days_come_into_every_region_and_the_second_time_nothing_is_done(job):
    for number in range(70):
        put(job.source.root, "one", number, status="FINAL" if number < 66 else "PRELIMINARY")
    result = ingest(job, period(80))
    assert (result.final, result.preliminary, result.gaps) == (66, 4, ())
    for region, spec in REGIONS.items():
        record = reader.read_record(job.cube, region)
        assert record.values.shape[1:] == spec.grid.shape
        np.testing.assert_allclose(record.values[:, 0, 0], 20 + np.arange(70) / 100, rtol=1e-6)
    again = ingest(job, period(80))
    assert (again.written, again.snapshot) == (0, None)
    assert state.status_summary(job.cube).snapshot == result.snapshot


def test_a_final_replaces_its_preliminary_and_a_reissue_what_it_was(job):
    put(job.source.root, "one", 0)
    old = put(job.source.root, "one", 1, status="PRELIMINARY")
    ingest(job, period(2))
    old.unlink()
    put(job.source.root, "one", 1, add=1)
    first = put(job.source.root, "one", 0, add=2)
    result = ingest(job, period(2))
    assert (result.final, result.written) == (1, 1)
    np.testing.assert_allclose(values(job), [20, 21.01], rtol=1e-6)
    assert first.exists()


def test_a_changed_version_of_the_same_address_is_a_reissue(job, monkeypatch):
    put(job.source.root, "one", 0)
    ingest(job, period(1))
    put(job.source.root, "one", 0, add=1)
    assert ingest(job, period(1)).written == 0
    listed = Folders.list_granules

    def reissued(*arguments):
        return [replace(granule, version="2") for granule in listed(*arguments)]

    monkeypatch.setattr(Folders, "list_granules", reissued)
    assert ingest(job, period(1)).written == 1
    np.testing.assert_allclose(values(job), [21], rtol=1e-6)
    assert ingest(job, period(1)).written == 0


def test_finals_are_rechecked_within_some_days_and_gaps_always(job, monkeypatch):
    for number in [*range(10), *range(50, 120)]:
        put(job.source.root, "one", number, status="FINAL" if number < 110 else "PRELIMINARY")
    ingest(job, period(120))
    put(job.source.root, "one", 30, add=1)
    asked = []
    listed = Folders.list_granules

    def reissued(self, mirror, period, box, read):
        asked.append(period)
        return [replace(granule, version="2") for granule in listed(self, mirror, period, box, read)]

    monkeypatch.setattr(Folders, "list_granules", reissued)
    for number in (3, 105):
        put(job.source.root, "one", number, add=2)
    result = ingest(replace(job, recheck=20), period(120))
    assert result.written == 21  # the filled day, and the newest twenty
    assert asked[0] == TimeRange(start=day_of(10), end=day_of(49))
    assert asked[1] == TimeRange(start=day_of(100), end=day_of(119))
    np.testing.assert_allclose(values(job)[[3, 30, 105]], [20.03, 21.3, 23.05], rtol=1e-6)
    assert ingest(job, period(120)).written == 60
    np.testing.assert_allclose(values(job)[3], 22.03, rtol=1e-6)


@given(st.sets(st.dates(dt.date(1990, 1, 1), dt.date(1992, 12, 31)), min_size=1))
def test_spans_hold_all_days_and_no_empty_month(days):
    ordered = sorted(days)
    found = spans(ordered)
    assert [day for span in found for day in ordered if day in span] == ordered
    assert {span.start for span in found} | {span.end for span in found} <= days
    for before, after in pairwise(found):
        assert (after.start - before.end).days > 31
    for span in found:
        within = [day for day in ordered if day in span]
        assert all((after - before).days <= 31 for before, after in pairwise(within))


BAD = {
    "truncated": ("structure", lambda path: path.write_bytes(path.read_bytes()[:300])),
    "zero bytes": ("structure", lambda path: path.write_bytes(b"")),
    "a page of HTML": ("structure", lambda path: path.write_text("<html>404</html>")),
    "another grid": ("grid", {"latitude": LATITUDE + 0.5}),
    "kelvin": ("units", {"units": "kelvin"}),
    "another day": ("date", {"day": np.datetime64("2019-01-01")}),
    "all fill": ("completeness", {"sst": np.full((8, 12), np.nan, np.float32)}),
    "out of range": ("range", {"sst": np.full((8, 12), 99, np.float32)}),
    "no sea left": ("completeness", {"sst": np.where(LAND, 20, np.nan).astype(np.float32)}),
}


@pytest.mark.parametrize("fault", BAD)
def test_bad_input_is_quarantined_and_the_rest_is_done(job, fault):
    check, change = BAD[fault]
    for number in range(5):
        path = put(
            job.source.root, "one", number, **(change if isinstance(change, dict) and number == 2 else {})
        )
        if number == 2 and callable(change):
            change(path)
    result = ingest(job, period(5))
    assert (result.final, result.gaps) == (4, (day_of(2),))
    (entry,) = list_quarantine(job.quarantine)
    assert entry.findings[0].check == check
    assert entry.days == (day_of(2),)
    assert (job.quarantine / entry.file).is_file()
    assert result.refused[0].findings[0].message
    summary = state.status_summary(job.cube)
    assert [gap.start for gap in summary.gaps] == ["2020-01-03"]
    put(job.source.root, "one", 2)
    mended = ingest(job, period(5))
    assert (mended.final, mended.gaps) == (1, ())


def test_what_one_mirror_cannot_give_is_asked_of_the_next(job):
    for number in range(6):
        put(job.source.root, "two", number, add=1)
        if number != 1:
            put(job.source.root, "one", number, **({"units": "kelvin"} if number == 3 else {}))
    result = ingest(job, period(6))
    assert (result.final, result.gaps, len(result.refused)) == (6, (), 1)
    np.testing.assert_allclose(values(job) - np.arange(6) / 100, [20, 21, 20, 21, 20, 20], rtol=1e-6)


def test_a_mirror_that_does_not_answer_is_passed_over(job):
    put(job.source.root, "two", 0)
    result = ingest(job, period(1))
    assert result.written == 1
    assert [(problem.mirror, problem.what) for problem in result.problems] == [("one", "listing")]


def test_no_network_is_an_error_that_names_the_mirrors(job):
    with pytest.raises(FetchError, match=r"one does not answer.*two does not answer[\s\S]*check the network"):
        ingest(job, period(1))
    assert not job.cube.exists()


def test_a_file_that_vanishes_is_looked_for_again(job, monkeypatch):
    put(job.source.root, "one", 0)
    gone = put(job.source.root, "one", 1, status="PRELIMINARY")
    made = plan(job, period(2))
    gone.unlink()
    put(job.source.root, "one", 1, add=1)
    result = ingest_shard(job, made.shards[0])
    assert (result.final, result.vanished, result.gaps) == (2, (str(gone),), ())


def test_days_that_no_mirror_lists_are_gaps_and_the_days_to_come_are_not(job):
    for number in (0, 1, 4):
        put(job.source.root, "one", number)
        put(job.source.root, "two", number)
    made = plan(job, period(9))
    assert made.gaps == (day_of(2), day_of(3))
    assert made.unpublished == tuple(map(day_of, range(5, 9)))
    assert ingest(job, period(9)).gaps == made.gaps


def test_a_first_mirror_that_stalled_is_passed_over(job):
    for number in range(10):
        put(job.source.root, "two", number)
    for number in range(3):
        put(job.source.root, "one", number)
    result = ingest(job, period(10))
    assert (result.final, result.gaps, result.problems) == (10, (), ())


def test_it_is_told_when_every_mirror_is_behind(job):
    for mirror in ("one", "two"):
        for number in range(3):
            put(job.source.root, mirror, number)
    (problem,) = plan(job, period(10)).problems
    assert "2020-01-03, 7 days before 2020-01-10" in problem.message


def test_a_region_that_is_new_to_the_cube_gets_every_day(job):
    for number in range(5):
        put(job.source.root, "one", number)
    ingest(replace(job, regions={"sea": REGIONS["sea"]}), period(5))
    ingest(job, period(5))
    assert np.isfinite(reader.read_record(job.cube, "bay").values[:, 0, 0]).all()
    assert np.isfinite(values(job)).all()


def test_a_jump_is_a_warning_also_over_the_edge_of_a_shard(job):
    for number in range(3):
        put(job.source.root, "one", number)
    ingest(job, period(3))
    put(job.source.root, "one", 3, add=5)
    result = ingest(job, period(4))
    assert result.final == 1
    assert {warning.check for warning in result.warnings} == {"jump"}
    assert {warning.day for warning in result.warnings} == {day_of(3)}


def test_a_region_without_ocean_is_refused_by_name_and_nothing_is_written(job):
    desert = Region(box=Box(latitude=(-2, 2), longitude=(10, 12)), regrid=RegridSpec(resolution=1))
    job = replace(job, regions=REGIONS | {"desert": desert})
    put(job.source.root, "one", 0)
    with pytest.raises(GridError, match="'desert' holds no ocean"):
        ingest(job, period(1))
    assert not len(state.read_state(job.cube).days)


@pytest.mark.parametrize("error", [DiskFullError("no space", remedy="free some"), KeyboardInterrupt()])
def test_an_end_in_the_middle_keeps_the_shards_before(job, monkeypatch, error):
    for number in range(200):
        put(job.source.root, "one", number)
    write, done = writer.write, []

    def fails(*arguments, **options):
        if done:
            raise error
        done.append(True)
        return write(*arguments, **options)

    monkeypatch.setattr(writer, "write", fails)
    with pytest.raises(type(error)):
        ingest(job, period(200))
    monkeypatch.undo()
    held = len(state.read_state(job.cube).days)
    assert held == 128
    assert ingest(job, period(200)).written == 200 - held


def test_a_shard_can_be_sent_to_another_process(job):
    for number in range(5):
        put(job.source.root, "one", number)
    made = plan(job, period(5))
    job, shard = pickle.loads(pickle.dumps((job, made.shards[0])))
    result = ingest_shard(job, shard)
    assert pickle.loads(pickle.dumps(result)).final == 5


@given(st.lists(st.tuples(st.integers(-180, 359), st.integers(1, 100)), min_size=1, max_size=5))
def test_the_enclosing_box_holds_every_region(arcs):
    regions = []
    for west, width in arcs:
        east = west + width if west + width <= 360 else west + width - 360
        box = Box(latitude=(10, 20), longitude=(west, east))
        regions.append(Region(box=box, regrid=RegridSpec(resolution=1)))
    box = enclosing_box(regions)
    assert box.latitude == (9.5, 20.5)
    for region in regions:
        inside = (region.grid.longitude - box.longitude[0]) % 360
        assert inside.max() <= box.width
        assert np.all(np.diff(inside) > 0) or box.width == 360


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.sampled_from([(0, 360), (10, 20)]))
def test_pieces_hold_the_same_days_in_bounded_parts(lengths, longitude):
    days, granules = START, []
    for length in lengths:
        part = tuple(days + dt.timedelta(i) for i in range(length))
        granules.append(Granule("files", "x.nc", part, Status.FINAL, "v"))
        days = part[-1] + dt.timedelta(1)
    box = Box(latitude=(-90, 90), longitude=longitude)
    parts = pieces(granules, box)
    assert [day for part in parts for day in part.days] == [day for g in granules for day in g.days]
    longest = 2**25 // int(16 * 180 * box.width)
    assert all(len(part.days) <= longest for part in parts)
    assert len(parts) == -(-sum(lengths) // longest)

"""Sequences of several seas: cut from OISST's days, or read from numbered tables; what lacks is told, never dropped."""

import datetime as dt
import io
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ConfigError, GranuleError, GridError
from pipeline.mirror import Mirror, SimulatedOcean
from pipeline.movies.base import MovieTable
from pipeline.movies.numbered_csv import write
from pipeline.sources.base import Fetched
from pipeline.sources.fetch import Fetcher
from pipeline.sources.oisst_sequences import OisstSequences, OisstSequencesConfig
from pipeline.sources.policy import FetchPolicy
from pipeline.types import Box

FIRST = dt.date(2020, 1, 1)
SEAS = {
    "bengal": Box(latitude=(5, 18), longitude=(83.5, 92.5)),
    "bohai": Box(latitude=(37.75, 39.5), longitude=(119, 121.75)),
}
CUT = {"seas": SEAS, "days": 3, "start": FIRST, "stretches": 3}
SMALL = {"height": 3, "width": 2, "days": 4}


@pytest.fixture(scope="module")
def mirror() -> Iterator[Mirror]:
    ocean = SimulatedOcean(seed=4, first=FIRST, today=dt.date(2020, 2, 20))
    with Mirror(ocean=ocean) as serving:
        yield serving


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def fetched(made: OisstSequences, cache: Path) -> list[Fetched]:
    with Fetcher(FetchPolicy(attempts=2, backoff=0.001, per_second=1000)) as fetcher:
        listed = made.list_granules(made.mirrors[0], fetcher.read)
        found = list(fetcher.fetch(listed, cache, complaint=made.content_complaint))
    assert all(isinstance(each, Fetched) for each in found), found
    return [each for each in found if isinstance(each, Fetched)]


def of_mirror(mirror: Mirror, name: str = "ncei", **changes: object) -> OisstSequences:
    addresses = mirror.addresses_of("oisst-sequences")
    given = {**CUT, "mirrors": (name,), "addresses": addresses, **changes}
    return OisstSequences(OisstSequencesConfig.model_validate(given))


@pytest.fixture(scope="module")
def days(mirror: Mirror, cache: Path) -> list[Fetched]:
    return fetched(of_mirror(mirror), cache)


def test_sequences_go_through_the_seas_and_then_on_in_time(days: list[Fetched], mirror: Mirror) -> None:
    table = of_mirror(mirror).decode_movies(days)
    assert len(days) == 3 * 3 + 1
    assert table.ids == tuple(
        f"{number} {sea} {FIRST + dt.timedelta(days=3 * stretch)}"
        for number, (stretch, sea) in enumerate(((s, sea) for s in range(3) for sea in SEAS), 1)
    )
    assert table.offset.tolist() == [4 * at for at in range(7)]
    assert table.values.shape == (24, 13, 4)
    assert table.exclusions == ()
    # The day after the last given one of a sequence is the first of the next of its sea.
    np.testing.assert_array_equal(table.values[3], table.values[8])
    assert table.time[3] == table.time[8] == np.datetime64("2020-01-04")
    for picture, source in enumerate(table.source):
        assert days[source].granule.days[0] == table.time[picture].astype("datetime64[D]").item()
    assert np.isfinite(table.values).all()


def test_a_cell_is_the_mean_of_its_sea_by_area(days: list[Fetched], mirror: Mirror) -> None:
    made = of_mirror(mirror)
    table = made.decode_movies(days)
    field = made.fields.decode(days[0].path, days[0].granule, SEAS["bengal"])
    area = np.cos(np.radians(field.latitude))
    whole = np.average(field.values[0].mean(axis=1, dtype=np.float64), weights=area)
    rows = np.cos(np.radians(17.5 - np.arange(13)))
    assert np.average(table.values[0].mean(axis=1), weights=rows) == pytest.approx(whole, abs=1e-4)
    # 1° × 2.25° of 0.25° cells; the first row is the northernmost.
    some = (field.latitude > 17) & (field.latitude < 18)
    corner = field.values[0][some][:, field.longitude < 85.75]
    expected = np.average(corner.mean(axis=1, dtype=np.float64), weights=area[some])
    assert table.values[0, 0, 0] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("name", ["open-data", "psl", "erddap"])
def test_all_mirrors_give_the_same_movies(
    name: str, mirror: Mirror, cache: Path, days: list[Fetched]
) -> None:
    made = of_mirror(mirror, name)
    found, expected = made.decode_movies(fetched(made, cache)), made.decode_movies(days)
    assert found.ids == expected.ids
    np.testing.assert_array_equal(found.time, expected.time)
    # Weights are summed in another order where another box is around the sea.
    np.testing.assert_allclose(found.values, expected.values, atol=1e-5)


def test_a_day_that_lacks_leaves_out_the_sequences_that_need_it(days: list[Fetched], mirror: Mirror) -> None:
    table = of_mirror(mirror).decode_movies([each for at, each in enumerate(days) if at != 4])
    assert [each.partition(" ")[0] for each in table.ids] == ["1", "2", "5", "6"]
    assert [(each.record, each.check) for each in table.exclusions] == [
        ("3 bengal 2020-01-04", "gap"),
        ("4 bohai 2020-01-04", "gap"),
    ]
    assert "no file of 2020-01-05" in table.exclusions[0].message


def test_a_broken_file_leaves_out_the_sequences_that_need_it(
    days: list[Fetched], mirror: Mirror, tmp_path: Path
) -> None:
    broken = tmp_path / days[3].path.name
    broken.write_bytes(days[3].path.read_bytes()[:5000])
    bad = [replace(each, path=broken) if at == 3 else each for at, each in enumerate(days)]
    table = of_mirror(mirror).decode_movies(bad)
    # The fourth day is the last of the first sequences and the first of the second.
    assert [each.partition(" ")[0] for each in table.ids] == ["5", "6"]
    assert {each.check for each in table.exclusions} == {"refused"}
    assert all(each.file == days[3].granule.name for each in table.exclusions)
    assert "2020-01-04 was refused" in table.exclusions[0].message


def test_a_box_on_land_is_refused(mirror: Mirror, days: list[Fetched]) -> None:
    inland = {**SEAS, "deccan": Box(latitude=(14, 20), longitude=(74, 84))}
    with pytest.raises(GridError, match="cells of deccan are on land") as refused:
        of_mirror(mirror, seas=inland).decode_movies(days)
    assert "source.seas.deccan" in refused.value.remedy


def test_a_cell_without_a_value_on_a_day_leaves_out_its_sequence(
    days: list[Fetched], mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.sources import oisst_grids

    whole = oisst_grids.decode

    def with_a_hole(path: Path, granule: object, box: Box) -> object:
        field = whole(path, granule, box)  # type: ignore[arg-type]
        if field.time[0] == np.datetime64("2020-01-05"):
            field.values[0, :, field.longitude > 100] = np.nan
        return field

    monkeypatch.setattr(oisst_grids, "decode", with_a_hole)
    table = of_mirror(mirror).decode_movies(days)
    assert len(table.ids) == 5
    (told,) = table.exclusions
    assert (told.record, told.check) == ("4 bohai 2020-01-04", "missing")
    assert "52 of 52 cells have no value on 2020-01-05" in told.message


def test_without_seas_it_says_what_is_lacking(mirror: Mirror) -> None:
    with pytest.raises(ConfigError, match="names no seas"):
        of_mirror(mirror, seas={}).list_granules("ncei", lambda _: b"")


def movies(count: int = 4) -> np.ndarray:
    values: np.ndarray = np.random.default_rng(8).uniform(-2, 31, (count, 5, 3, 2)).astype(np.float32)
    return values


def layout(folder: Path, count: int = 4) -> np.ndarray:
    held = movies(count)
    for number, movie in enumerate(held, 1):
        write(folder, number, movie)
    return held


def of_files(*given: object, **changes: object) -> OisstSequences:
    files = tuple(map(str, given))
    return OisstSequences(OisstSequencesConfig.model_validate({**SMALL, "files": files, **changes}))


def read_files(cache: Path, *given: object) -> MovieTable:
    made = of_files(*given)
    return made.decode_movies(fetched(made, cache))


def packed_tar(folder: Path, to: Path) -> None:
    with tarfile.open(to, "w:gz") as archive:
        archive.add(folder, "sea_temp")


def packed_zip(folder: Path, to: Path) -> None:
    with zipfile.ZipFile(to, "w") as archive:
        for path in sorted(folder.rglob("*.csv")):
            archive.write(path, path.relative_to(folder))


def test_a_folder_a_glob_and_archives_give_the_same_movies(tmp_path: Path) -> None:
    folder = tmp_path / "sea_temp"
    held = layout(folder, 12)
    packed_tar(folder, tmp_path / "sea_temp.tar.gz")
    packed_zip(folder, tmp_path / "sea_temp.zip")
    ways = (folder, folder / "*" / "*.csv", tmp_path / "sea_temp.tar.gz", tmp_path / "sea_temp.zip")
    for way in ways:
        table = read_files(tmp_path / "cache", way)
        assert table.ids == tuple(str(number) for number in range(1, 13))
        np.testing.assert_array_equal(table.values, held.reshape(-1, 3, 2))
        assert table.exclusions == ()
        assert np.isnat(table.time).all()
        assert len(table.sources) == (24 if way in ways[:2] else 1)


def test_endings_may_be_in_capitals(tmp_path: Path) -> None:
    folder = tmp_path / "sea_temp"
    held = layout(folder)
    (folder / "features" / "2.csv").rename(folder / "features" / "2.CSV")
    table = read_files(tmp_path / "cache", folder)
    np.testing.assert_array_equal(table.values, held.reshape(-1, 3, 2))


def test_a_folder_without_tables_is_told_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "oisst-avhrr-v02r01.20200101.nc").write_bytes(b"CDF\x01")
    with pytest.raises(ConfigError, match="holds no numbered table") as refused:
        of_files(tmp_path).list_granules("files", lambda _: b"")
    assert "files of OISST as 'folder/*.nc'" in refused.value.remedy


def spoil(edit: Callable[[str], str | bytes]) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        new = edit(path.read_text(encoding="utf-8"))
        path.write_bytes(new if isinstance(new, bytes) else new.encode())

    return change


BAD = {
    "ragged": (spoil(lambda text: text.replace("\n", ",9.5\n", 3).replace(",9.5\n", "\n", 2)), "ragged", 3),
    "columns": (spoil(lambda text: text.replace("\n", ",9.5\n")), "columns", 1),
    "number": (spoil(lambda text: text.replace("\n", "\nwarm", 2).replace("\nwarm", "\n", 1)), "number", 3),
    "empty": (spoil(lambda _: ""), "empty", 1),
    "cut short": (spoil(lambda text: "\n".join(text.split("\n")[:4])), "length", 1),
    "not text": (spoil(lambda _: b"\xff\xfe\x00"), "text", 1),
    "land": (spoil(lambda text: text[: text.rindex(",")] + ",NaN\n"), "missing", 5),
    "a fill": (spoil(lambda text: text[: text.rindex(",")] + ",-999\n"), "range", 5),
    "no partner": (Path.unlink, "partner", 1),
}


@pytest.mark.parametrize("part", ["features", "targets"])
@pytest.mark.parametrize("bad", BAD)
def test_a_bad_table_leaves_out_its_sequence_and_says_why(bad: str, part: str, tmp_path: Path) -> None:
    change, check, line = BAD[bad]
    held = layout(tmp_path / "sea")
    change(tmp_path / "sea" / part / "3.csv")
    table = read_files(tmp_path / "cache", tmp_path / "sea")
    assert table.ids == ("1", "2", "4")
    np.testing.assert_array_equal(table.values, held[[0, 1, 3]].reshape(-1, 3, 2))
    (told,) = table.exclusions
    assert (told.record, told.check, told.line) == ("3", check, line)
    other = {"features": "targets", "targets": "features"}[part]
    assert told.file.endswith(f"{other if bad == 'no partner' else part}/3.csv")


def test_targets_that_are_not_a_day_later_leave_out_their_sequence(tmp_path: Path) -> None:
    held = layout(tmp_path / "sea")
    write(tmp_path / "other", 2, held[0])
    (tmp_path / "other" / "targets" / "2.csv").replace(tmp_path / "sea" / "targets" / "2.csv")
    table = read_files(tmp_path / "cache", tmp_path / "sea")
    assert table.ids == ("1", "3", "4")
    assert [(each.record, each.check) for each in table.exclusions] == [("2", "targets")]


def test_a_table_of_another_name_is_told_of(tmp_path: Path) -> None:
    layout(tmp_path / "sea")
    (tmp_path / "sea" / "features" / "notes.csv").write_text("1,2\n", encoding="utf-8")
    table = read_files(tmp_path / "cache", tmp_path / "sea")
    assert len(table.ids) == 4
    assert [(each.record, each.check) for each in table.exclusions] == [("notes.csv", "name")]


def test_a_number_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    layout(tmp_path / "one")
    layout(tmp_path / "two")
    with pytest.raises(GranuleError, match="features of sequence 1 are in"):
        read_files(tmp_path / "cache", tmp_path / "one", tmp_path / "two")


def test_an_archive_that_leads_out_of_itself_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "bad.tar.gz", "w:gz") as archive:
        about = tarfile.TarInfo("../features/1.csv")
        about.size = 4
        archive.addfile(about, io.BytesIO(b"1,2\n"))
    with pytest.raises(GranuleError, match="leads out of the archive"):
        read_files(tmp_path / "cache", tmp_path / "bad.tar.gz")


def test_tables_and_fields_are_not_mixed(tmp_path: Path) -> None:
    layout(tmp_path / "sea")
    (tmp_path / "oisst-avhrr-v02r01.20200101.nc").write_bytes(b"CDF\x01")
    with pytest.raises(ConfigError, match="neither a numbered table nor an archive"):
        of_files(tmp_path / "sea", tmp_path / "*.nc").list_granules("files", lambda _: b"")


def test_a_glob_that_matches_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no file matches"):
        of_files(tmp_path / "nothing").list_granules("files", lambda _: b"")


def test_a_page_in_place_of_a_table_is_refused() -> None:
    made = of_files("x.csv")
    assert made.content_complaint(b"<!DOCTYPE html><html>")
    assert not made.content_complaint(b"cell_1,cell_2\n1.5,2\n")

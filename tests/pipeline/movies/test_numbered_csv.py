"""Numbered tables of sequences: what is written is read again, to the last bit, and what is wrong is named."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipeline.errors import StoreError
from pipeline.movies import numbered_csv
from pipeline.movies.base import Axis, MovieSet, Picture
from pipeline.movies.numbered_csv import UnusableError, join, place_of, read, write
from pipeline.movies.numbers import groups, name_of, numbers

VALUES = st.floats(-3, 45, width=32) | st.sampled_from([0.1, 17.24, -1.8, 1e-30]).map(np.float32)
MOVIES = st.integers(2, 5).flatmap(lambda long: arrays(np.float32, (long, 3, 2), elements=VALUES))


def back(folder: Path, number: int, cells: int) -> np.ndarray:
    features, targets = (
        read((folder / part / f"{number}.csv").read_bytes(), cells) for part in ("features", "targets")
    )
    return join(features, targets)


@given(movie=MOVIES, heading=st.booleans())
def test_what_is_written_is_read_to_the_last_bit(
    tmp_path_factory: pytest.TempPathFactory, movie: np.ndarray, heading: bool
) -> None:
    folder = tmp_path_factory.mktemp("layout")
    write(folder, 7, movie, heading=heading)
    found = back(folder, 7, 6).reshape(movie.shape)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, movie)


def test_the_first_line_is_one_that_readers_pass_over(tmp_path: Path) -> None:
    movie = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    write(tmp_path, 1, movie)
    for part, some in (("features", movie[:-1]), ("targets", movie[1:])):
        path = tmp_path / part / "1.csv"
        plain = np.loadtxt(path, delimiter=",", skiprows=1, dtype=np.float32)
        np.testing.assert_array_equal(plain, some.reshape(2, 4))


@pytest.mark.parametrize("first", ["0,1,2", "1,2,3", '"V1","V2","V3"', "a, b, c"])
def test_a_first_line_of_names_or_of_a_count_is_passed_over(first: str) -> None:
    assert read(f"{first}\n4,5,6\n7,8,9\n".encode(), 3).tolist() == [[4, 5, 6], [7, 8, 9]]


@pytest.mark.parametrize(
    ("content", "check", "line", "said"),
    [
        (b"", "empty", 1, "no row"),
        (b"a,b,c\n\n", "empty", 1, "no row"),
        (b"1.5,2,3\n4,5\n6,7,8\n", "ragged", 2, "has 2 columns, and 3 are expected"),
        (b"1.5,2,3\n\n6,7,8\n", "ragged", 2, "has 0 columns"),
        (b"a,b,c\n1.5,2,3\n4,5,6,7\n", "ragged", 3, "has 4 columns"),
        (b"1.5,2\n3,4\n", "columns", 1, "has 2 columns, and 3 are expected"),
        (b"1.5,2,3\n4,warm,6\n", "number", 2, "column 2 holds 'warm'"),
        (b"1.5,2,x\n4,5,6\n", "number", 1, "column 3 holds 'x'"),
        (b"1.5,2,3\n4,1_000,6\n", "number", 2, "'1_000'"),
        (b"1.5,2,3\n4,,6\n", "missing", 2, "column 2 holds ''"),
        (b"1.5,2,3\n4,NaN,6\n", "missing", 2, "column 2 holds 'NaN'"),
        (b"NaN,2.5,3\n4,5,6\n", "missing", 1, "column 1"),
        (b"1.5,2,3\n4,inf,6\n", "missing", 2, "'inf'"),
        (b"\xff\xfe1,2,3\n", "text", 1, "not UTF-8"),
    ],
)
def test_what_cannot_be_used_is_named_by_check_and_line(
    content: bytes, check: str, line: int, said: str
) -> None:
    with pytest.raises(UnusableError, match=said.replace("(", r"\(")) as refused:
        read(content, 3)
    assert (refused.value.check, refused.value.line) == (check, line)


def test_what_lies_beyond_the_bounds_is_named() -> None:
    with pytest.raises(UnusableError, match="column 2 holds -999, beyond -3 to 45") as refused:
        read(b"a,b\n1,2\n3,-999\n", 2, low=-3, high=45)
    assert (refused.value.check, refused.value.line) == ("range", 3)


def test_targets_are_the_features_one_step_later() -> None:
    features = np.arange(6, dtype=np.float32).reshape(3, 2)
    targets = features + 2
    assert join(features, targets).tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]
    targets[1, 0] = 9
    with pytest.raises(UnusableError, match="row 2 of the targets is not row 3 of the features"):
        join(features, targets)
    with pytest.raises(UnusableError, match="3 rows of features and 2 of targets"):
        join(features, targets[:2])


def test_a_path_says_part_and_number() -> None:
    assert place_of("sea_temp/features/17.csv") == ("features", 17)
    assert place_of("targets\\0017.CSV") == ("targets", 17)
    for other in ("features/0.csv", "features/a.csv", "17.csv", "labels/17.csv", "features/17.txt"):
        assert place_of(other) is None


def test_numbers_are_those_of_the_ids_and_have_holes() -> None:
    ids = [name_of(2, "bengal", "1981-09-01"), name_of(7), name_of(19, "black")]
    assert numbers(ids).tolist() == [2, 7, 19]
    assert groups(ids) == ("bengal", "", "black")
    assert numbers(["north", "south"]).tolist() == [1, 2]
    assert groups(["north", "south 2"]) == ("", "")


def movie_set(values: np.ndarray) -> MovieSet:
    axis = {"long_name": "cell", "units": "1", "values": (0.0, 1.0)}
    return MovieSet(
        ids=("3 bengal", "5 black"),
        offset=np.array([0, 2, 5]),
        time=np.full(5, "NaT", "datetime64[ns]"),
        values=values,
        picture=Picture(name="sst", long_name="sst", units="degree_Celsius", low=-3, high=45, shown=(0, 30)),
        y=Axis(name="y", **axis),
        x=Axis(name="x", **axis),
    )


def test_movies_are_written_by_their_numbers(tmp_path: Path) -> None:
    values = np.arange(20, dtype=np.float32).reshape(5, 2, 2)
    folder = tmp_path / "sea"
    assert numbered_csv.write_all(folder, movie_set(values)) == 2
    assert sorted(each.name for each in (folder / "features").iterdir()) == ["3.csv", "5.csv"]
    np.testing.assert_array_equal(back(folder, 5, 4).reshape(3, 2, 2), values[2:])
    with pytest.raises(StoreError, match="is there already"):
        numbered_csv.write_all(folder, movie_set(values))


@pytest.mark.parametrize("ids", [("3 bengal", "3 black"), ("3", "03")])
def test_movies_of_one_number_are_written_by_their_places(tmp_path: Path, ids: tuple[str, str]) -> None:
    values = np.arange(20, dtype=np.float32).reshape(5, 2, 2)
    folder = tmp_path / "sea"
    assert numbered_csv.write_all(folder, replace(movie_set(values), ids=ids)) == 2
    for number, held in ((1, values[:2]), (2, values[2:])):
        np.testing.assert_array_equal(back(folder, number, 4).reshape(held.shape), held)
    assert len(list((folder / "features").iterdir())) == 2


def test_movies_of_another_truth_are_refused(tmp_path: Path) -> None:
    """Targets are written as the features a step later, and of noisy pictures they would be noisy too."""
    values = np.arange(20, dtype=np.float32).reshape(5, 2, 2)
    with pytest.raises(StoreError, match="not what is given"):
        numbered_csv.write_all(tmp_path / "sea", replace(movie_set(values), truth=values + 1))
    assert not list(tmp_path.iterdir())


def test_a_cell_without_a_value_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    values = np.arange(20, dtype=np.float32).reshape(5, 2, 2)
    values[4, 1, 0] = np.nan
    with pytest.raises(StoreError, match="'5 black' has 1 cells without a value"):
        numbered_csv.write_all(tmp_path / "sea", movie_set(values))
    assert not list(tmp_path.iterdir())

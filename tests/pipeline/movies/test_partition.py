"""Windows of movies lie within one movie and one split, and are as many as can be."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.errors import ConfigError, WindowError
from pipeline.movies.base import MovieSet
from pipeline.movies.partition import NAMES, MoviePartition
from pipeline.movies.windows import MovieSpec
from pipeline.records.base import Exclusion
from pipeline.splits import Fractions, Numbers, Splits
from pipeline.types import TimeRange
from tests.squares import rain, squares

THIRDS = Fractions(train=0.5, validation=0.25, test=0.25)
lengths = st.lists(st.integers(1, 9), min_size=4, max_size=10).map(tuple)
specs = st.builds(
    MovieSpec,
    history=st.integers(1, 3),
    horizon=st.integers(1, 2),
    stride=st.integers(1, 3),
    learn=st.sampled_from(["next", "horizon"]),
    parted_by=st.sampled_from(["movie", "picture"]),
)


def parted(lengths, spec, given=THIRDS):
    return MoviePartition(MovieSet.of(rain(lengths, size=(1, 2))), given, spec)


@given(lengths=lengths, spec=specs)
def test_a_window_lies_in_one_movie_and_one_split(lengths, spec):
    found = parted(lengths, spec)
    of_split = {}
    for name in NAMES:
        try:
            windows = found.windows(name)
        except WindowError:
            assert all(run.stop - run.start < spec.length for run in found.runs[name])
            continue
        pictures = windows.first[:, None] + np.arange(windows.length)
        movie = np.searchsorted(found.record.offset, pictures, side="right") - 1
        assert (movie == windows.movie[:, None]).all()
        assert (np.diff(windows.first) > 0).all()
        of_split[name] = set(pictures.ravel().tolist())
    parts = list(of_split.values())
    for at, one in enumerate(parts):
        for other in parts[:at]:
            assert not one & other


@given(lengths=lengths, spec=specs)
def test_every_movie_has_its_windows_or_is_told_too_short(lengths, spec):
    found = parted(lengths, spec)
    for name in NAMES:
        assert len(found.short[name]) == sum(
            run.stop - run.start < (spec.length if name == "test" else spec.learned)
            for run in found.runs[name]
        )
        with_windows = sum(
            len(range(run.start, run.stop - spec.length + 1, spec.stride)) for run in found.runs[name]
        )
        if name == "test" and with_windows:
            assert len(found.windows(name)) == with_windows


@given(length=st.integers(20, 60), history=st.integers(1, 4), horizon=st.integers(1, 4))
def test_one_long_movie_is_cut_with_a_guard_of_a_window(length, history, horizon):
    spec = MovieSpec(history=history, horizon=horizon, parted_by="picture")
    found = parted((length,), spec)
    assume(all(found.runs[name] for name in NAMES))
    (train,), (validation,), (test,) = (found.runs[name] for name in NAMES)
    assert validation.start - train.stop >= spec.length
    assert test.start - validation.stop >= spec.length
    assert test.stop == length


def test_numbers_count_from_one_and_the_last_tenth_of_training_validates():
    numbers = Numbers(train=(1, 20), test=(21, 24))
    assert numbers.parts == {"train": (1, 18), "validation": (19, 20), "test": (21, 24)}
    found = MoviePartition(MovieSet.of(squares(24)), numbers, MovieSpec(history=2, horizon=2))
    assert {name: sorted({run.movie for run in runs}) for name, runs in found.runs.items()} == {
        "train": list(range(18)),
        "validation": [18, 19],
        "test": [20, 21, 22, 23],
    }


@pytest.mark.parametrize("gone", ["1", "2", "20", "24 bengal 1981-09-01"])
def test_a_split_by_number_is_the_same_where_a_movie_was_left_out(gone):
    """Also where it was the last one."""
    table = replace(squares(24), ids=tuple(f"{at + 1} sea" for at in range(24)))
    numbers = Numbers(train=(1, 20), test=(21, 24))
    whole = MoviePartition(MovieSet.of(table), numbers, MovieSpec(history=2, horizon=2))
    at = int(gone.partition(" ")[0]) - 1
    left_out = Exclusion(record=gone, check="ragged", file=f"features/{at + 1}.csv", message="is ragged")
    length = table.offset[at + 1] - table.offset[at]
    kept = np.ones(len(table.values), bool)
    kept[table.offset[at] : table.offset[at + 1]] = False
    less = replace(
        table,
        ids=table.ids[:at] + table.ids[at + 1 :],
        offset=np.concatenate([table.offset[: at + 1], table.offset[at + 2 :] - length]),
        **{name: getattr(table, name)[kept] for name in ("time", "values", "source", "truth")},
        exclusions=(left_out,),
    )
    found = MoviePartition(MovieSet.of(less), numbers, MovieSpec(history=2, horizon=2))
    for name in NAMES:
        expected = [whole.record.ids[run.movie] for run in whole.runs[name] if run.movie != at]
        assert [found.record.ids[run.movie] for run in found.runs[name]] == expected
    beyond = MoviePartition(MovieSet.of(less), Numbers(train=(1, 20), test=(21, 25)), MovieSpec(history=2))
    with pytest.raises(ConfigError, match="the last there is has number 24"):
        _ = beyond.runs


def test_days_part_movies_with_times():
    day = dt.date(2020, 1, 1)
    given = Splits(
        train=TimeRange(start=day, end=day),
        validation=TimeRange(start=day + dt.timedelta(1), end=day + dt.timedelta(1)),
        test=TimeRange(start=day + dt.timedelta(2), end=day + dt.timedelta(3)),
    )
    found = parted((3 * 288,), MovieSpec(history=4, horizon=2), given)
    (train,), (validation,), (test,) = (found.runs[name] for name in NAMES)
    assert (train.start, train.stop) == (0, 288)
    assert (validation.start, validation.stop) == (288 + 6, 2 * 288)
    assert (test.start, test.stop) == (2 * 288 + 6, 3 * 288)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (Numbers(train=(1, 3), test=(4, 90)), "the movies 4 to 90, and the last there is has number 5"),
        (
            Splits(
                train=TimeRange(start=dt.date(2020, 1, 1), end=dt.date(2020, 1, 2)),
                validation=TimeRange(start=dt.date(2020, 1, 3), end=dt.date(2020, 1, 4)),
                test=TimeRange(start=dt.date(2020, 1, 5), end=dt.date(2020, 1, 6)),
            ),
            "have no ascending times",
        ),
    ],
)
def test_splits_that_cannot_be_are_refused(given, said):
    found = MoviePartition(MovieSet.of(squares(5)), given, MovieSpec(history=2))
    with pytest.raises(ConfigError, match=said):
        _ = found.runs


def test_movies_that_are_all_too_short_are_refused_with_the_longest():
    found = parted((4, 5, 6, 4, 5, 6), MovieSpec(history=5, horizon=3))
    with pytest.raises(
        WindowError, match="no movie of train is as long as a window of 8 pictures; the longest has 6"
    ):
        found.windows("train")
    assert found.short["train"] == ("m0", "m1", "m2")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"train": (1, 5), "test": (5, 9)}, "have 5 in common"),
        ({"train": (5, 1), "test": (6, 9)}, r"train \[5, 1\] ends before it begins"),
        ({"train": (1, 5), "validation": (7, 6), "test": (8, 9)}, r"validation \[7, 6\] ends before"),
        (
            {"train": (1, 1), "test": (2, 9)},
            r"train \[1, 1\] is one movie, of which none is left for validation",
        ),
    ],
)
def test_numbers_that_overlap_are_refused(table, said):
    with pytest.raises(ValidationError, match=said):
        Numbers(**table)

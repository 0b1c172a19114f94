"""Frames become movies; what cannot be a picture is told of and never silently dropped."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.movies.assemble import Frame, assemble
from tests.squares import RAIN, axis

SHAPE = (3, 4)


def frame(minute: int, *, movie: str = "a", shape: tuple[int, int] = SHAPE, value: float = 1.0) -> Frame:
    time = np.datetime64("2020-01-01", "ns") + np.timedelta64(minute, "m")
    return Frame(movie, np.full(shape, value, np.float32), time, file=f"{minute}.h5")


def put_together(frames: list[Frame]):
    return assemble(frames, picture=RAIN, y=axis("y", 3), x=axis("x", 4))


def test_frames_of_another_size_are_left_out_and_told():
    table = put_together([frame(0), frame(5, shape=(4, 4)), frame(10), frame(15)])
    assert table.ids == ("a", "a-2")
    assert table.lengths.tolist() == [1, 2]
    (told,) = table.exclusions
    assert (told.check, told.file, told.record) == ("size", "5.h5", "2020-01-01T00:05:00")
    assert "4 × 4 cells, and those of the set are of 3 × 4" in told.message


def test_a_frame_without_values_is_left_out_and_told():
    table = put_together([frame(0), frame(5), frame(10, value=np.nan), frame(15)])
    assert table.lengths.tolist() == [2, 1]
    assert [each.check for each in table.exclusions] == ["no-values"]


def test_a_gap_in_time_begins_a_new_movie_and_is_no_exclusion():
    table = put_together([frame(0), frame(5), frame(15), frame(20, movie="b")])
    assert table.ids == ("a", "a-2", "b")
    assert not table.exclusions


def test_nothing_but_bad_frames_is_no_movie():
    table = put_together([frame(0, value=np.nan)])
    assert (table.ids, table.offset.tolist(), len(table.exclusions)) == ((), [0], 1)


@given(bad=st.lists(st.sampled_from(["", "size", "no-values", "late"]), max_size=12))
def test_every_frame_is_in_a_movie_or_told_of(bad):
    """And each movie is of frames that were one after another."""
    minute, frames = 0, []
    for one in bad:
        minute += 10 if one == "late" else 5
        frames.append(
            frame(
                minute, shape=(2, 2) if one == "size" else SHAPE, value=np.nan if one == "no-values" else 1.0
            )
        )
    table = put_together(frames)
    assert len(table.time) + len(table.exclusions) == len(frames)
    assert table.offset[-1] == len(table.time)
    for first, last in zip(table.offset[:-1], table.offset[1:], strict=True):
        assert (np.diff(table.time[first:last]) == np.timedelta64(5, "m")).all()
    assert len(set(table.ids)) == len(table.ids)

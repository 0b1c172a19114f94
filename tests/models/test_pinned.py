import datetime as dt

from models.pinned import FILE, GIVEN_UP, Pinned, find_pinned, pin, unpin
from tests.records import SPLITS

NOW = dt.datetime(2024, 5, 6, tzinfo=dt.UTC)


def pinned(snapshot, *, recipe="r", at=NOW):
    return Pinned(cube_snapshot=snapshot, splits=SPLITS, recipe_sha256=recipe, begun_at=at)


def test_who_comes_later_goes_on_from_the_same_snapshot(tmp_path):
    folder = tmp_path / "bay"
    assert find_pinned(folder) is None
    first = pin(folder, pinned("A"))
    assert first == pinned("A")
    later = NOW + GIVEN_UP - dt.timedelta(seconds=1)
    assert pin(folder, pinned("B", at=later)) == first
    assert find_pinned(folder) == first


def test_another_recipe_or_one_that_was_given_up_begins_anew(tmp_path):
    pin(tmp_path, pinned("A"))
    changed = pinned("B", recipe="other")
    assert pin(tmp_path, changed) == changed
    late = pinned("C", recipe="other", at=NOW + GIVEN_UP)
    assert pin(tmp_path, late) == late
    assert find_pinned(tmp_path) == late


def test_what_is_finished_is_not_pinned_any_more(tmp_path):
    first = pin(tmp_path, pinned("A"))
    unpin(tmp_path, pinned("B"))
    assert find_pinned(tmp_path) == first
    unpin(tmp_path, first)
    assert find_pinned(tmp_path) is None
    unpin(tmp_path, first)


def test_a_file_that_cannot_be_read_is_as_none(tmp_path):
    (tmp_path / FILE).write_text("{")
    assert find_pinned(tmp_path) is None
    wanted = pinned("A")
    assert pin(tmp_path, wanted) == wanted
    assert find_pinned(tmp_path) == wanted

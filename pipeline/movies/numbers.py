"""The numbers of movies, which a split can name, and the group that each is of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def name_of(number: int, group: str = "", detail: str = "") -> str:
    """The id of a movie that is known by its number: `17`, or `17 bengal 1981-10-21`."""
    return " ".join(filter(None, (str(number), group, detail)))


def numbers(ids: Sequence[str]) -> NDArray[np.int64]:
    """int64 (movie,): the number that each id begins with; places, from 1, where not every one begins with one.

    Where movies were left out the numbers have holes, and a split by number is the same with and without them.
    """
    if all(map(_begins_with_one, ids)):
        return np.array([each.partition(" ")[0] for each in ids], np.int64)
    return np.arange(1, len(ids) + 1)


def highest(ids: Sequence[str], left_out: Sequence[str]) -> int:
    """The highest number of a movie that there is, or was until it was left out; how many there are without numbers."""
    if not all(map(_begins_with_one, ids)):
        return len(ids)
    first = [each.partition(" ")[0] for each in (*ids, *left_out) if _begins_with_one(each)]
    return max(map(int, first), default=0)


def _begins_with_one(name: str) -> bool:
    first = name.partition(" ")[0]
    return first.isascii() and first.isdigit()


def groups(ids: Sequence[str]) -> tuple[str, ...]:
    """The group of each movie, such as its sea; empty where it has none."""
    parts = [each.split(" ") for each in ids]
    return tuple(each[1] if len(each) > 1 and each[0].isdigit() else "" for each in parts)

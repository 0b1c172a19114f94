"""Movies of numbered tables, `features/N.csv` and `targets/N.csv`, from a folder or an archive; see `numbered_csv`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline.errors import GranuleError
from pipeline.movies.base import MovieTable
from pipeline.movies.numbered_csv import FEATURES, TARGETS, Place, UnusableError, join, place_of, read
from pipeline.movies.sea_surface import SEA_SURFACE, axes
from pipeline.records.base import Exclusion, SourceFile
from pipeline.sources.archives import is_gzip, is_zip, read_members

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pipeline.sources.base import Fetched
    from pipeline.sources.oisst_sequences import OisstSequencesConfig


class _Part(NamedTuple):
    """One table: its place among the files, what it is called, and what it holds or why it cannot be used."""

    source: int
    name: str
    found: NDArray[np.float32] | UnusableError


@dataclass
class _Gathered:
    parts: dict[Place, _Part] = field(default_factory=dict)
    excluded: list[Exclusion] = field(default_factory=list)

    def leave_out(self, record: str, name: str, check: str, line: int, message: str) -> None:
        self.excluded.append(Exclusion(record=record, check=check, file=name, line=line, message=message))


def decode_tables(files: Sequence[Fetched], config: OisstSequencesConfig) -> MovieTable:
    """The movies of these tables and archives, by number; those that cannot be used are among the exclusions.

    A table whose name is not understood, features without targets and the reverse, an unusable line, targets that are
    not the features one day later, another number of days, and values that no sea has, are each an exclusion.

    Raises
    ------
    GranuleError
        An archive cannot be read, or a number is there twice.
    """
    gathered = _Gathered()
    for source, name, content in _members(files):
        place = place_of(name)
        if place is None:
            said = f"it is neither {FEATURES}/N.csv nor {TARGETS}/N.csv"
            gathered.leave_out(name.rpartition("/")[2], name, "name", 1, said)
        elif place in gathered.parts:
            raise _twice(place, gathered.parts[place].name, name)
        else:
            gathered.parts[place] = _Part(source, name, _table(content, config))
    movies = list(_movies(gathered, config))
    size = (config.height, config.width)
    y, x = axes(*size)
    return MovieTable(
        ids=tuple(str(number) for number, _, _ in movies),
        offset=np.cumsum([0, *(len(values) for _, values, _ in movies)], dtype=np.int64),
        time=np.full(sum(len(values) for _, values, _ in movies), "NaT", "datetime64[ns]"),
        values=np.concatenate([np.empty((0, *size), np.float32), *(values for _, values, _ in movies)]),
        picture=SEA_SURFACE,
        y=y,
        x=x,
        source=np.concatenate([np.empty(0, np.int32), *(source for _, _, source in movies)]),
        sources=tuple(SourceFile(url=each.granule.url, sha256=each.sha256) for each in files),
        exclusions=tuple(gathered.excluded),
    )


def _members(files: Sequence[Fetched]) -> Iterator[tuple[int, str, bytes]]:
    """Place among the files, name, and content of each table."""
    for at, each in enumerate(files):
        with each.path.open("rb") as file:
            head = file.read(64)
        if is_zip(head) or is_gzip(head):
            for name, content in read_members(each.path, suffix=".csv"):
                yield at, f"{each.granule.name}/{name}", content
        else:
            yield at, each.granule.url, each.path.read_bytes()


def _table(content: bytes, config: OisstSequencesConfig) -> NDArray[np.float32] | UnusableError:
    try:
        cells = config.height * config.width
        values = read(content, cells, low=SEA_SURFACE.low, high=SEA_SURFACE.high)
    except UnusableError as error:
        return error
    if len(values) != config.days:
        return UnusableError("length", 1, f"it has {len(values)} rows, and {config.days} are expected")
    return values


def _movies(
    gathered: _Gathered, config: OisstSequencesConfig
) -> Iterator[tuple[int, NDArray[np.float32], NDArray[np.int32]]]:
    """Number, pictures and their places among the files, by number."""
    for number in sorted({place.number for place in gathered.parts}):
        pair = [gathered.parts.get(Place(part, number)) for part in (FEATURES, TARGETS)]
        features, targets = pair
        if features is None or targets is None:
            alone, lacks = (FEATURES, TARGETS) if targets is None else (TARGETS, FEATURES)
            name = gathered.parts[Place(alone, number)].name
            gathered.leave_out(
                str(number), name, "partner", 1, f"sequence {number} has {alone} and no {lacks}"
            )
            continue
        wrong = next((each for each in (features, targets) if isinstance(each.found, UnusableError)), None)
        try:
            if wrong is not None and isinstance(wrong.found, UnusableError):
                raise wrong.found
            assert not isinstance(features.found, UnusableError)
            assert not isinstance(targets.found, UnusableError)
            movie = join(features.found, targets.found)
        except UnusableError as error:
            name = (wrong or targets).name
            gathered.leave_out(str(number), name, error.check, error.line, error.message)
            continue
        source = np.full(len(movie), features.source, np.int32)
        source[-1] = targets.source
        yield number, movie.reshape(-1, config.height, config.width), source


def _twice(place: Place, first: str, second: str) -> GranuleError:
    return GranuleError(
        f"{place.part} of sequence {place.number} are in {first} and in {second}",
        remedy="take one of them out of the input",
        path=second,
        check="structure",
    )

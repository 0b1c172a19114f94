"""Where granules come from: SOURCES names each source; `source` makes one."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, overload

from pydantic import ValidationError

from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.sources.base import MovieSource, RecordSource, SeriesSource, Source

SOURCES = {
    "oisst": "pipeline.sources.oisst:Oisst",
    "jena": "pipeline.sources.jena:Jena",
    "oisst-sequences": "pipeline.sources.oisst_sequences:OisstSequences",
    "physionet2012": "pipeline.sources.physionet2012:PhysioNet2012",
    "imdb": "pipeline.sources.imdb:Imdb",
    "moving-squares": "pipeline.sources.moving_squares:MovingSquares",
    "knmi-radar": "pipeline.sources.knmi_radar:KnmiRadar",
}
"""Name → `module:class`, imported only when asked for; the class takes its `Config`, a frozen spec."""


@overload
def source(name: Literal["jena"], **config: Any) -> SeriesSource: ...
@overload
def source(name: str, **config: Any) -> Source: ...
def source(name: str, **config: Any) -> Source | SeriesSource:
    """The source called `name`, with the fields of its `Config`; `series_source` where it must be a station's.

    One of records is given by `record_source`, and one of movies by `movie_source`.

    Raises
    ------
    ConfigError
        There is no such source, or its configuration has an unknown key or value; the nearest right spelling
        is named.
    """
    if name not in SOURCES:
        raise _unknown("source", name, SOURCES)
    module, _, attribute = SOURCES[name].partition(":")
    kind = getattr(import_module(module), attribute)
    try:
        made: Source | SeriesSource = kind(kind.Config(**config))
    except ValidationError as error:
        raise _refused(name, error, tuple(kind.Config.model_fields)) from error
    return made


def series_source(name: str, **config: Any) -> SeriesSource:
    """The source called `name`, which must be one of a station.

    Raises
    ------
    ConfigError
        As `source`, or it serves fields.
    """
    made: Any = source(name, **config)
    if not hasattr(made, "quantities"):
        raise ConfigError(f"{name} is no source of a station's table", remedy="known: jena", given=name)
    found: SeriesSource = made
    return found


def record_source(name: str, **config: Any) -> RecordSource:
    """The source called `name`, which must be one of labelled records.

    Raises
    ------
    ConfigError
        As `source`, or it serves something else.
    """
    made: RecordSource = _that_decodes("decode_records", "labelled records", name, config)
    return made


def movie_source(name: str, **config: Any) -> MovieSource:
    """The source called `name`, which must be one of movies.

    Raises
    ------
    ConfigError
        As `source`, or it serves something else.
    """
    made: MovieSource = _that_decodes("decode_movies", "movies", name, config)
    return made


def _that_decodes(decode: str, what: str, name: str, config: dict[str, Any]) -> Any:
    made: Any = source(name, **config)
    if not hasattr(made, decode):
        raise ConfigError(
            f"{name} is no source of {what}", remedy="name another source, or use another table", given=name
        )
    return made


def _unknown(what: str, given: str, known: Iterable[str]) -> ConfigError:
    names = sorted(known)
    near = get_close_matches(given, names, n=1, cutoff=0.5)
    meant = f"did you mean {near[0]!r}? " if near else ""
    return ConfigError(
        f"there is no {what} {given!r}",
        remedy=f"{meant}known: {', '.join(names)}",
        given=given,
        nearest=near[0] if near else None,
        known=names,
    )


def _refused(name: str, error: ValidationError, keys: tuple[str, ...]) -> ConfigError:
    first = error.errors()[0]
    where = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        return _unknown(f"key of source {name}", where[-1], keys)
    if first["type"] == "literal_error":
        known = [each.strip(" '") for each in first["ctx"]["expected"].replace(" or ", ",").split(",")]
        what = "mirror" if where[0] in ("mirrors", "addresses") else f"value of {where[0]}"
        return _unknown(what, str(first["input"]), known)
    return ConfigError(
        f"source {name}: {'.'.join(where) or 'configuration'}: {first['msg']}",
        remedy="correct it in the experiment",
        key=".".join(where),
    )

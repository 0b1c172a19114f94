"""What a refused configuration is answered with: the key, the file, and the nearest right spelling."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from pipeline.errors import ConfigError, IsothermError


def explained(
    error: ValidationError,
    kind: type[BaseModel],
    *,
    where: str,
    spelled: Callable[[str], str] = str,
    hidden: Iterable[str] = (),
) -> ConfigError:
    """The most telling complaint of `error` about a `kind` that was read from `where`, as a `ConfigError`.

    Parameters
    ----------
    spelled
        How a key is written there.
    hidden
        Fields that are not written there.
    """
    complaints = error.errors()
    # A misspelled key is also a missing one: the misspelling says more.
    first = next((each for each in complaints if each["type"] == "extra_forbidden"), complaints[0])
    key = spelled(".".join(str(part) for part in first["loc"] if part != "[key]" and str(part)[0] != "<"))
    if first["type"] == "extra_forbidden":
        known = sorted({*_fields(kind, first["loc"][:-1])} - {*hidden})
        near = get_close_matches(str(first["loc"][-1]), known, n=1, cutoff=0.5)
        meant = f"did you mean {near[0]!r}? " if near else ""
        return ConfigError(
            f"{where}: unknown key {key!r}",
            remedy=f"{meant}keys there: {', '.join(known)}",
            key=key,
            where=where,
            nearest=near[0] if near else None,
        )
    if first["type"] == "missing":
        return ConfigError(f"{where}: the key {key!r} is missing", remedy="add it", key=key, where=where)
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, IsothermError):
        said, remedy = cause.message, cause.remedy
    else:
        got = "" if isinstance(first["input"], dict) else f", got {first['input']!r}"
        said, remedy = first["msg"].removeprefix("Value error, ") + got, "correct it there"
    return ConfigError(f"{where}: {key or 'the file'}: {said}{more}", remedy=remedy, key=key, where=where)


def _fields(kind: type[BaseModel], location: tuple[Any, ...]) -> list[str]:
    """The keys that the table at `location` may have."""
    for part in location:
        field = kind.model_fields.get(str(part))
        if field is None:
            continue
        kind = _model_in(field.annotation) or kind
    return list(kind.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The pydantic model in an annotation such as `dict[str, Model]` or `Model | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        found = _model_in(inner)
        if found is not None:
            return found
    return None

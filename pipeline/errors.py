"""The exception tree: each error says what was wrong, where, and what to do, and survives pickling."""

from __future__ import annotations

from typing import Any


class IsothermError(Exception):
    """Base of every error that Isotherm raises on purpose.

    Parameters
    ----------
    message
        What was wrong and where.
    remedy
        What the reader can do about it; empty where nothing can be done.
    fields
        The facts behind the message (`path`, `url`, `check`, …), for logs and for programs.
    """

    def __init__(self, message: str, *, remedy: str = "", **fields: Any) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.fields = fields

    def __str__(self) -> str:
        return f"{self.message}\n  → {self.remedy}" if self.remedy else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.remedy, self.fields)


def _rebuild(kind: type[IsothermError], message: str, remedy: str, fields: dict[str, Any]) -> IsothermError:
    return kind(message, remedy=remedy, **fields)


class ConfigError(IsothermError, ValueError):
    """An experiment, a setting or an argument is not what it must be."""


class NotFoundError(IsothermError, LookupError):
    """A named thing (experiment, model, snapshot, product) does not exist."""


class WorkspaceError(IsothermError, RuntimeError):
    """The workspace cannot be used: written by a newer version, or not a workspace."""


class FetchError(IsothermError, ConnectionError):
    """A remote object could not be had: refused, broken off, or no network at all."""


class VanishedError(FetchError):
    """The object was listed and is gone: normal for a preliminary file that its final has replaced."""


class GranuleError(IsothermError, ValueError):
    """A file is not what its source promises; `fields["check"]` names the check that refused it."""


class DiskFullError(IsothermError, OSError):
    """There is no space left where Isotherm writes; nothing half written is kept."""


class StoreError(IsothermError, RuntimeError):
    """A cube, archive or product is not in the state that the operation needs."""


class MovedError(StoreError):
    """Another writer committed to a store between reading it and committing to it."""


class OutageError(StoreError):
    """The object store is out of order or out of reach; what it holds is as it was."""


class GridError(IsothermError, ValueError):
    """A grid or region cannot be used, such as one that holds no ocean."""


class WindowError(IsothermError, ValueError):
    """No window fits: the record is shorter than history + horizon, or a split is empty."""


class StaleInputError(IsothermError, RuntimeError):
    """The newest observations are too old to be forecast from."""


class NotFittedError(IsothermError, ValueError):
    """A transform was given what it was not fitted on, or was used before it was fitted."""

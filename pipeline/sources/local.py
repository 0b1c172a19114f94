"""Local files in place of a mirror: those that globs name, and what changes when a file changes."""

from __future__ import annotations

from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import ConfigError
from pipeline.sources.base import Granule
from pipeline.types import Status

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable


def matching(
    globs: Iterable[str],
    within: Callable[[Path], Iterable[Path]] | None = None,
    *,
    wanted: str = "file that is wanted",
    remedy: str = "name another folder",
) -> list[str]:
    """The files of the globs, each once: those of a glob by name, the globs in their order.

    Parameters
    ----------
    within
        The files wanted of a folder that a glob names; None where folders are passed over.
    wanted, remedy
        What these files are, and what is to be done where a folder has none.

    Raises
    ------
    ConfigError
        A glob matches no file, or folders without any that is wanted.
    """
    found: dict[str, None] = {}
    for pattern in globs:
        paths = sorted(map(Path, glob(str(Path(pattern).expanduser()), recursive=True)))  # noqa: PTH207
        folders = [path for path in paths if path.is_dir()]
        files = [path for path in paths if path.is_file()]
        if within is not None:
            files += [path for folder in folders for path in within(folder)]
        if not files and folders and within is not None:
            raise ConfigError(f"the folder {pattern!r} holds no {wanted}", remedy=remedy, given=pattern)
        if not files:
            only = bool(folders)
            raise ConfigError(
                f"{pattern!r} is a folder" if only else f"no file matches {pattern!r}",
                remedy=f"name the files in it, such as '{pattern.rstrip('/')}/*', in quotes"
                if only
                else "correct the path or glob; quote globs, so that the shell leaves them alone",
                given=pattern,
            )
        found |= dict.fromkeys(map(str, files))
    return list(found)


def version(path: str) -> str:
    """Size and date of a file."""
    stat = Path(path).stat()
    return f"{stat.st_size}-{stat.st_mtime_ns}"


def granule(path: str, days: tuple[dt.date, ...] = (), status: Status = Status.FINAL) -> Granule:
    """A local file as a granule; without days where its kind has none."""
    return Granule("files", path, days, status, version(path))

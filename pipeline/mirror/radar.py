"""Recorded radar composites as a folder on the web: an index, and the files as they are."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from pipeline.errors import ConfigError, NotFoundError
from pipeline.mirror.archive import digest
from pipeline.mirror.pages import Answer, index
from pipeline.sources.knmi_radar import SUFFIX

if TYPE_CHECKING:
    from pathlib import Path

PREFIXES = {"web": "radar"}
ROOT = "/radar/"
HDF5 = "application/x-hdf5"


class RecordedRadar:
    """A folder of composites, and those below it, by name.

    Raises
    ------
    ConfigError
        There is no file of HDF5 in it, or there are two of one name.
    """

    def __init__(self, folder: Path) -> None:
        self._paths: dict[str, Path] = {}
        for path in sorted(folder.rglob(f"*{SUFFIX}")):
            first = self._paths.setdefault(path.name, path)
            if first != path:
                raise ConfigError(
                    f"{first} and {path} have one name, and the mirror's folder has one place for both",
                    remedy="move one of them away, or name the folder of one",
                    path=str(path),
                )
        if not self._paths:
            raise ConfigError(
                f"{folder} holds no {SUFFIX} file",
                remedy="name a folder of files such as RAD_NL25_RAP_5min_201008260000.h5",
                path=str(folder),
            )

    def answer(self, path: str) -> Answer | None:
        """What is at a path; None where the path is not of the radars.

        Raises
        ------
        NotFoundError
            The path is of the radars, and there is nothing.
        """
        if not path.startswith(ROOT):
            return None
        name = path.removeprefix(ROOT)
        if not name:
            return Answer(index(path, ((each, self._written(each), "150K") for each in self._paths)))
        if name not in self._paths:
            raise NotFoundError(f"there is no {path}")
        stat = self._paths[name].stat()
        etag = digest(name, stat.st_size, stat.st_mtime_ns)
        return Answer(self._paths[name].read_bytes(), HDF5, etag, self._written(name))

    def _written(self, name: str) -> dt.datetime:
        return dt.datetime.fromtimestamp(int(self._paths[name].stat().st_mtime), dt.UTC)

"""Paths on S3 with those methods of `pathlib.Path` that a workspace needs; `pipeline.location` tells which is which.

A folder is there as soon as an object lies below it. One object is written whole or not at all.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import io
import re
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import PurePosixPath
from posixpath import normpath
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.errors import ConfigError, OutageError
from pipeline.s3_access import Access, explained

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEME = "s3://"
_FIRST_WAIT = 0.2
_LONGEST_WAIT = 10.0
"""Seconds between one try and the next."""

_ADDRESS = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<key>.*))?")
_QUICK = 2.0


class Stat(NamedTuple):
    """Size and time of an object."""

    st_size: int
    st_mtime: float

    @classmethod
    def of(cls, told: Any) -> Stat:
        """From what the store tells."""
        return cls(int(told["size"]), told["last_modified"].timestamp())


@dataclass(frozen=True, order=True)
class S3Path:
    """An object or a folder of objects."""

    bucket: str
    key: str = ""
    """Without slashes at its ends."""
    access: Access = field(default=Access(), compare=False, repr=False)
    listed: Stat | None = field(default=None, compare=False, repr=False)
    """What a listing told of the object, so that it need not be asked for one by one."""

    @classmethod
    def parse(cls, address: str, access: Access | None = None) -> S3Path:
        """The path at `s3://bucket/key`.

        Raises
        ------
        ConfigError
            It is none.
        """
        found = _ADDRESS.fullmatch(address)
        parts = (found["key"] or "").strip("/").split("/") if found else [".."]
        if found is None or ({"", ".", ".."} & {*parts} and parts != [""]):
            raise ConfigError(
                f"{address!r} is no address of a folder on S3", remedy="write it as s3://bucket/prefix"
            )
        return cls(found["bucket"], "/".join(parts), access or Access())

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}".rstrip("/")

    def __truediv__(self, name: str) -> S3Path:
        return self._at("/".join(part for part in (self.key, *name.split("/")) if part))

    @property
    def name(self) -> str:
        """The last part."""
        return self.key.rpartition("/")[2]

    @property
    def stem(self) -> str:
        """The last part without its suffix."""
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        """Of the last part, with its dot."""
        return PurePosixPath(self.name).suffix

    @property
    def parent(self) -> S3Path:
        """The folder above."""
        return self._at(self.key.rpartition("/")[0])

    def with_name(self, name: str) -> S3Path:
        """Beside this one."""
        return self.parent / name

    def absolute(self) -> S3Path:
        """Itself."""
        return self

    def resolve(self) -> S3Path:
        """Without `..`."""
        return self._at(normpath(self.key)) if self.key else self

    def relative_to(self, other: S3Path) -> PurePosixPath:
        """The way from `other`."""
        return PurePosixPath(self.key).relative_to(other.key)

    def is_relative_to(self, other: S3Path) -> bool:
        """Whether it is `other` or lies below it."""
        return f"{self}/".startswith(f"{other}/")

    def exists(self) -> bool:
        """Whether there is an object, or a folder."""
        return self.is_file() or self.is_dir()

    def is_file(self) -> bool:
        """Whether there is an object."""
        try:
            return self.listed is not None or self._head() is not None
        except FileNotFoundError:
            return False

    def stat(self) -> Stat:
        """Size and time of the object; of a folder nothing and never. FileNotFoundError where there is neither."""
        try:
            return self.listed or self._head()
        except FileNotFoundError:
            if self.is_dir():
                return Stat(0, 0.0)
            raise

    def _head(self) -> Stat:
        with self._told():
            return Stat.of(_obstore().head(self._store(), self.key))

    def _at(self, key: str, listed: Stat | None = None) -> S3Path:
        return replace(self, key=key, listed=listed)

    def is_dir(self) -> bool:
        """Whether there is an object below."""
        with self._told():
            found = iter(_obstore().list(self._store(), prefix=self.key or None, chunk_size=1))
            return bool(next(found, []))

    def iterdir(self) -> Iterator[S3Path]:
        """What lies in the folder, by name."""
        with self._told():
            listed = _obstore().list_with_delimiter(self._store(), prefix=self.key or None)
        folders = [self._at(key) for key in listed["common_prefixes"]]
        yield from sorted([*folders, *(self._at(each["path"], Stat.of(each)) for each in listed["objects"])])

    def walk(self) -> list[S3Path]:
        """Every object below, by name."""
        with self._told():
            listed = _obstore().list(self._store(), prefix=self.key or None).collect()
        return sorted(self._at(each["path"], Stat.of(each)) for each in listed)

    def rglob(self, pattern: str) -> Iterator[S3Path]:
        """Every object below whose name matches."""
        return (path for path in self.walk() if fnmatch.fnmatchcase(path.name, pattern))

    def glob(self, pattern: str) -> Iterator[S3Path]:
        """What matches, part by part; `**` is no pattern here."""
        first, _, rest = pattern.partition("/")
        for path in self.iterdir():
            if not fnmatch.fnmatchcase(path.name, first):
                continue
            if not rest:
                yield path
            elif path.listed is None:
                yield from path.glob(rest)

    def read_bytes(self) -> bytes:
        """What the object holds; FileNotFoundError where there is none."""
        return self.read_tagged()[0]

    def read_text(self, encoding: str = "utf-8") -> str:
        """What the object holds; FileNotFoundError where there is none."""
        return self.read_bytes().decode(encoding)

    def open(self, mode: str = "r", encoding: str = "utf-8") -> io.StringIO:
        """What the object holds, for reading."""
        assert mode == "r"
        return io.StringIO(self.read_text(encoding))

    def read_tagged(self) -> tuple[bytes, str]:
        """What the object holds, and its ETag, for `write_bytes`."""
        with self._told():
            got = _obstore().get(self._store(), self.key)
            return bytes(got.bytes()), str(got.meta["e_tag"])

    def write_bytes(self, content: bytes, *, instead_of: str | None = None) -> bool:
        """Put the object in one step; whether it was put.

        Parameters
        ----------
        instead_of
            The ETag that the object must have, or an empty one where there must be none; False where that is not
            so.
        """
        mode: Any = "overwrite"
        if instead_of is not None:
            mode = {"e_tag": instead_of} if instead_of else "create"
        obstore = _obstore()
        with self._told():
            try:
                obstore.put(self._store(), self.key, content, mode=mode)
            except (obstore.exceptions.AlreadyExistsError, obstore.exceptions.PreconditionError):
                return False
        return True

    def write_text(self, text: str, encoding: str = "utf-8") -> None:
        """Put the object in one step."""
        self.write_bytes(text.encode(encoding))

    def unlink(self, *, missing_ok: bool = True) -> None:
        """Remove the object."""
        del missing_ok
        with self._told():
            _obstore().delete(self._store(), self.key)

    def mkdir(self, **_: Any) -> None:
        """Nothing: folders need not be made."""

    def rmdir(self) -> None:
        """Nothing: a folder goes with its last object."""

    def require_reachable(self) -> None:
        """Ask for the folder once; a store that does not answer at all is soon given up, for its address may be wrong.

        Raises
        ------
        WorkspaceError
            There is no such bucket, or the keys are lacking or wrong.
        StoreError
            There is no answer, or none that is of use.
        """
        quick = self.access.model_copy(update={"patience": min(_QUICK, self.access.patience)})
        try:
            replace(self, access=quick).is_dir()
        except OutageError as error:
            if not error.fields.get("answered"):
                raise
            self.is_dir()

    def _store(self) -> Any:
        return _store(self.bucket, self.access)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise explained(str(self), self.access, error) from error
            raise FileNotFoundError(2, "No such object", str(self)) from None
        except _obstore().exceptions.BaseError as error:
            raise explained(str(self), self.access, error) from error


def _obstore() -> Any:
    """Imported only where a path on S3 is used."""
    import obstore

    return obstore


@lru_cache(maxsize=32)
def _store(bucket: str, access: Access) -> Any:
    from obstore.store import S3Store

    chosen: Any = {"endpoint": access.endpoint, "region": access.region}
    return S3Store(
        bucket,
        virtual_hosted_style_request=not access.by_path,
        client_options={
            "allow_http": access.insecure,
            "connect_timeout": dt.timedelta(seconds=5),
            "timeout": dt.timedelta(minutes=5),
        },
        retry_config={
            "max_retries": 1000,
            "retry_timeout": dt.timedelta(seconds=access.patience),
            "backoff": {
                "base": 2,
                "init_backoff": dt.timedelta(seconds=_FIRST_WAIT),
                "max_backoff": dt.timedelta(seconds=min(_LONGEST_WAIT, access.patience)),
            },
        },
        **{key: value for key, value in chosen.items() if value},
    )

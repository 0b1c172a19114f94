"""Which mirrors of a source are asked, in which order, and where: what the configuration of every source holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import Field, model_validator

from pipeline.types import Spec

Mirror = TypeVar("Mirror", bound=str)


class Mirrors(Spec, Generic[Mirror]):
    """Where a source is taken from.

    A source names its mirrors, with `files` among them, gives their order in `mirrors`, and their public addresses.
    """

    public: ClassVar[Mapping[str, str]]
    """The base address of each mirror but `files`."""

    mirrors: tuple[Mirror, ...]
    """In order of preference."""
    addresses: dict[Mirror, str] = Field(default_factory=dict)
    """Base addresses that replace the public ones, such as those of a local mirror."""
    files: tuple[str, ...] = ()
    """Globs of local files; where given, they are the only mirror."""

    @model_validator(mode="before")
    @classmethod
    def _files_alone(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("files"):
            return {**given, "mirrors": ("files",)}
        return given

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if not self.mirrors:
            raise ValueError(f"mirrors is empty; name at least one of {', '.join(self.public)}")
        if "files" in self.mirrors and not self.files:
            raise ValueError("the mirror 'files' needs `files`, the globs of the local files")
        return self

    def address(self, mirror: Mirror) -> str:
        """The base address of `mirror`, without a slash at its end."""
        return self.addresses.get(mirror, self.public[mirror]).rstrip("/")

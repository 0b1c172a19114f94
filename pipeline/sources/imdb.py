"""Film reviews of the Large Movie Review Dataset v1.0, and whether they speak well of the film.

As the archive has them, `aclImdb/train/pos/0_9.txt` and so on, packed or unpacked, or as JSON lines. A review's number
and its rating are its file's name; what has at most 4 of 10 points is negative, from 7 on positive. Reference: Maas et
al. 2011, ACL 49, 142–150; https://ai.stanford.edu/~amaas/data/sentiment/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, get_args

from pipeline.errors import ConfigError
from pipeline.sources import imdb_decode, local
from pipeline.sources.base import Granule
from pipeline.sources.mirrors import Mirrors
from pipeline.types import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pipeline.forecasts.base import Kind
    from pipeline.records.base import Parameter
    from pipeline.records.texts import TextTable
    from pipeline.sources.base import Fetched

Mirror = Literal["stanford", "files"]

ADDRESSES: dict[str, str] = {"stanford": "https://ai.stanford.edu/~amaas/data/sentiment"}
ARCHIVE = "aclImdb_v1.tar.gz"


class ImdbConfig(Mirrors[Mirror]):
    """Where the reviews are taken from."""

    public = ADDRESSES

    mirrors: tuple[Mirror, ...] = ("stanford",)


class Imdb:
    """The source `imdb`; see `pipeline.sources.base.RecordSource`."""

    name = "imdb"
    kind: Kind = "texts"
    Config: ClassVar = ImdbConfig
    parameters: tuple[Parameter, ...] = ()

    def __init__(self, config: ImdbConfig | None = None) -> None:
        self.config = config or ImdbConfig()
        self.mirrors: tuple[str, ...] = self.config.mirrors

    def list_granules(self, mirror: str, read: Callable[[str], bytes]) -> Sequence[Granule]:
        """The archive; of local files, all of them, and of folders the reviews in them.

        Raises
        ------
        ConfigError
            An unknown mirror, or a path that leads to no review.
        """
        del read
        match mirror:
            case "files":
                paths = local.matching(
                    self.config.files,
                    within=_within,
                    wanted="review",
                    remedy="name the folder that has train/ and test/, or the archive",
                )
                return [local.granule(path) for path in paths]
            case "stanford":
                return [Granule(mirror, f"{self.config.address(mirror)}/{ARCHIVE}", (), Status.FINAL)]
            case _:
                known = ", ".join(get_args(Mirror))
                raise ConfigError(f"imdb has no mirror {mirror!r}", remedy=f"known: {known}", given=mirror)

    def decode_records(self, files: Sequence[Fetched]) -> TextTable:
        """See `pipeline.sources.imdb_decode.decode`."""
        return imdb_decode.decode(files)

    def content_complaint(self, head: bytes) -> str:
        """See `pipeline.sources.imdb_decode.content_complaint`."""
        return imdb_decode.content_complaint(head)


def _within(folder: Path) -> list[Path]:
    """The reviews in a folder, however deep."""
    return [path for path in sorted(folder.rglob("*")) if imdb_decode.is_review(imdb_decode.inner_of(path))]

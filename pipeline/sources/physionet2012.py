"""Stays in intensive care of the PhysioNet/CinC Challenge 2012: irregular measurements of 48 hours, and who died.

An archive has one file a patient, `Time,Parameter,Value`, with times `HH:MM` from admission to 48:00;
outcomes are apart.
Of a descriptor −1 stands for unknown. Reference: https://physionet.org/content/challenge-2012/1.0.0/.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

from pipeline.errors import ConfigError
from pipeline.sources import local, physionet2012_decode
from pipeline.sources.base import Granule
from pipeline.sources.mirrors import Mirrors
from pipeline.sources.physionet2012_parameters import PARAMETERS
from pipeline.types import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.forecasts.base import Kind
    from pipeline.records.base import Parameter, RecordTable
    from pipeline.sources.base import Fetched

Mirror = Literal["physionet", "files"]

ADDRESSES: dict[str, str] = {"physionet": "https://physionet.org/files/challenge-2012/1.0.0"}
FILES = ("set-a.tar.gz", "Outcomes-a.txt")


class PhysioNet2012Config(Mirrors[Mirror]):
    """Where the records are taken from."""

    public = ADDRESSES

    mirrors: tuple[Mirror, ...] = ("physionet",)


class PhysioNet2012:
    """The source `physionet2012`; see `pipeline.sources.base.RecordSource`."""

    name = "physionet2012"
    kind: Kind = "records"
    Config: ClassVar = PhysioNet2012Config
    parameters: tuple[Parameter, ...] = PARAMETERS

    def __init__(self, config: PhysioNet2012Config | None = None) -> None:
        self.config = config or PhysioNet2012Config()
        self.mirrors: tuple[str, ...] = self.config.mirrors

    def list_granules(self, mirror: str, read: Callable[[str], bytes]) -> Sequence[Granule]:
        """Set A and its outcomes; of local files, all archives and lists of outcomes.

        Raises
        ------
        ConfigError
            An unknown mirror, a glob that matches no file, or no archive or no outcomes among the files.
        """
        del read
        match mirror:
            case "files":
                return _local(self.config.files)
            case "physionet":
                base = self.config.address(mirror)
                return [Granule(mirror, f"{base}/{name}", (), Status.FINAL) for name in FILES]
            case _:
                known = ", ".join(get_args(Mirror))
                raise ConfigError(
                    f"physionet2012 has no mirror {mirror!r}", remedy=f"known: {known}", given=mirror
                )

    def decode_records(self, files: Sequence[Fetched]) -> RecordTable:
        """See `pipeline.sources.physionet2012_decode.decode`."""
        return physionet2012_decode.decode(files)

    def content_complaint(self, head: bytes) -> str:
        """See `pipeline.sources.physionet2012_decode.content_complaint`."""
        return physionet2012_decode.content_complaint(head)


def _local(globs: Sequence[str]) -> list[Granule]:
    paths: dict[str, bool] = {}
    for path in local.matching(globs):
        with Path(path).open("rb") as file:
            paths[path] = physionet2012_decode.is_archive(file.read(64))
    for what, packed in (("archive of records", True), ("list of outcomes", False)):
        if packed not in paths.values():
            raise ConfigError(
                f"there is no {what} among {', '.join(map(repr, globs))}",
                remedy="give both: --from-files set-a.tar.gz --from-files Outcomes-a.txt",
                given=list(globs),
            )
    return [local.granule(path) for path in paths]

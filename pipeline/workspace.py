"""The workspace: one folder, here or on S3, with a place in it for everything that a run keeps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from pipeline.errors import DiskFullError, WorkspaceError
from pipeline.location import is_remote
from pipeline.publish.product import write_text

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1
MARK = "workspace.json"


@dataclass(frozen=True, slots=True)
class Workspace:
    """Paths of a workspace; nothing is read or made until it is asked for.

    Parameters
    ----------
    here
        Where on this machine that is put which serves it alone; the workspace itself where None.
    """

    root: Path
    here: Path | None = None

    @classmethod
    def open(cls, root: Path, here: Path | None = None) -> Self:
        """The workspace at `root`, made if there is none.

        Raises
        ------
        WorkspaceError
            A newer Isotherm wrote it, `root` is something else, or it cannot be made.
        StoreError
            The object store does not answer.
        DiskFullError
            There is no space for it.
        """
        mark = root / MARK
        if is_remote(root):
            root.require_reachable()
        elif root.exists() and not root.is_dir():
            raise WorkspaceError(
                f"the workspace {root} is a file", remedy="name a folder with --workspace", path=str(root)
            )
        if not mark.exists():
            _make(mark)
        workspace = cls(root.resolve(), here)
        workspace.require_readable()
        return workspace

    def require_readable(self) -> None:
        """Refuse a workspace that a newer Isotherm wrote; one that does not exist yet is readable.

        Raises
        ------
        WorkspaceError
            Its format is newer, or its mark cannot be read.
        StoreError
            The object store does not answer.
        """
        mark = self.root / MARK
        if is_remote(self.root):
            self.root.require_reachable()
        if not mark.exists():
            return
        try:
            found = int(json.loads(mark.read_text())["format"])
        except (ValueError, KeyError, TypeError) as error:
            raise WorkspaceError(
                f"{mark} does not say the format of the workspace",
                remedy="name another folder with --workspace, or restore the file",
                path=str(mark),
            ) from error
        if found > FORMAT:
            raise WorkspaceError(
                f"the workspace {self.root} has format {found}, and this Isotherm reads formats to {FORMAT}",
                remedy="upgrade Isotherm, or name another folder with --workspace",
                path=str(self.root),
                format=found,
            )

    @property
    def cache(self) -> Path:
        """Downloaded granules."""
        return (self.here or self.root) / "cache"

    @property
    def prefect(self) -> Path:
        """Prefect's home, where the user names no other."""
        return (self.here or self.root) / "prefect"

    def experiments(self) -> list[str]:
        """Those of which something was ingested, sorted."""
        return sorted(path.name for path in (self.root / "cubes").glob("*") if path.is_dir())

    @property
    def published(self) -> Path:
        """The STAC catalog and the products: all that downstream consumers read."""
        return self.root / "published"

    def quarantine(self, experiment: str) -> Path:
        """Refused granules with their reasons."""
        return self.root / "quarantine" / experiment

    def cube(self, experiment: str) -> Path:
        """The Icechunk repository of the cube, a group a region."""
        return self.root / "cubes" / experiment

    def models(self, experiment: str, region: str) -> Path:
        """A folder a trained model."""
        return self.root / "models" / experiment / region

    def archive(self, experiment: str) -> Path:
        """The Icechunk repository of forecasts, a group a region and forecaster."""
        return self.root / "forecasts" / experiment

    def scores(self, experiment: str, region: str) -> Path:
        """A plain Zarr store a version of the scores."""
        return self.root / "scores" / experiment / region

    def report(self, experiment: str) -> Path:
        """The evaluation report."""
        return self.root / "reports" / experiment / "index.html"

    def ingest_log(self, experiment: str) -> Path:
        """What the last ingest found, as JSON."""
        return self.root / "ingest" / f"{experiment}.json"


def _make(mark: Path) -> None:
    try:
        write_text(mark, json.dumps({"format": FORMAT}) + "\n")
    except DiskFullError:
        raise
    except OSError as error:
        raise WorkspaceError(
            f"the workspace {mark.parent} cannot be made: {error.strerror}",
            remedy="name a folder that can be written with --workspace",
            path=str(mark.parent),
        ) from error

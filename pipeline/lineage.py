"""The chain behind a published forecast: from the hashes of the source files to the version of its scores."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote, urljoin, urlsplit

from pydantic import NonNegativeInt, ValidationError

from pipeline.errors import FetchError, NotFoundError, StoreError
from pipeline.location import is_remote
from pipeline.naming import counted
from pipeline.s3 import SCHEME, S3Path
from pipeline.types import Spec
from pipeline.windows import WindowSpec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.s3_access import Access

ATTRIBUTE = "lineage"
ASSET = "forecast"


class Sources(Spec):
    """The source files that the forecast rests on."""

    count: NonNegativeInt
    of: Literal["days", "files"] = "days"
    """What is counted: of a cube the days that it holds, each with its file."""
    first_url: str
    last_url: str
    digest: str
    """As `sources_digest` gives it."""


class Inputs(Spec):
    """The days of the history that the forecast was made from, and what their values were then."""

    first: str
    last: str
    final: NonNegativeInt
    preliminary: NonNegativeInt

    @property
    def told(self) -> str:
        """In words."""
        parts = [f"{n} {what}" for n, what in ((self.final, "final"), (self.preliminary, "preliminary")) if n]
        return f"{self.first}…{self.last}: {', '.join(parts)}"


class ModelLineage(Spec):
    """Which model or rung, and the SHA-256 of its card; a rung has none, and its id tells what was fitted."""

    name: str
    id: str
    card_sha256: str


class Lineage(Spec):
    """Every link of the chain; stored as JSON in the attribute `lineage` of each published store.

    Parameters
    ----------
    fitted_sha256
        Of the climatology, scaling and land mask that the model was trained with.
    scores_version
        Empty where the forecast was published before it was scored.
    """

    experiment: str
    region: str
    sources: Sources
    cube_snapshot: str
    fitted_sha256: str
    windows: WindowSpec
    inputs: Inputs | None = None
    """Of a forecast that was archived without them there are none."""
    model: ModelLineage
    archive_snapshot: str
    scores_version: str
    isotherm_version: str


def sources_digest(sha256s: Iterable[str]) -> str:
    """SHA-256 over the sorted hashes of the files, each on a line: the order of the files does not matter."""
    return hashlib.sha256("\n".join(sorted(sha256s)).encode()).hexdigest()


def render(lineage: Lineage) -> str:
    """The chain as text, one link a line, from the source to the scores."""
    sources, windows, model = lineage.sources, lineage.windows, lineage.model
    card = f", card sha256 {model.card_sha256}" if model.card_sha256 else ""
    urls = dict.fromkeys((sources.first_url, sources.last_url))
    links = [
        ("sources", f"{counted(sources.count, sources.of.removesuffix('s'))}, digest {sources.digest}"),
        ("", " … ".join(urls)),
        ("cube", f"snapshot {lineage.cube_snapshot}"),
        ("fitted", f"sha256 {lineage.fitted_sha256}"),
        ("windows", _told(windows)),
        *([("inputs", lineage.inputs.told)] if lineage.inputs else []),
        ("model", f"{model.name} {model.id}{card}"),
        ("forecast", f"archive snapshot {lineage.archive_snapshot}"),
        ("scores", f"version {lineage.scores_version}" if lineage.scores_version else "not scored yet"),
        ("made by", f"isotherm {lineage.isotherm_version}"),
    ]
    width = max(len(name) for name, _ in links)
    lines = [f"{name:>{width}}  {what}" for name, what in links]
    return "\n".join([f"{lineage.experiment} / {lineage.region}", *lines])


def _told(windows: WindowSpec) -> str:
    """What is not as usual is said too."""
    usual = {"sampling": 1, "first_lead": 1}
    shown = {key: value for key, value in windows.model_dump().items() if usual.get(key) != value}
    return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in shown.items())


def read_lineage(address: str | Path, access: Access | None = None) -> Lineage:
    """The lineage of a product or of its catalog item, by its path or its file, http, https or s3 URL.

    Parameters
    ----------
    access
        How S3 is reached, where the address is a text.

    Raises
    ------
    NotFoundError
        There is nothing there, or what is there has no lineage.
    FetchError
        The URL cannot be had.
    WorkspaceError
        The bucket is not there, or keys for it are lacking or wrong.
    StoreError
        The object store does not answer, or what is there cannot be read as a lineage.
    """
    if is_remote(address):
        access = address.access
    place = _normalised(str(address))
    document = _document(place, access)
    if document.get("type") == "Feature":
        href = document.get("assets", {}).get(ASSET, {}).get("href")
        if not href:
            raise _without(place, f"this catalog item has no asset {ASSET!r}")
        place = _joined(place, href)
        document = _document(place, access)
    if document.get("type") in {"Catalog", "Collection"}:
        raise _without(place, "this is a catalog, which holds the lineages of its items")
    text = document.get("attributes", {}).get(ATTRIBUTE)
    if not text:
        raise _without(place, "its attributes hold none")
    try:
        return Lineage.model_validate_json(text)
    except ValidationError as error:
        raise StoreError(
            f"{_shown(place)}: the lineage cannot be read: {error.errors()[0]['msg']}",
            remedy="read it with the version of Isotherm that wrote it",
            address=_shown(place),
        ) from error


def _normalised(address: str) -> str:
    """The address as a URL."""
    if urlsplit(address).scheme in {"http", "https", "file", "s3"}:
        return address.rstrip("/")
    return Path(address).absolute().as_uri()


def _joined(place: str, href: str) -> str:
    if not place.startswith(SCHEME):
        return urljoin(place, href)
    # `urljoin` knows no relative references of this scheme.
    return SCHEME + urljoin(f"/{place.removeprefix(SCHEME)}", href).removeprefix("/")


def _document(place: str, access: Access | None) -> dict[str, Any]:
    target = place if place.endswith(".json") else f"{place}/zarr.json"
    if target.startswith(SCHEME):
        text = _read_s3(S3Path.parse(target, access))
    else:
        text = _read_file(target) if target.startswith("file:") else _read_http(target)
    try:
        document = json.loads(text)
    except ValueError as error:
        raise StoreError(f"{_shown(target)} is not JSON: {error}", address=_shown(target)) from error
    if not isinstance(document, dict):
        raise _without(target, "it is neither a Zarr store nor a catalog item")
    return document


def _read_file(url: str) -> bytes:
    path = Path(unquote(urlsplit(url).path))
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise _missing(str(path)) from error


def _read_s3(path: S3Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise _missing(str(path)) from error


def _read_http(url: str) -> bytes:
    import httpx

    try:
        response = httpx.get(url, follow_redirects=True, timeout=30)
    except httpx.HTTPError as error:
        raise FetchError(
            f"{url} cannot be had: {error}", remedy="check the address and the network", url=url
        ) from error
    if response.status_code in {404, 410}:
        raise _missing(url)
    if response.is_error:
        raise FetchError(f"{url} was answered with status {response.status_code}", url=url)
    return response.content


def _missing(where: str) -> NotFoundError:
    return NotFoundError(
        f"there is nothing at {where}",
        remedy="give the address of a published .zarr folder or of its item in the catalog",
        address=where,
    )


def _without(place: str, why: str) -> NotFoundError:
    return NotFoundError(
        f"there is no lineage at {_shown(place)}: {why}",
        remedy="give the address of a published .zarr folder or of its item in the catalog",
        address=_shown(place),
    )


def _shown(place: str) -> str:
    return unquote(urlsplit(place).path) if place.startswith("file:") else place

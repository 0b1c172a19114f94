"""Releasing a region: its newest forecast as a product, with scores and report, into the catalog."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from pipeline.evaluation.standing import Standing
from pipeline.evaluation.versions import read_scores
from pipeline.forecasts import archive
from pipeline.forecasts.layout import STAMP
from pipeline.forecasts.stamps import read_stamp
from pipeline.lineage import Inputs, Lineage, ModelLineage, Sources, sources_digest
from pipeline.publish.catalog import Entry, add_entry
from pipeline.publish.forecast import export
from pipeline.publish.metadata import is_point, newest_init
from pipeline.publish.product import copy_file, write_product
from pipeline.store.state import source_list
from pipeline.types import Spec, Status

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr


class Released(Spec):
    """Where a published forecast is."""

    region: str
    forecaster: str
    init_time: str
    """In the record's own clock."""
    forecast: str
    item: str


def lineage_of(
    cube: Path, standing: Standing, newest: xr.Dataset, *, archive_snapshot: str | None = None
) -> Lineage:
    """The chain behind `newest`, one forecast of the standing's forecaster from the archive.

    It was archived since the scores where `archive_snapshot` is given. The cube's snapshot is the one that the
    forecast was made from, which may be older than that of the scores.
    """
    forecaster = standing.forecaster
    cube_snapshot = str(newest.cube_snapshot.values[0])
    urls, hashes = source_list(cube, cube_snapshot)
    judged = standing.judged
    is_model = forecaster == judged.name
    return Lineage(
        experiment=standing.experiment,
        region=standing.region,
        sources=Sources(
            count=len(urls),
            of="files" if is_point(newest) else "days",
            first_url=urls[0],
            last_url=urls[-1],
            digest=sources_digest(hashes),
        ),
        cube_snapshot=cube_snapshot,
        fitted_sha256=judged.fitted_sha256,
        windows=standing.windows,
        inputs=_inputs(newest),
        model=ModelLineage(
            name=forecaster,
            id=str(newest.model_id.values[0]),
            card_sha256=judged.card_sha256 if is_model else "",
        ),
        archive_snapshot=archive_snapshot or standing.archive_snapshot,
        scores_version=standing.scores_version,
        isotherm_version=version("isotherm"),
    )


def _inputs(newest: xr.Dataset) -> Inputs | None:
    stamp = str(newest[STAMP].values[0]) if STAMP in newest else ""
    if not stamp:
        return None
    days, status = read_stamp(stamp, newest.init_time.values[0])
    return Inputs(
        first=str(days[0]),
        last=str(days[-1]),
        final=int((status == Status.FINAL).sum()),
        preliminary=int((status == Status.PRELIMINARY).sum()),
    )


def release_region(
    cube: Path,
    archive_path: Path,
    scores: Path,
    published: Path,
    *,
    report: Path | None,
    title: str,
    description: str,
    source: str = "oisst",
    archive_snapshot: str | None = None,
) -> Released:
    """Publish the newest forecast of the region whose scores lie in `scores`.

    The forecast is the promoted model's, or the best rung's where the model did not beat it. `source` is whose
    observations it rests on, a name of PROVIDERS. The newest forecast is that of `archive_snapshot`, or of the one
    that was scored.

    Raises
    ------
    NotFoundError
        The region was not scored, or the archive has no forecasts.
    ConfigError
        The source has no provider.
    """
    standing = Standing.read(scores)
    at = archive_snapshot or standing.archive_snapshot
    forecasts = archive.read(archive_path, standing.region, standing.forecaster, snapshot=at)
    newest = forecasts.isel(init_time=[-1]).load()
    lineage = lineage_of(cube, standing, newest, archive_snapshot=at)
    folder = published / standing.experiment / standing.region
    product = export(newest, folder, lineage=lineage, source=source)
    kept = write_product(read_scores(scores, standing.scores_version), folder, prefix="scores-")
    entry = Entry(
        forecast=product,
        scores=kept,
        report=copy_file(report, folder, prefix="report-")
        if report is not None and report.exists()
        else None,
        verdict=standing.verdict,
    )
    item = add_entry(published, entry, title=title, description=description)
    return Released(
        region=standing.region,
        forecaster=standing.forecaster,
        init_time=newest_init(newest),
        forecast=str(product),
        item=str(item),
    )

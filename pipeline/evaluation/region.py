"""Scoring a region: the archived forecasts of the test windows against the cube's truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from pipeline.climatology import HarmonicClimatology
from pipeline.errors import WindowError
from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.standing import Standing
from pipeline.evaluation.verdict import Verdict
from pipeline.evaluation.versions import write_scores
from pipeline.forecasts import archive
from pipeline.forecasts.field import DIMS, as_field
from pipeline.partition import Partition

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.climatology import ClimatologySpec
    from pipeline.evaluation.specs import EvaluationSpec
    from pipeline.evaluation.standing import Judged
    from pipeline.splits import Fractions, Splits
    from pipeline.store.readings import Reading
    from pipeline.windows import Windows, WindowSpec


def score_region(
    reading: Reading,
    archive_path: Path,
    folder: Path,
    *,
    experiment: str,
    judged: Judged,
    others: tuple[Judged, ...] = (),
    ladder: tuple[str, ...],
    splits: Splits | Fractions,
    windows: WindowSpec,
    climatology: ClimatologySpec,
    spec: EvaluationSpec,
    cube_snapshot: str,
    archive_snapshot: str,
) -> Standing:
    """Score the models and their ladder on every test window, keep the scores, and say who stands where.

    Parameters
    ----------
    judged, others
        The model that stands for the experiment, and further ones that are scored beside it.

    Raises
    ------
    WindowError
        No test window fits, or the archive lacks some of them, or has them of another model of the same name.
    NotFoundError
        A forecaster has no forecasts in the archive.
    """
    record = reading.read(cube_snapshot)
    region = reading.region
    parted = Partition(record, splits, windows)
    test = parted.windows("test").thinned(spec.stride)
    within = parted.splits.train
    fitted = HarmonicClimatology.fit(record.target_values, record.time, climatology, within=within)
    ids = {each.name: each.id for each in (judged, *others)}
    scores = evaluate(
        {
            name: _archived(archive_path, region, name, test, archive_snapshot, ids.get(name))
            for name in (*ids, *ladder)
        },
        as_field(record, test, record.truth(test)),
        as_field(record, test, fitted.at(record.time[test.horizon_index()])),
        xr.DataArray(
            record.ocean,
            dims=DIMS[2:],
            coords={"latitude": record.latitude, "longitude": record.longitude},
        ),
        spec,
        model=judged.name,
        ladder=ladder,
        provenance=judged.provenance(
            experiment, region, archive_snapshot=archive_snapshot, cube_snapshot=cube_snapshot
        ),
    )
    standing = Standing(
        experiment=experiment,
        region=region,
        scores_version=write_scores(scores, folder),
        verdict=Verdict.of(scores),
        judged=judged,
        others=others,
        ladder=ladder,
        cube_snapshot=cube_snapshot,
        archive_snapshot=archive_snapshot,
        windows=windows,
        given=splits,
        splits=parted.splits,
        stride=spec.stride,
    )
    standing.write(folder)
    return standing


def _archived(
    path: Path, region: str, forecaster: str, test: Windows, snapshot: str, model_id: str | None
) -> xr.DataArray:
    """The archived forecasts of all test windows, by the model of this id if one is given."""
    held = archive.read(path, region, forecaster, snapshot=snapshot)
    absent = np.setdiff1d(test.init_time, held.init_time.values)
    if len(absent):
        raise WindowError(
            f"the archive lacks {len(absent)} of the {len(test)} test windows of {forecaster!r} for region "
            f"{region!r}, the first of {np.datetime_as_string(absent[0], unit='D')}",
            remedy="run `isotherm forecast` first: the cube has grown since",
            region=region,
            forecaster=forecaster,
            absent=len(absent),
        )
    chosen = held.sel(init_time=test.init_time)
    others = {str(each) for each in chosen.model_id.values} - {model_id} if model_id else set()
    if others:
        raise WindowError(
            f"some archived forecasts of {forecaster!r} for region {region!r} are not by {model_id} but by "
            f"{', '.join(sorted(others))}",
            remedy="run `isotherm forecast` first: another model has become champion since",
            region=region,
            forecaster=forecaster,
            model=model_id,
        )
    return archive.field_of(chosen)

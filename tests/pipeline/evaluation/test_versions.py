"""Scores as they are kept."""

import pytest
import xarray as xr

from pipeline.errors import NotFoundError
from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.specs import EvaluationSpec
from pipeline.evaluation.verdict import Verdict
from pipeline.evaluation.versions import read_scores, write_scores
from pipeline.location import local_copy
from pipeline.publish.product import write_product


def test_scores_come_back_as_they_were_under_the_version_of_their_content(place, windows):
    data = windows(length=40)
    spec = EvaluationSpec(resamples=30, block_length=10)
    given = (data.forecasts, data.truth, data.climatology, data.ocean, spec)
    scores = evaluate(*given, model="net", provenance={"region": "tasman"})
    version = write_scores(scores, place)
    assert write_scores(evaluate(*given, model="net", provenance={"region": "tasman"}), place) == version
    assert [path.name for path in place.iterdir()] == [f"{version}.zarr"]
    back = read_scores(place, version)
    assert back.attrs["version"] == version
    xr.testing.assert_equal(back, scores)
    assert back.sel(forecaster="net", reference="damped", area="all", season="all").skill.sizes == {
        "lead_time": 3
    }
    assert Verdict.of(back) == Verdict.of(scores)
    with local_copy(place / f"{version}.zarr") as near, xr.open_zarr(near):
        pass
    assert write_product(back, place / "published", prefix="scores-").name == f"scores-{version}.zarr"
    other = evaluate(*given[:-1], spec.model_copy(update={"seed": 1}), model="net")
    assert write_scores(other, place) != version


def test_unknown_scores_are_named(place):
    with pytest.raises(NotFoundError, match="no scores 'abc'"):
        read_scores(place, "abc")

"""From a station's store, archive and cards to its report and its product: what is told is what lies there."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from pipeline.climatology import ClimatologySpec
from pipeline.evaluation.region import score_region
from pipeline.evaluation.specs import EvaluationSpec
from pipeline.evaluation.standing import Judged
from pipeline.forecasts import archive
from pipeline.forecasts.field import as_field
from pipeline.lineage import read_lineage
from pipeline.partition import Partition
from pipeline.publish.release import Released, release_region
from pipeline.reports.gather import gather_region
from pipeline.reports.inputs import RegionInputs, StationInputs
from pipeline.reports.render import page
from pipeline.splits import Fractions
from pipeline.store.readings import SeriesReading
from pipeline.types import Protocol
from pipeline.windows import Windows, WindowSpec, newest_init
from tests import stations
from tests.pages import Page
from tests.station_reporting import make_station_inputs

SPEC = WindowSpec(history=24, horizon=24, sampling=6, stride=5)
SPLITS = Fractions(train=0.5, validation=0.2, test=0.3)
ERRORS = {"lstm": 0.5, "gru": 0.7, "naive": 1.5, "linear": 1.0}


@dataclass
class Made:
    reading: SeriesReading
    parted: Partition
    region: RegionInputs
    released: Released

    @property
    def station(self) -> StationInputs:
        assert self.region.station is not None
        return self.region.station


def card(name: str, parameters: int) -> dict[str, object]:
    epochs = [
        {
            "epoch": at,
            "loss": 1 / at,
            "validation_loss": 1.1 / at,
            "learning_rate": 1e-3,
            "seconds": 2.0,
            "mae": 0.5,
        }
        for at in (1.0, 2.0)
    ]
    facts = dict.fromkeys(("precision", "backend", "train_windows", "validation_windows", "created_at"), "x")
    return facts | {
        "name": name,
        "model_id": f"{name}-1",
        "parameters": parameters,
        "best_epoch": 2,
        "history": epochs,
        "config": {},
        "training": {},
    }


@pytest.fixture(scope="module", params=["clean", "as-published"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    root, protocol = tmp_path_factory.mktemp("station"), request.param
    return make(root, protocol)


def make(root: Path, protocol: Protocol) -> Made:
    snapshot = stations.write_common(root / "store", 30)
    reading = SeriesReading(
        path=root / "store",
        region="roof",
        target="air_temperature",
        protocol=protocol,
        wind_components=False,
    )
    record = reading.read(snapshot)
    parted = Partition(record, SPLITS, SPEC)
    test = parted.windows("test").thinned(2)
    init = np.union1d(test.init, [newest_init(record.time, record.usable, SPEC)])
    issued = Windows(SPEC, init, record.time[init])
    rng = np.random.default_rng(0)
    near = np.minimum(issued.horizon_index(), len(record.time) - 1)
    truth = record.target_values[near]
    forecasts = {
        name: as_field(
            record, issued, truth + rng.normal(0, scale, truth.shape).astype(np.float32)
        ).to_dataset()
        for name, scale in ERRORS.items()
    }
    archived = archive.write(
        root / "archive",
        forecasts,
        region="roof",
        message="test",
        provenance=archive.Provenance(
            snapshot, dt.datetime(2020, 3, 1, tzinfo=dt.UTC), {n: f"{n}-1" for n in ERRORS}
        ),
    )
    judged = [
        Judged(name=name, id=f"{name}-1", card_sha256="c", fitted_sha256="f") for name in ("lstm", "gru")
    ]
    score_region(
        reading,
        root / "archive",
        root / "scores",
        experiment="trial",
        judged=judged[0],
        others=(judged[1],),
        ladder=("naive", "linear"),
        splits=SPLITS,
        windows=SPEC,
        climatology=ClimatologySpec(harmonics=0, daily_harmonics=1),
        spec=EvaluationSpec(resamples=50, block_length=5, stride=2),
        cube_snapshot=snapshot,
        archive_snapshot=archived,
    )
    for one, parameters in zip(judged, (2001, 1500), strict=True):
        (root / "models" / one.id).mkdir(parents=True)
        (root / "models" / one.id / "card.json").write_text(json.dumps(card(one.name, parameters)))
    region = gather_region(
        reading, root / "archive", root / "scores", root / "models", root / "quarantine", title="Roof"
    )
    released = release_region(
        root / "store",
        root / "archive",
        root / "scores",
        root / "published",
        report=None,
        title="Roof",
        description="A trial.",
        source="jena",
    )
    return Made(reading, parted, region, released)


def test_the_page_has_the_station(made: Made) -> None:
    parsed = Page.parse(page(make_station_inputs(made.region)))
    assert not parsed.faults
    assert not {"nan", "NaN", "None", "NaT"} & set(parsed.text.split())
    assert [row[0] for row in parsed.tables["models"][1:]] == ["LSTMjudged", "GRU"]
    assert len(parsed.tables["ranking"]) == 1 + len(ERRORS)
    assert ("as they stand in the files" in parsed.text) == (made.station.protocol == "as-published")


def test_lines_are_of_the_record(made: Made) -> None:
    record = made.parted.record
    known = dict(zip(record.time.tolist(), record.target_values[:, 0, 0].astype(float), strict=True))
    for line in (made.station.recent, made.station.weeks):
        assert len(line) > 100
        assert [known[at] for at in line.time.values.tolist()] == pytest.approx(line.values)
    assert made.region.newest is not None
    assert made.station.recent.time.values[-1] == made.region.newest.init_time.values[-1]
    observed = made.station.observed
    for at, init in enumerate(observed.init_time.values):
        for offset, value in zip(observed.offset.values, observed.values[at], strict=True):
            assert known.get((init + offset).astype(int).item(), np.nan) == pytest.approx(value, nan_ok=True)


def test_forecasts_ahead_are_those_of_the_archive(made: Made) -> None:
    path = made.reading.path.parent / "archive"
    ahead = made.station.ahead.dropna("time")
    assert len(ahead.time) > 50
    for name, of in (("model", "lstm"), ("best_rung", "linear")):
        held = archive.read(path, "roof", of).air_temperature.isel(lead_time=23, latitude=0, longitude=0)
        asked = held.sel(init_time=ahead.time.values - np.timedelta64(24, "h"))
        np.testing.assert_allclose(ahead[name].values, asked.values)
    assert np.abs(ahead.model - ahead.truth).mean() < np.abs(ahead.best_rung - ahead.truth).mean()
    examples = made.region.examples
    assert examples is not None
    assert set(examples.data_vars) == {"model", "best_rung", "truth"}


def test_the_product_leads_back_to_the_files(made: Made) -> None:
    lineage = read_lineage(made.released.item)
    assert (lineage.sources.count, lineage.sources.of) == (1, "files")
    assert made.released.init_time == str(made.parted.record.time[-1].astype("datetime64[m]"))
    with xr.open_zarr(made.released.forecast) as product:
        assert product.air_temperature.shape == (1, 24, 1, 1)
        local = np.datetime64(made.released.init_time)
        assert product.init_time.values[0] == local - np.timedelta64(1, "h")

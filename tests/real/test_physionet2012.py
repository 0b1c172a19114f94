"""The 3,200 patients at hand: what of them is held, and what was left out."""

from pathlib import Path

import numpy as np
import pytest

from models.record_encoder import RecordEncoder
from pipeline.records.base import RecordSet
from pipeline.records.partition import Chosen
from pipeline.records.steps import StepSpec, lengths
from pipeline.sources import record_source
from pipeline.sources.base import Fetched

pytestmark = pytest.mark.real


def test_all_patients_but_one_without_a_series_are_held(real_data: Path) -> None:
    source = record_source("physionet2012", files=(str(real_data / "physionet2012" / "*"),))
    granules = source.list_granules("files", lambda _: b"")
    table = source.decode_records([Fetched(each, Path(each.url), each.url) for each in granules])
    assert (len(table.ids), int(table.labels.sum()), len(table.value)) == (3199, 449, 1_403_840)
    (left_out,) = table.exclusions
    assert (left_out.record, left_out.check, left_out.line) == ("140501", "no-series", 7)
    assert table.repeated == 2939
    records, spec = RecordSet.of(table), StepSpec()
    hours = lengths(records, spec)
    assert (hours.min(), hours.max()) == (5, 48)
    chosen = Chosen(np.arange(0, len(records), 40))
    encoder = RecordEncoder.fit_on(records, spec, chosen)
    assert encoder.shape.features == 86
    for step in (60, "events"):
        samples = RecordEncoder.fit_on(records, StepSpec(step=step), chosen).samples(
            records, Chosen(np.arange(3199))
        )
        assert samples.buckets.padding(64) < 0.2

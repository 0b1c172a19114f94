"""The 30,000 reviews at hand: what of them is held, and what a model sees of them."""

from pathlib import Path

import numpy as np
import pytest

from models.text_encoder import TextEncoder
from pipeline.records.partition import RecordPartition
from pipeline.records.texts import TextSet, TextTable
from pipeline.records.words import UNKNOWN, WordSpec
from pipeline.sources import record_source
from pipeline.sources.base import Fetched
from pipeline.splits import Fractions

pytestmark = pytest.mark.real


def test_all_reviews_are_held(real_data: Path) -> None:
    source = record_source("imdb", files=(str(real_data / "imdb" / "reviews.jsonl.gz"),))
    granules = source.list_granules("files", lambda _: b"")
    table = source.decode_records([Fetched(each, Path(each.url), each.url) for each in granules])
    assert isinstance(table, TextTable)
    assert (len(table.ids), int(table.labels.sum()), int(table.published.sum())) == (30_000, 15_000, 5_000)
    assert table.exclusions == ()
    assert (table.repeated, table.shared) == (141, 35)
    records, spec = TextSet.of(table), WordSpec()
    parted = RecordPartition(records, Fractions(train=0.7, validation=0.3, test="published"), spec)
    train, test = parted.windows("train"), parted.windows("test")
    assert (len(train), len(parted.windows("validation")), len(test)) == (17_500, 7_500, 5_000)
    encoder = TextEncoder.fit_on(records, spec, train)
    assert encoder.vocabulary.words[:3] == ("the", "and", "a")
    assert len(encoder.vocabulary.words) == 5000
    samples = encoder.samples(records, train)
    assert samples.buckets.padding(64) < 0.2
    assert samples.buckets.lengths.max() == 500
    assert float(np.mean(samples.numbers == UNKNOWN)) == pytest.approx(0.12, abs=0.03)

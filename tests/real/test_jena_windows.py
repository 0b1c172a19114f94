"""The textbook's windows on the genuine record of 2020, to the last sample."""

import csv
import hashlib

import keras
import numpy as np
import pytest

from models.datasets import SeriesSamples, ordered
from pipeline.forecasts.series import SeriesRecord
from pipeline.partition import Partition
from pipeline.sources.jena_columns import COMMON_VARIABLES, QUANTITIES
from pipeline.splits import Fractions
from pipeline.windows import WindowSpec

pytestmark = pytest.mark.real

SPEC = WindowSpec(history=120, horizon=24, first_lead=24, sampling=6)
SPLITS = Fractions(train=0.5, validation=0.25, test=0.25)
DELAY = 6 * (120 + 24 - 1)


@pytest.fixture(scope="module")
def published(real_data) -> SeriesRecord:
    """The rows as they stand, sentinels and all."""
    with (real_data / "jena" / "weather_2020.csv").open(encoding="latin-1", newline="") as file:
        _header, *rows = csv.reader(file)
    values = np.array([row[1:15] for row in rows], np.float32)
    time = np.datetime64("2020-01-01T00:10", "ns") + np.arange(len(values)) * np.timedelta64(10, "m")
    place = np.zeros(1)
    variables = tuple(QUANTITIES[name] for name in COMMON_VARIABLES)
    return SeriesRecord(values, time, variables, "air_temperature", place, place, "as-published")


def digests(batches):
    """Of each sample, history and target to the bit; sorted, so that they compare as sets."""
    return sorted(
        hashlib.blake2b(history.tobytes() + target.tobytes(), digest_size=16).digest()
        for histories, targets in batches
        for history, target in zip(histories.numpy(), targets.numpy(), strict=True)
    )


@pytest.mark.parametrize(
    ("name", "first", "end"),
    [("train", 0, 26348), ("validation", 26348, 39522), ("test", 39522, None)],
)
def test_windows_as_published_are_those_of_keras(published, name, first, end):
    assert len(published.values) == 52696
    partition = Partition(published, SPLITS, SPEC)
    inside = partition.inside("train")
    mean, deviation = published.values[inside].mean(axis=0), published.values[inside].std(axis=0)
    scaled = (published.values - mean) / deviation
    target = published.values[:, published.target_index]

    samples = SeriesSamples(scaled, target, partition.windows(name))
    ours = digests((inputs["history"], target) for inputs, target in ordered(samples, batch_size=1024))
    dataset = keras.utils.timeseries_dataset_from_array(
        scaled[:-DELAY],
        targets=target[DELAY:],
        sampling_rate=6,
        sequence_length=120,
        shuffle=True,
        batch_size=1024,
        start_index=first,
        end_index=end,
    )
    assert len(ours) == (end or len(scaled) - DELAY) - first - 119 * 6
    assert ours == digests(dataset)

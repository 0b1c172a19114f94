"""Radar in the frame of movies: decibels, windows of what is unbroken, guards, and exclusions that stay visible."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.movie_encoder import MovieEncoder
from pipeline.errors import NotFittedError, WindowError
from pipeline.ingestion.collection import CollectionJob
from pipeline.ingestion.movies import ingest_movies
from pipeline.movies.base import MovieSet
from pipeline.movies.decibels import from_decibels, to_decibels
from pipeline.movies.partition import MoviePartition
from pipeline.movies.rungs import OpticalFlow
from pipeline.movies.windows import MovieSpec
from pipeline.sources import movie_source
from pipeline.splits import Fractions
from pipeline.store.collections import collection_summary
from tests.radar import FIRST, MISSING, SHAPE, STEP, decode_files, drifting, write_composite, write_composites

PARTS = Fractions(train=0.5, validation=0.25, test=0.25)
SPEC = MovieSpec(history=2, horizon=1, parted_by="picture", scaling="decibel")


def rain(folder: Path, count: int, *, missing: int | None = None) -> MovieSet:
    paths = write_composites(folder, drifting(count))
    if missing is not None:
        write_composite(paths[missing], np.full(SHAPE, MISSING, np.uint16), FIRST + missing * STEP)
    return MovieSet.of(decode_files(paths))


@given(rate=arrays(np.float32, 5, elements=st.floats(0, 500, width=32)))
def test_decibels_are_undone(rate: np.ndarray) -> None:
    np.testing.assert_allclose(from_decibels(to_decibels(rate)), rate, rtol=1e-4, atol=1e-5)


def test_decibels_are_those_of_the_field_above_a_drizzle_and_zero_without_rain() -> None:
    heavy = np.array([10, 100], np.float32)
    np.testing.assert_allclose(to_decibels(heavy), 10 * np.log10(heavy / 0.1), atol=0.05)
    assert to_decibels(np.zeros(1, np.float32)) == 0
    assert from_decibels(np.array([-3], np.float32)) == 0
    assert np.isnan(to_decibels(np.array([np.nan], np.float32)))


def test_what_lies_below_zero_is_no_rain_and_has_no_decibels() -> None:
    with pytest.raises(NotFittedError, match=r"a rate of -1\.5 is none of rain"):
        to_decibels(np.array([2.0, np.nan, -1.5], np.float32))


def test_a_model_sees_tens_of_decibels_and_zero_where_nothing_is_known(tmp_path: Path) -> None:
    record = rain(tmp_path, 12)
    encoder = MovieEncoder.fit_on(record, SPEC, MoviePartition(record, PARTS, SPEC).windows("train"))
    seen = encoder.seen(record.values)
    unknown = np.isnan(record.values)
    assert unknown.any()
    assert not seen[unknown].any()
    np.testing.assert_allclose(
        seen[~unknown], np.log10(1 + record.values[~unknown] / 0.1), rtol=1e-5, atol=1e-6
    )
    back = encoder.decode(encoder.encode(record.values))
    np.testing.assert_allclose(back, record.values, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("missing", [2, 3])
def test_no_window_holds_a_frame_without_values_or_reaches_across_it(tmp_path: Path, missing: int) -> None:
    record = rain(tmp_path, 12, missing=missing)
    assert len(record) == 2
    windows = MoviePartition(record, PARTS, SPEC).windows("train")
    for first in windows.first:
        times = record.time[first : first + windows.length].astype("datetime64[s]")
        assert (np.diff(times) == STEP).all()
        assert FIRST + missing * STEP not in times


def test_history_and_horizon_longer_than_any_stretch_are_refused(tmp_path: Path) -> None:
    record = rain(tmp_path, 11, missing=5)
    spec = SPEC.model_copy(update={"history": 4, "horizon": 2})
    with pytest.raises(WindowError, match="as long as a window of 6 pictures; the longest has 5"):
        MoviePartition(record, PARTS, spec).windows("train")


@pytest.mark.parametrize("guard", [None, 0, 1, 4])
def test_a_guard_keeps_the_splits_apart(tmp_path: Path, guard: int | None) -> None:
    record = rain(tmp_path, 40)
    spec = SPEC.model_copy(update={"guard": guard})
    runs = MoviePartition(record, PARTS, spec).runs
    gap = spec.length if guard is None else guard
    assert runs["validation"][0].start - runs["train"][-1].stop == gap
    assert runs["test"][0].start - runs["validation"][-1].stop == gap


def test_optical_flow_follows_drifting_rain_better_than_persistence(tmp_path: Path) -> None:
    record = rain(tmp_path, 12)
    windows = MoviePartition(record, PARTS, SPEC).windows("train")
    history, truth = windows.pictures(record.values, 0, 2), windows.pictures(record.values, 2, 3)
    forecast = OpticalFlow().fit(record, windows).predict(history, 1)
    assert forecast.shape == truth.shape
    assert np.isfinite(forecast).all()
    known = np.isfinite(truth)
    apart = np.abs(forecast - truth)[known].mean()
    assert apart < 0.6 * np.abs(history[:, -1:] - truth)[known].mean()


def test_what_was_left_out_is_told_by_the_ingestion_and_kept_in_the_store(tmp_path: Path) -> None:
    paths = write_composites(tmp_path / "knmi", drifting(8))
    write_composite(paths[3], np.full(SHAPE, MISSING, np.uint16), FIRST + 3 * STEP)
    paths[6].write_bytes(b"no HDF5")
    job = CollectionJob(
        source=movie_source("knmi-radar", files=(str(tmp_path / "knmi" / "*.h5"),)),
        name="rain",
        store=tmp_path / "store",
        cache=tmp_path / "cache",
        policy=None,
    )
    told = ingest_movies(job)
    assert (told.movies, told.pictures) == (3, 6)
    assert told.excluded == {"structure": 1, "no-values": 1}
    assert any("1 no-values" in line and "1 structure" in line for line in told.lines)
    summary = collection_summary(tmp_path / "store")
    assert summary is not None
    kept = {each.file: each.check for each in summary.exclusions}
    assert kept == {paths[3].name: "no-values", paths[6].name: "structure"}
    assert ingest_movies(job).snapshot is None

"""Measures of rain: as they are defined, as `scores` has them, and in sums that add up."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import uniform_filter
from scores.spatial import fss_2d

from pipeline.evaluation.precipitation import SCALES, THRESHOLDS, Events, Fractions

SHAPE = (3, 2, 9, 11)
RAIN = st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 9.0])
pictures = arrays(np.float32, SHAPE, elements=st.one_of(RAIN, RAIN, st.just(np.nan)))


def summed(group, forecast: np.ndarray, truth: np.ndarray) -> dict[str, np.ndarray]:
    """Measures (lead, …) over all windows."""
    return group.measures(
        {name: each.sum(axis=0) for name, each in group.statistics(forecast, truth).items()}
    )


@given(forecast=pictures, truth=pictures)
@settings(max_examples=25, deadline=None)
def test_events_are_counted_by_the_definition(forecast: np.ndarray, truth: np.ndarray) -> None:
    found = summed(Events(), forecast, truth)
    for lead in range(SHAPE[1]):
        for at, threshold in enumerate(THRESHOLDS):
            hits = misses = alarms = 0
            for said, was in zip(forecast[:, lead].flat, truth[:, lead].flat, strict=True):
                if np.isnan(said) or np.isnan(was):
                    continue
                hits += said >= threshold and was >= threshold
                misses += said < threshold <= was
                alarms += was < threshold <= said
            expected = {
                "csi": (hits, hits + misses + alarms),
                "pod": (hits, hits + misses),
                "far": (alarms, hits + alarms),
            }
            for name, (above, below) in expected.items():
                got = found[name][lead, at]
                assert np.isnan(got) if not below else got == pytest.approx(above / below)


@given(forecast=pictures, truth=pictures)
@settings(max_examples=15, deadline=None)
def test_fractions_are_those_of_scores_and_of_a_moving_mean(forecast: np.ndarray, truth: np.ndarray) -> None:
    found = summed(Fractions(), forecast, truth)["fss"]
    known = np.isfinite(forecast) & np.isfinite(truth)
    said, was = (np.where(known, each, 0.0) for each in (forecast, truth))
    dims = ("window", "lead", "y", "x")
    for at, threshold in enumerate(THRESHOLDS):
        for place, scale in enumerate(SCALES):
            side = int(scale)
            if side > min(SHAPE[2:]):
                assert np.isnan(found[:, at, place]).all()
                continue
            library = fss_2d(
                xr.DataArray(said, dims=dims),
                xr.DataArray(was, dims=dims),
                event_threshold=threshold,
                window_size=(side, side),
                spatial_dims=("y", "x"),
                zero_padding=True,
                preserve_dims=["lead"],
                threshold_operator=np.greater_equal,
            )
            expected, some = moving_mean_fss(said >= threshold, was >= threshold, side)
            np.testing.assert_allclose(found[some, at, place], library.values[some], atol=1e-12)
            np.testing.assert_allclose(found[some, at, place], expected[some], atol=1e-9)
            assert np.isnan(found[~some, at, place]).all()


def moving_mean_fss(said: np.ndarray, was: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """By lead, of neighbourhoods about all cells and those just beyond the far edges; and where it is defined."""
    rows, columns = said.shape[2:]
    margin = ((0, 0), (0, 0), (side, side), (side, side))
    near = np.s_[:, :, side : side + rows + 1, side : side + columns + 1]
    share = [
        uniform_filter(np.pad(each.astype(float), margin), (0, 0, side, side))[near] for each in (said, was)
    ]
    below = (share[0] ** 2 + share[1] ** 2).sum(axis=(0, 2, 3))
    some = below > 1e-9
    apart = ((share[0] - share[1]) ** 2).sum(axis=(0, 2, 3))
    return 1 - apart / np.where(some, below, 1), some


@pytest.mark.parametrize("group", [Events(), Fractions()], ids=["events", "fractions"])
@given(forecast=pictures, truth=pictures)
@settings(max_examples=10, deadline=None)
def test_statistics_of_windows_are_their_own(group, forecast: np.ndarray, truth: np.ndarray) -> None:
    whole = group.statistics(forecast, truth)
    parts = [group.statistics(forecast[at : at + 1], truth[at : at + 1]) for at in range(SHAPE[0])]
    for name, each in whole.items():
        np.testing.assert_array_equal(each, np.concatenate([part[name] for part in parts]))


@given(truth=arrays(np.float32, SHAPE, elements=RAIN))
@settings(max_examples=15, deadline=None)
def test_a_perfect_forecast_has_perfect_scores(truth: np.ndarray) -> None:
    events, fractions = summed(Events(), truth, truth), summed(Fractions(), truth, truth)
    rains = np.stack([(truth >= each).any(axis=(0, 2, 3)) for each in THRESHOLDS], axis=-1)
    for name, best in (("csi", 1), ("pod", 1), ("far", 0)):
        assert np.all(events[name][rains] == best)
        assert np.isnan(events[name][~rains]).all()
    fits = [place for place, scale in enumerate(SCALES) if scale <= min(SHAPE[2:])]
    np.testing.assert_allclose(fractions["fss"][rains][:, fits], 1)


def test_a_near_miss_counts_for_nothing_in_a_cell_and_for_more_in_a_wider_neighbourhood() -> None:
    truth, forecast = np.zeros((2, 1, 1, 40, 40), np.float32)
    truth[..., 20, 20], forecast[..., 20, 22] = 3, 3
    assert summed(Events(), forecast, truth)["csi"][0].tolist()[:2] == [0, 0]
    fss = summed(Fractions(), forecast, truth)["fss"][0, 1]
    assert fss[0] == 0
    assert np.all(np.diff(fss) > 0)
    side = np.array(SCALES)
    overlap = np.maximum(side - 2, 0) / side
    np.testing.assert_allclose(fss, overlap)

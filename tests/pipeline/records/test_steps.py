"""Steps, splits and rungs of records, beside what plain loops make of the same measurements."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.records.base import Parameter, RecordSet
from pipeline.records.partition import Chosen, RecordPartition, folds
from pipeline.records.rungs import fit_logistic, ladder, summarised
from pipeline.records.steps import StepSpec, derive, described, lengths
from pipeline.splits import Fractions
from tests.icu import record_set

SERIES = (
    Parameter(name="age", long_name="age", units="a", low=0, high=120, static=True),
    Parameter(name="rate", long_name="rate", units="1", low=0, high=300),
    Parameter(name="volume", long_name="volume", units="mL", low=0, high=300, total=True),
)
SPLITS = Fractions(train=0.6, validation=0.2, test=0.2)

measurement = st.tuples(st.integers(0, 600), st.sampled_from([1, 2]), st.integers(1, 200))
record = st.tuples(st.one_of(st.none(), st.integers(1, 100)), st.lists(measurement, min_size=1, max_size=12))


def assembled(records) -> RecordSet:
    rows, offset = [], [0]
    for age, some in records:
        mine = [(0, 0, age)] if age is not None else []
        rows += mine + sorted(some, key=lambda each: each[0])
        offset.append(len(rows))
    time, parameter, value = zip(*rows, strict=True)
    return RecordSet(
        ids=tuple(map(str, range(len(records)))),
        labels=np.arange(len(records), dtype=np.int8) % 2,
        offset=np.array(offset),
        parameter=np.array(parameter, np.int16),
        time=np.array(time, np.int32),
        value=np.array(value, np.float32),
        parameters=SERIES,
    )


def step_by_step(some, spec):
    """Values, mask and time since of one record, by a loop over its steps."""

    def step_of(minute):
        return max(-(-minute // spec.step) - 1, 0) if spec.step != "events" else minute

    steps = sorted({step_of(minute) for minute, *_ in some})
    if spec.step != "events":
        steps = range(steps[-1] + 1)
    rows, last = [], {1: (np.nan, None), 2: (np.nan, None)}
    for step in steps:
        time = (step + 1) * spec.step if spec.step != "events" else step
        row = []
        for parameter in (1, 2):
            here = [value for minute, what, value in some if what == parameter and step_of(minute) == step]
            if here:
                last[parameter] = (sum(here) if parameter == 2 else sum(here) / len(here), time)
            value, seen = last[parameter]
            row.append((value, bool(here), np.inf if seen is None else time - seen))
        rows.append(row)
    return np.array(rows, float)


@settings(max_examples=60, deadline=None)
@given(
    records=st.lists(record, min_size=1, max_size=4),
    step=st.sampled_from(["events", 30, 60, 240]),
    data=st.data(),
)
def test_steps_are_those_of_a_loop(records, step, data):
    made, spec = assembled(records), StepSpec(step=step)
    chosen = np.array(data.draw(st.permutations(range(len(records)))))
    got = derive(made, spec, chosen)
    np.testing.assert_array_equal(np.diff(got.offset), lengths(made, spec)[chosen])
    for place, at in enumerate(chosen):
        expected = step_by_step(records[at][1], spec)
        span = slice(got.offset[place], got.offset[place + 1])
        np.testing.assert_allclose(got.values[span], expected[..., 0], rtol=1e-6)
        np.testing.assert_array_equal(got.mask[span], expected[..., 1])
        np.testing.assert_allclose(got.since[span], expected[..., 2])
    ages = [np.nan if age is None else age for age, _ in records]
    np.testing.assert_array_equal(described(made, chosen)[:, 0], np.array(ages, float)[chosen])
    assert got.count.sum() == sum(len(some) for _, some in records)


def test_the_last_minute_belongs_to_the_last_hour():
    made = assembled([(None, [(0, 1, 5), (60, 1, 7), (61, 1, 9), (120, 1, 11)])])
    assert derive(made, StepSpec(step=60), np.array([0])).values[:, 0].tolist() == [6, 10]


def test_a_record_without_any_series_is_refused():
    made = assembled([(50, [(0, 1, 5)])])
    bare = RecordSet(
        made.ids,
        made.labels,
        np.array([0, 1]),
        *(each[:1] for each in (made.parameter, made.time, made.value)),
        SERIES,
    )
    with pytest.raises(ConfigError, match="record 0 holds no measurement"):
        lengths(bare, StepSpec())


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("step", [60, "events"])
def test_what_a_record_holds_is_never_made_of_its_neighbours(at, step):
    """Of one without measurements nothing can be told, and the others' steps and summaries are their own."""
    some = [(50, [(30, 1, 80 + number), (90, 1, 90 + number)]) for number in range(3)]
    some[at] = (50, [])
    made = assembled(some)
    with pytest.raises(ConfigError, match=f"record {at} holds no measurement"):
        derive(made, StepSpec(step=step), np.arange(3))
    with pytest.raises(ConfigError, match=f"record {at} holds no measurement"):
        summarised(made, Chosen(np.arange(3)))
    others = np.array([each for each in range(3) if each != at])
    means = summarised(made, Chosen(others))["mean"][:, 0]
    np.testing.assert_array_equal(means, 85 + others)


@pytest.fixture(scope="module")
def records(tmp_path_factory) -> RecordSet:
    return record_set(tmp_path_factory.mktemp("icu"), 90)


def test_splits_part_the_records_class_by_class(records):
    parted = RecordPartition(records, SPLITS, StepSpec())
    parts = [parted.windows(name).records for name in ("train", "validation", "test")]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(len(records)))
    for label in (0, 1):
        many = int((records.labels == label).sum())
        counts = [int((records.labels[part] == label).sum()) for part in parts]
        assert np.abs(np.array(counts) - np.array([0.6, 0.2, 0.2]) * many).max() <= 1


def test_the_split_of_a_record_hangs_on_its_name_and_the_seed_alone(records):
    """Files that come in another order change nothing."""
    turned = np.arange(len(records))[::-1]
    at = np.concatenate([np.arange(*records.offset[each : each + 2]) for each in turned])
    sizes = np.diff(records.offset)[turned]
    other = RecordSet(
        tuple(records.ids[each] for each in turned), records.labels[turned], np.concatenate([[0], np.cumsum(sizes)]),
        records.parameter[at], records.time[at], records.value[at], records.parameters,
    )  # fmt: skip

    def names(some, seed):
        chosen = RecordPartition(some, SPLITS, StepSpec(split_seed=seed)).windows("test").records
        return {some.ids[each] for each in chosen}

    assert names(records, 0) == names(other, 0)
    assert names(records, 0) != names(records, 1)


def test_folds_part_the_records_evenly(records):
    found = folds(records, 5, 3)
    np.testing.assert_array_equal(
        np.sort(np.concatenate([each.records for each in found])), np.arange(len(records))
    )
    for label in (0, 1):
        counts = [int((records.labels[each.records] == label).sum()) for each in found]
        assert max(counts) - min(counts) <= 1
    with pytest.raises(ConfigError, match="folds need as many"):
        folds(records, 80, 0)


def test_a_split_without_both_classes_is_refused(records):
    few = Fractions(train=0.98, validation=0.01, test=0.01)
    with pytest.raises(ConfigError, match="not of both classes"):
        RecordPartition(records, few, StepSpec()).windows("test")


def test_the_ladder_is_fitted_on_training_records_alone(records):
    parted = RecordPartition(records, SPLITS, StepSpec())
    train, test = parted.windows("train"), parted.windows("test")
    moved = RecordSet(
        records.ids, records.labels, records.offset, records.parameter, records.time, records.value.copy(),
        records.parameters,
    )  # fmt: skip
    for at in test.records:
        moved.value[records.offset[at] : records.offset[at + 1]] *= 1.3
    for name, rung in ladder().items():
        here = rung.fit(records, train).predict(records, train)
        there = ladder()[name].fit(moved, train).predict(records, train)
        np.testing.assert_array_equal(here, there)
        assert ((here > 0) & (here < 1)).all()


def test_the_logistic_regression_is_at_its_least_loss():
    """Where a step in any direction loses, at a penalty; with none its mean probability is the share."""
    rng = np.random.default_rng(0)
    given_, label = rng.normal(size=(200, 3)), (rng.random(200) < 0.3).astype(float)

    def loss(weights, penalty):
        score = given_ @ weights[:-1] + weights[-1]
        return np.logaddexp(0, score).sum() - label @ score + penalty / 2 * weights[:-1] @ weights[:-1]

    weights = fit_logistic(given_, label, 5.0)
    for step in np.concatenate([np.eye(4), -np.eye(4)]) * 0.01:
        assert loss(weights + step, 5.0) > loss(weights, 5.0)
    free = fit_logistic(given_, label, 0.0)
    np.testing.assert_allclose(
        (1 / (1 + np.exp(-(given_ @ free[:-1] + free[-1])))).mean(), label.mean(), atol=1e-4
    )


def test_summaries_are_those_of_the_measurements():
    made = assembled([(None, [(5, 1, 4), (7, 1, 8), (9, 1, 6)]), (40, [(5, 2, 3)])])
    found = summarised(made, Chosen(np.array([0, 1])))
    assert [found[name][0, 0] for name in ("last", "mean", "least", "greatest", "measured")] == [
        6,
        6,
        4,
        8,
        1,
    ]
    assert np.isnan(found["last"][0, 1])
    assert found["measured"][1].tolist() == [0, 1]
    assert found["descriptors"][1].tolist() == [40]

"""Models of records: features, buckets, masks; padding changes nothing, and a small set is learned."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from models import training
from models.base import RecordShape, build_of, config_of
from models.checkpoints import Checkpoints
from models.classifying import probabilities
from models.datasets import epoch, ordered
from models.losses import CrossEntropy
from models.order import Buckets, bucket_bounds
from models.record_encoder import RecordEncoder
from models.record_samples import padded
from models.recurrent import GRU, LSTM, SimpleRNN
from models.specs import TrainingSpec
from models.training import train
from pipeline.errors import NotFittedError
from pipeline.evaluation.classification import auc
from pipeline.records.partition import Chosen, RecordPartition
from pipeline.records.steps import StepSpec, derive
from pipeline.splits import Fractions
from tests.icu import record_set
from tests.killing import require_resumed_alike

PEERS = {LSTM: keras.layers.LSTM, GRU: keras.layers.GRU, SimpleRNN: keras.layers.SimpleRNN}
SPLITS = Fractions(train=0.5, validation=0.2, test=0.3)


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return record_set(tmp_path_factory.mktemp("icu"), 150, shortest=6)


def encoder_of(records, **spec):
    spec = StepSpec(**spec)
    chosen = RecordPartition(records, SPLITS, spec).windows("train")
    return RecordEncoder.fit_on(records, spec, chosen), chosen


def random(*shape, seed=0, scale=1.0):
    return np.random.default_rng(seed).normal(scale=scale, size=shape).astype(np.float32)


@pytest.mark.parametrize("kind", PEERS, ids=lambda kind: kind.__name__)
@settings(max_examples=6, deadline=None)
@given(sequences=st.booleans(), backwards=st.booleans(), seed=st.integers(0, 99), traced=st.booleans())
def test_steps_that_are_not_present_are_those_that_keras_masks(kind, sequences, backwards, seed, traced):
    rng = np.random.default_rng(seed)
    inputs, present = random(3, 5, 2, seed=seed), rng.random((3, 5)) < 0.6
    options = {"return_sequences": sequences, "go_backwards": backwards}
    ours, theirs = kind(4, **options), PEERS[kind](4, **options)
    ours(inputs), theirs(inputs)
    ours.set_weights([random(*each.shape, seed=1, scale=0.5) for each in theirs.get_weights()])
    theirs.set_weights(ours.get_weights())

    def gradients(layer, name):
        def run(given, taken):
            with tf.GradientTape() as tape:
                tape.watch(given)
                output = layer(given, **{name: taken})
                loss = tf.reduce_sum(output * random(*output.shape, seed=2)[: output.shape[0]])
            return output, *tape.gradient(loss, [given, *layer.trainable_variables])

        return [each.numpy() for each in run(tf.constant(inputs), tf.constant(present))]

    for got, expected in zip(gradients(ours, "present"), gradients(theirs, "mask"), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-5)


@pytest.mark.parametrize("alignment", ["end", "start"])
@settings(max_examples=12, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 7), min_size=1, max_size=5),
    more=st.integers(1, 9),
    balanced=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_more_padding_changes_neither_prediction_nor_gradient(alignment, sizes, more, balanced, seed):
    """To 1e-6, of the model as it is trained, with dropout off."""
    features = random(sum(sizes), 6, seed=seed)
    offset = np.concatenate([[0], np.cumsum(sizes)])
    chosen = np.arange(len(sizes))
    label = (np.arange(len(sizes)) % 2).astype(np.float32)[:, None]
    keras.utils.set_random_seed(seed)
    model = build_of("lstm_classifier")(config_of("lstm_classifier")(units=4, members=2), RecordShape(6))
    loss = CrossEntropy((0.6, 3.0) if balanced else (1.0, 1.0))

    def outcome(length):
        inputs = padded(features, offset, chosen, length, alignment)
        with tf.GradientTape() as tape:
            odds = model(dict(zip(("steps", "present", "asked"), inputs, strict=True)))
            value = loss(label, odds)
        return [odds.numpy(), *(each.numpy() for each in tape.gradient(value, model.trainable_variables))]

    for one, other in zip(outcome(max(sizes)), outcome(max(sizes) + more), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)


def test_what_lies_in_the_padding_is_not_seen():
    """Not even a value that is no number's neighbour: what is padded is zero, and what is zero is not taken."""
    features, offset = random(5, 3), np.array([0, 2, 5])
    steps, present, asked = padded(features, offset, np.array([0, 1]), 4, "end")
    np.testing.assert_array_equal(steps[0, 2:], features[:2])
    np.testing.assert_array_equal(steps[1, 1:], features[2:])
    assert present.tolist() == [[0, 0, 1, 1], [0, 1, 1, 1]]
    assert asked.tolist() == [[0, 0, 0, 1], [0, 0, 0, 1]]
    steps, present, asked = padded(features, offset, np.array([0, 1]), 4, "start")
    np.testing.assert_array_equal(steps[0, :2], features[:2])
    assert present.tolist() == [[1, 1, 0, 0], [1, 1, 1, 0]]
    assert asked.tolist() == [[0, 1, 0, 0], [0, 0, 1, 0]]


@given(lengths=st.lists(st.integers(1, 300), min_size=1, max_size=80), padding=st.floats(0.01, 0.5))
def test_buckets_keep_padding_below_what_is_allowed(lengths, padding):
    found = np.array(lengths)
    bounds = bucket_bounds(found, padding)
    assert bounds[-1] == found.max()
    assert np.all(np.diff(bounds) > 0)
    to = bounds[np.searchsorted(bounds, found)]
    assert 1 - found.sum() / to.sum() <= padding + 1e-12


@given(
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=120),
    batch_size=st.integers(1, 16),
    exact=st.booleans(),
    seed=st.integers(0, 9),
)
def test_every_sample_is_in_one_batch_and_all_but_the_last_are_whole(lengths, batch_size, exact, seed):
    found = np.array(lengths)
    buckets = Buckets.of_equal(found) if exact else Buckets.within(found, 0.1)
    order = np.random.default_rng(seed).permutation(len(found))
    batches = [samples for ((_, samples),) in buckets.batches(order, batch_size)]
    np.testing.assert_array_equal(np.sort(np.concatenate(batches)), np.arange(len(found)))
    assert all(len(samples) <= batch_size for samples in batches)
    if exact:
        assert all(len(set(found[samples])) == 1 for samples in batches)
        assert buckets.padding(batch_size) == 0
    else:
        assert sum(len(samples) < batch_size for samples in batches) <= 1


@pytest.mark.parametrize("step", [60, "events"])
def test_padding_is_under_a_fifth_of_what_is_computed(records, step):
    encoder, chosen = encoder_of(records, step=step)
    samples = encoder.samples(records, chosen)
    assert samples.buckets.padding(8) < 0.2
    batches = list(epoch(samples, batch_size=8, seed=1, number=1))
    present = sum(float(tf.reduce_sum(inputs["present"])) for inputs, _ in batches)
    computed = sum(int(tf.size(inputs["present"])) for inputs, _ in batches)
    assert 1 - present / computed < 0.2


def test_an_epoch_has_every_record_in_an_order_of_its_seed_and_number(records):
    encoder, chosen = encoder_of(records)
    samples = encoder.samples(records, chosen)

    def told(**drawn):
        batches = list(epoch(samples, batch_size=8, **drawn))
        return [inputs["steps"].numpy().tobytes() for inputs, _ in batches], batches

    first, batches = told(seed=1, number=1)
    assert first == told(seed=1, number=1)[0]
    assert first != told(seed=1, number=2)[0]
    assert first[3:] == told(seed=1, number=1, skip=3)[0]
    labels = np.concatenate([label.numpy()[:, 0] for _, label in batches])
    assert (len(labels), labels.sum()) == (len(chosen), records.labels[chosen.records].sum())


def test_there_are_86_features_of_an_hour(records):
    encoder, chosen = encoder_of(records)
    assert encoder.shape == RecordShape(86)
    offset, features = encoder.features(records, chosen.records)
    assert features.shape == (offset[-1], 86)
    steps = derive(records, encoder.spec, chosen.records)
    np.testing.assert_array_equal(features[:, 37:74] == 1, steps.mask)
    np.testing.assert_array_equal(features[:, 37:74] == 0, np.isinf(steps.since))
    rate = [records.parameters[at].name for at in records.series].index("HR")
    measured = features[:, rate][steps.mask[:, rate]]
    np.testing.assert_allclose([measured.mean(), measured.std()], [0, 1], atol=0.02)
    assert np.abs(features).max() <= 4


def test_scaling_is_fitted_on_training_records_alone(records):
    encoder, chosen = encoder_of(records)
    moved = type(records)(
        records.ids, records.labels, records.offset, records.parameter, records.time, records.value * 1.0,
        records.parameters,
    )  # fmt: skip
    for at in np.setdiff1d(np.arange(len(records)), chosen.records):
        moved.value[records.offset[at] : records.offset[at + 1]] += 5
    assert RecordEncoder.fit_on(moved, encoder.spec, chosen).sha256 == encoder.sha256
    assert RecordEncoder.fit_on(moved, encoder.spec, Chosen(np.arange(len(records)))).sha256 != encoder.sha256


def test_what_was_fitted_is_kept_and_other_parameters_are_refused(records, tmp_path):
    encoder, chosen = encoder_of(records)
    encoder.save(tmp_path)
    assert RecordEncoder.load(tmp_path, encoder.spec).sha256 == encoder.sha256
    other = type(records)(
        records.ids, records.labels, records.offset, records.parameter, records.time, records.value,
        tuple(each.model_copy(update={"name": each.name.lower()}) for each in records.parameters),
    )  # fmt: skip
    with pytest.raises(NotFittedError, match="other parameters"):
        encoder.samples(other, chosen)


def test_balanced_classes_weigh_the_same():
    label = np.array([1] * 2 + [0] * 8, np.float32)[:, None]
    odds = np.zeros((10, 1), np.float32)
    each = np.asarray(CrossEntropy((0.5 / 0.8, 0.5 / 0.2)).call(label, odds))
    np.testing.assert_allclose(each[:2].sum(), each[2:].sum(), rtol=1e-6)
    np.testing.assert_allclose(each.mean(), np.log(2), rtol=1e-6)
    peer = keras.losses.BinaryCrossentropy(from_logits=True)
    odds = random(10, 1)
    np.testing.assert_allclose(CrossEntropy()(label, odds), peer(label, odds), rtol=1e-5)


@pytest.mark.parametrize("alignment", ["end", "equal"])
def test_the_learning_rate_falls_to_zero_over_all_batches_of_sequences(records, tmp_path, alignment):
    encoder, chosen = encoder_of(records, step=240, alignment=alignment)
    samples = encoder.samples(records, chosen)
    spec = TrainingSpec(epochs=5, batch_size=8, patience=5, loss="cross-entropy", precision="float32")
    config = config_of("lstm_classifier")(units=3, members=1)
    done = train("lstm_classifier", config, spec, samples, samples, Checkpoints(tmp_path / "t"))
    rates = [each["learning_rate"] for each in done.history]
    assert rates[-1] < 1e-6 * spec.learning_rate
    # By half a cosine, a fifth of the course is left before the last epoch.
    assert rates[-2] == pytest.approx(spec.learning_rate * (1 - np.cos(np.pi / 4.5)) / 2, rel=0.1)


@pytest.mark.parametrize("alignment", ["end", "equal"])
def test_a_training_that_was_killed_ends_as_one_that_was_not(records, tmp_path, monkeypatch, alignment):
    monkeypatch.setattr(training, "KEPT_EVERY", 0)
    encoder, chosen = encoder_of(records, step=240, alignment=alignment)
    samples = encoder.samples(records, chosen)
    spec = TrainingSpec(epochs=2, batch_size=8, loss="cross-entropy", seed=2, precision="float32")

    def of(folder, progress):
        config = config_of("lstm_classifier")(units=3, members=1)
        return train("lstm_classifier", config, spec, samples, samples, Checkpoints(folder), progress)

    require_resumed_alike(of, tmp_path, "epoch 2, batch 7")


@pytest.mark.parametrize("alignment", ["end", "start", "equal"])
def test_a_small_set_is_learned_however_it_is_aligned(records, tmp_path, alignment):
    encoder, chosen = encoder_of(records, step=720, alignment=alignment)
    parted = RecordPartition(records, SPLITS, encoder.spec)
    validation, test = parted.windows("validation"), parted.windows("test")
    done = train(
        "lstm_classifier",
        config_of("lstm_classifier")(units=8, members=1, input_dropout=0, dropout=0),
        TrainingSpec(
            loss="balanced-cross-entropy",
            epochs=12,
            batch_size=8,
            learning_rate=0.02,
            patience=12,
            averaged=False,
        ),
        encoder.samples(records, chosen),
        encoder.samples(records, validation),
        Checkpoints(tmp_path / "checkpoints"),
    )
    given_ = probabilities(done.model, encoder, records, test)
    assert auc(records.labels[test.records], given_) > 0.75
    batches = ordered(encoder.samples(records, test), batch_size=7)
    assert sum(len(label) for _, label in batches) == len(test)

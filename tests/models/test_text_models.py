"""Models of texts: padding changes nothing, the vocabulary is that of training, and a small set is learned."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from models import TEXT_MODELS
from models.base import TextShape, build_of, config_of
from models.checkpoints import Checkpoints
from models.classifying import probabilities
from models.datasets import epoch, ordered
from models.layers import Embedded, MaximumOfRuns
from models.losses import Accuracy
from models.specs import TrainingSpec
from models.text_encoder import VOCABULARY, TextEncoder
from models.text_samples import padded
from models.training import train
from pipeline.evaluation.decisions import decisions
from pipeline.records.partition import RecordPartition
from pipeline.records.words import PADDING, UNKNOWN, WordSpec, cut_words
from pipeline.splits import Fractions
from tests.reviews import text_set

SPLITS = Fractions(train=0.7, validation=0.3, test="published")
SMALL = {"embedding": 3, "units": 4}
SHAPE = TextShape(vocabulary=9)
every_model = pytest.mark.parametrize("name", TEXT_MODELS)


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    return text_set(tmp_path_factory.mktemp("reviews"), 160, 80)


def parted(reviews, spec):
    return RecordPartition(reviews, SPLITS, spec)


def encoder_of(reviews, **changes):
    spec = WordSpec(**{"vocabulary": 18, "length": 12, **changes})
    return TextEncoder.fit_on(reviews, spec, parted(reviews, spec).windows("train"))


@pytest.fixture(scope="module", params=TEXT_MODELS)
def model(request):
    built = build_of(request.param)(config_of(request.param)(**SMALL), SHAPE)
    rng = np.random.default_rng(7)
    built.set_weights([rng.normal(scale=0.5, size=weight.shape) for weight in built.get_weights()])
    return built


@settings(max_examples=15)
@given(
    sequence=st.lists(st.integers(1, SHAPE.vocabulary - 1), min_size=1, max_size=9),
    padding=st.integers(0, 9),
    company=st.lists(st.integers(1, SHAPE.vocabulary - 1), min_size=1, max_size=18),
)
def test_padding_and_company_change_no_result(model, sequence, padding, company):
    alone = np.asarray(model({"words": np.array([sequence], np.int32)}))
    length = max(len(sequence) + padding, len(company))
    batch = np.zeros((2, length), np.int32)
    batch[0, length - len(sequence) :] = sequence
    batch[1, length - len(company) :] = company
    np.testing.assert_allclose(np.asarray(model({"words": batch}))[:1], alone, rtol=1e-5, atol=1e-6)


def test_padding_changes_no_gradient(model):
    words = np.array([[3, 4, 1, 8, 2]], np.int32)

    def gradients(given_):
        with tf.GradientTape() as tape:
            odds = model({"words": given_})
        return [
            np.asarray(tf.convert_to_tensor(each)) for each in tape.gradient(odds, model.trainable_variables)
        ]

    for one, other in zip(gradients(words), gradients(np.pad(words, ((0, 0), (6, 0)))), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@given(length=st.integers(1, 11), size=st.integers(1, 4), before=st.integers(0, 6), seed=st.integers(0, 3))
@settings(max_examples=25)
def test_runs_are_counted_from_the_last_step(length, size, before, seed):
    rng = np.random.default_rng(seed)
    steps = rng.random((1, length, 2)).astype(np.float32)
    shown = np.pad(steps, ((0, 0), (before, 0), (0, 0)), constant_values=5)
    present = np.pad(np.ones((1, length), np.float32), ((0, 0), (before, 0)))
    maxima, known = MaximumOfRuns(size)(shown, present)
    runs = [steps[0, max(end - size, 0) : end].max(axis=0) for end in range(length, 0, -size)][::-1]
    np.testing.assert_array_equal(np.asarray(maxima)[0, -len(runs) :], runs)
    np.testing.assert_array_equal(np.asarray(known)[0], [0] * (known.shape[1] - len(runs)) + [1] * len(runs))
    assert maxima.shape[1] == -(-(length + before) // size)


def test_the_vector_of_padding_is_zero_and_the_others_are_their_own():
    layer = Embedded(4, 3)
    vectors, present = layer(np.array([[0, 0, 2, 3]]))
    np.testing.assert_array_equal(present, [[0, 0, 1, 1]])
    expected = np.concatenate([np.zeros((2, 3)), np.asarray(layer.vectors)[2:]])
    np.testing.assert_array_equal(np.asarray(vectors)[0], expected)


def test_words_keep_their_numbers_in_mixed_precision():
    """A number beyond 256 would be another in bfloat16."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        made = build_of("text_lstm")(config_of("text_lstm")(**SMALL), TextShape(4000))
    finally:
        keras.config.set_dtype_policy(before)
    one, other = (np.asarray(made({"words": np.array([[number]], np.int32)})) for number in (3001, 3002))
    assert one.dtype == np.float32
    assert one[0, 0] != other[0, 0]


def test_the_vocabulary_is_fitted_on_training_texts_alone_and_kept(reviews, tmp_path):
    encoder = encoder_of(reviews)
    chosen = parted(reviews, encoder.spec).windows("train").records
    kept = set(chosen.tolist())
    changed = replace(
        reviews, texts=tuple(t if at in kept else "zz yy" for at, t in enumerate(reviews.texts))
    )
    assert encoder_of(changed).sha256 == encoder.sha256
    other = replace(reviews, texts=tuple("zz yy" if at in kept else t for at, t in enumerate(reviews.texts)))
    assert encoder_of(other).sha256 != encoder.sha256
    encoder.save(tmp_path)
    assert TextEncoder.load(tmp_path, encoder.spec) == encoder
    assert (tmp_path / VOCABULARY).read_text().split("\n")[0] == encoder.vocabulary.words[0]


def test_the_last_words_are_read(reviews):
    encoder = encoder_of(reviews)
    everyone = np.array([9, 2, 30])
    offset, words = encoder.words(reviews, everyone)
    for number, at in enumerate(everyone):
        mine = encoder.vocabulary.decode(words[offset[number] : offset[number + 1]].tolist())
        last = cut_words(reviews.texts[at])[-12:]
        assert mine == [word if word in encoder.vocabulary.words else "?" for word in last]


def test_a_text_without_a_word_is_one_unknown_word(reviews):
    encoder = encoder_of(reviews)
    empty = replace(reviews, texts=("", *reviews.texts[1:]))
    offset, words = encoder.words(empty, np.array([0]))
    assert (offset.tolist(), words.tolist()) == ([0, 1], [UNKNOWN])


@given(lengths=st.lists(st.integers(1, 7), min_size=1, max_size=8), extra=st.integers(0, 5), data=st.data())
def test_each_sequence_lies_at_the_end(lengths, extra, data):
    offset = np.cumsum([0, *lengths])
    numbers = np.arange(1, offset[-1] + 1, dtype=np.int32)
    chosen = np.array(data.draw(st.lists(st.integers(0, len(lengths) - 1), min_size=1, unique=True)))
    length = max(lengths[at] for at in chosen) + extra
    found = padded(numbers, offset, chosen, length)
    for row, at in zip(found, chosen, strict=True):
        mine = numbers[offset[at] : offset[at + 1]]
        np.testing.assert_array_equal(row, [PADDING] * (length - len(mine)) + mine.tolist())


def test_an_epoch_has_every_text_and_little_padding(reviews):
    encoder = encoder_of(reviews, length=40)
    samples = encoder.samples(reviews, parted(reviews, encoder.spec).windows("train"))
    assert samples.buckets.padding(16) < 0.2
    batches = list(epoch(samples, batch_size=16, seed=1, number=1))
    assert all(inputs["words"].dtype == tf.int32 for inputs, _ in batches)
    labels = np.concatenate([label.numpy()[:, 0] for _, label in batches])
    assert (len(labels), labels.sum()) == (112, 56)
    assert sum(int(tf.math.count_nonzero(inputs["words"])) for inputs, _ in batches) == len(samples.numbers)
    assert samples.class_weights == (1.0, 1.0)


@every_model
def test_a_small_set_is_learned(reviews, tmp_path, name):
    encoder = encoder_of(reviews, length=20)
    windows = {
        split: parted(reviews, encoder.spec).windows(split) for split in ("train", "validation", "test")
    }
    done = train(
        name,
        config_of(name)(embedding=8, units=16),
        TrainingSpec(
            loss="cross-entropy",
            epochs=12,
            batch_size=16,
            learning_rate=0.02,
            patience=12,
            averaged=False,
            schedule="constant",
        ),
        encoder.samples(reviews, windows["train"]),
        encoder.samples(reviews, windows["validation"]),
        Checkpoints(tmp_path / "checkpoints"),
    )
    found = probabilities(done.model, encoder, reviews, windows["test"])
    assert decisions(reviews.labels[windows["test"].records], found)["accuracy"] > 0.8
    assert done.history[-1]["accuracy"] > 0.8
    best = done.history[done.best_epoch - 1]
    validation = probabilities(done.model, encoder, reviews, windows["validation"])
    label = reviews.labels[windows["validation"].records]
    assert best["validation_accuracy"] == pytest.approx(decisions(label, validation)["accuracy"], abs=1e-6)
    assert (
        sum(len(each) for _, each in ordered(encoder.samples(reviews, windows["test"]), batch_size=7)) == 80
    )


def test_accuracy_is_averaged_over_the_members():
    metric = Accuracy()
    metric.update_state(np.array([[1.0], [0.0]]), np.array([[2.0, -1.0], [-3.0, -0.1]]))
    metric.update_state(np.array([[0.0]]), np.array([[0.0, -1.0]]))
    assert float(metric.result()) == pytest.approx(np.mean([1, 0, 1, 1, 0, 1]))

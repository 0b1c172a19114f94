"""Texts cut into words, their vocabulary, their splits and their ladder."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.special import expit

from pipeline.errors import ConfigError, NotFittedError
from pipeline.evaluation.classification import auc
from pipeline.records.partition import Chosen, RecordPartition
from pipeline.records.rungs import Prevalence
from pipeline.records.text_rungs import BagOfWords, present
from pipeline.records.texts import TextSet
from pipeline.records.words import (
    FIRST,
    PADDING,
    UNKNOWN,
    Lexicon,
    Vocabulary,
    WordSpec,
    cut_words,
    has_words,
)
from pipeline.splits import Fractions
from tests.icu import record_set
from tests.reviews import text_set

PUBLISHED = Fractions(train=0.7, validation=0.3, test="published")
words = st.sampled_from(["a", "b", "c", "dé", "it's"])
texts = st.lists(st.lists(words, max_size=8).map(" ".join), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> TextSet:
    return text_set(tmp_path_factory.mktemp("reviews"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A film, and WHAT a film!", ["a", "film", "and", "what", "a", "film"]),
        ("It's O’Hara's<br /><br/>first 10/10", ["it's", "o'hara's", "first", "10", "10"]),
        ("'quoted' naïve Élan 日本", ["quoted", "naïve", "élan", "日本"]),
        ("snake_case & --- 'n'", ["snake", "case", "n"]),
        ("<BR> ... <br >", []),
        ("", []),
    ],
)
def test_words_are_letters_and_digits_with_apostrophes_within(text: str, expected: list[str]) -> None:
    assert cut_words(text) == expected
    assert has_words(text) == bool(expected)


@given(st.text())
def test_a_word_is_cut_into_itself(text: str) -> None:
    for word in cut_words(text):
        assert cut_words(word) == [word]
        assert word.strip()
        assert "\n" not in word
    assert has_words(text) == bool(cut_words(text))


@given(texts=texts, count=st.integers(1, 6), data=st.data())
def test_a_vocabulary_has_the_most_frequent_words_of_the_chosen_texts_alone(
    texts: list[str], count: int, data: st.DataObject
) -> None:
    chosen = np.array(sorted(data.draw(st.sets(st.integers(0, len(texts) - 1), min_size=1))))
    many = Counter(word for at in chosen for word in cut_words(texts[at]))
    lexicon = Lexicon.of(texts)
    if not many:
        with pytest.raises(NotFittedError, match="hold no word"):
            Vocabulary.fit(lexicon, chosen, count)
        return
    found = Vocabulary.fit(lexicon, chosen, count)
    assert list(found.words) == sorted(many, key=lambda word: (-many[word], word))[:count]
    others = [text if at in chosen else "b b b zz zz" for at, text in enumerate(texts)]
    assert Vocabulary.fit(Lexicon.of(others), chosen, count) == found


@given(texts=texts)
def test_what_is_encoded_is_decoded_but_for_what_is_not_known(texts: list[str]) -> None:
    lexicon = Lexicon.of([*texts, "a"])
    vocabulary = Vocabulary(("a", "dé"))
    numbers = vocabulary.encode(lexicon)
    assert vocabulary.size == FIRST + 2
    assert PADDING not in numbers
    for at, text in enumerate([*texts, "a"]):
        mine = numbers[lexicon.offset[at] : lexicon.offset[at + 1]]
        expected = [word if word in ("a", "dé") else "?" for word in cut_words(text)]
        assert vocabulary.decode([PADDING, *mine.tolist()]) == expected
        assert ((mine == UNKNOWN) == (np.array(expected) == "?")).all()


def test_the_words_of_some_texts_are_found_in_any_order() -> None:
    lexicon = Lexicon.of(["a b", "", "c a c"])
    at, of = lexicon.of_texts(np.array([2, 1, 0]))
    assert [lexicon.words[each] for each in lexicon.place[at]] == ["c", "a", "c", "a", "b"]
    assert of.tolist() == [0, 0, 0, 2, 2]


def test_what_was_published_for_test_is_test_and_the_rest_is_dealt(reviews: TextSet) -> None:
    parted = RecordPartition(reviews, PUBLISHED, WordSpec())
    train, validation, test = (parted.windows(name).records for name in ("train", "validation", "test"))
    assert np.array_equal(test, np.flatnonzero(reviews.published))
    assert np.array_equal(np.sort(np.concatenate([train, validation, test])), np.arange(len(reviews)))
    assert (len(train), reviews.labels[train].sum()) == (56, 28)
    assert (len(validation), reviews.labels[validation].sum()) == (24, 12)
    order = np.random.default_rng(1).permutation(len(reviews))
    mixed = TextSet(
        tuple(reviews.ids[at] for at in order),
        reviews.labels[order],
        tuple(reviews.texts[at] for at in order),
        reviews.published[order],
    )
    again = RecordPartition(mixed, PUBLISHED, WordSpec()).windows("train").records
    assert {mixed.ids[at] for at in again} == {reviews.ids[at] for at in train}
    other = RecordPartition(reviews, PUBLISHED, WordSpec(split_seed=1)).windows("train").records
    assert set(other) != set(train)


def test_test_may_be_a_part_of_all_texts(reviews: TextSet) -> None:
    parted = RecordPartition(reviews, Fractions(train=0.5, validation=0.25, test=0.25), WordSpec())
    assert len(parted.windows("test")) == 30


def test_nothing_that_was_published_for_test_is_refused(reviews: TextSet, tmp_path: Path) -> None:
    without = replace(reviews, published=np.zeros(len(reviews), np.int8))
    for records in (without, record_set(tmp_path, 20)):
        with pytest.raises(ConfigError, match="none of the records was published for test"):
            RecordPartition(records, PUBLISHED, WordSpec()).windows("test")


@pytest.mark.parametrize("parts", [{"train": 0.7, "validation": 0.2}, {"train": 0.7, "validation": 0.4}])
def test_the_parts_of_the_rest_sum_to_one(parts: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=r"train and validation sum to [01]\.[19], not to 1"):
        Fractions(**parts, test="published")


def test_a_bag_of_words_is_which_words_a_text_has(reviews: TextSet) -> None:
    chosen = Chosen(np.array([5, 0, 17]))
    vocabulary = Vocabulary(("wonderful", "the", "never-there"))
    expected = [
        [float(word in cut_words(reviews.texts[at])) for word in vocabulary.words] for at in (5, 0, 17)
    ]
    np.testing.assert_array_equal(present(reviews, chosen, vocabulary).toarray(), expected)


def test_the_bag_of_words_is_at_the_least_of_its_loss_and_knows_the_classes(reviews: TextSet) -> None:
    parted = RecordPartition(reviews, PUBLISHED, WordSpec())
    train, test = parted.windows("train"), parted.windows("test")
    rung = BagOfWords(vocabulary=18).fit(reviews, train)
    assert rung._fitted is not None
    vocabulary, weights = rung._fitted
    given_, label = present(reviews, train, vocabulary).toarray(), reviews.labels[train.records]
    missed = expit(given_ @ weights[:-1] + weights[-1]) - label
    assert abs(missed.sum()) < 1e-2
    slope = given_.T @ missed
    penalty = -(slope @ weights[:-1]) / (weights[:-1] @ weights[:-1])
    np.testing.assert_allclose(slope, -penalty * weights[:-1], atol=2e-2)
    found = rung.predict(reviews, test)
    assert auc(reviews.labels[test.records], found) > 0.95
    assert ((found > 0) & (found < 1)).all()
    one = Chosen(test.records[3:4])
    np.testing.assert_allclose(rung.predict(reviews, one), found[3:4])


def test_rungs_of_texts_are_fitted_on_training_texts_alone(reviews: TextSet) -> None:
    parted = RecordPartition(reviews, PUBLISHED, WordSpec())
    train, test = parted.windows("train"), parted.windows("test")
    others = np.setdiff1d(np.arange(len(reviews)), train.records)
    held = {at: reviews.texts[at] for at in train.records}
    changed = replace(
        reviews, texts=tuple(held.get(at, "wonderful wonderful dull zz") for at in range(len(reviews)))
    )
    assert others.size
    for make in (lambda: BagOfWords(15), Prevalence):
        mine, theirs = (make().fit(some, train).predict(reviews, test) for some in (reviews, changed))
        np.testing.assert_array_equal(mine, theirs)
    with pytest.raises(NotFittedError, match="bag-of-words was not fitted"):
        BagOfWords(5).predict(reviews, test)

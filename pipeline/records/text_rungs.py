"""The ladder of texts: how often the label is true at all, and a logistic regression on which words a text has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit

from pipeline.errors import NotFittedError
from pipeline.records.rungs import Prevalence, best_penalty, fit_logistic
from pipeline.records.words import FIRST, Vocabulary, WordSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.records.partition import Chosen
    from pipeline.records.texts import TextSet

    Array = NDArray[np.float64]

PENALTIES = (1.0, 10.0, 100.0)
INNER_FOLDS = 3


@dataclass
class BagOfWords:
    """A logistic regression with a quadratic penalty on which words of the vocabulary a text has, in no order.

    All words of a text count, not the last alone. The penalty is the one of PENALTIES with the least log loss in an
    inner cross-validation of the training texts.
    """

    vocabulary: int
    name: str = "bag-of-words"
    _fitted: tuple[Vocabulary, Array] | None = field(default=None, repr=False)

    def fit(self, records: TextSet, chosen: Chosen) -> Self:
        """Fit on the chosen texts alone."""
        vocabulary = Vocabulary.fit(records.lexicon, chosen.records, self.vocabulary)
        given = present(records, chosen, vocabulary)
        label = records.labels[chosen.records].astype(np.float64)
        penalty = best_penalty(given, label, PENALTIES, INNER_FOLDS)
        self._fitted = vocabulary, fit_logistic(given, label, penalty)
        return self

    def predict(self, records: TextSet, chosen: Chosen) -> Array:
        """float64 (record,): the probability."""
        if self._fitted is None:
            raise NotFittedError(f"{self.name} was not fitted", remedy="call fit first")
        vocabulary, weights = self._fitted
        return np.asarray(expit(present(records, chosen, vocabulary) @ weights[:-1] + weights[-1]))


def text_ladder(spec: WordSpec) -> dict[str, Any]:
    """Every rung of texts, unfitted, from the lowest up."""
    rungs = (Prevalence(), BagOfWords(spec.vocabulary))
    return {rung.name: rung for rung in rungs}


def present(records: TextSet, chosen: Chosen, vocabulary: Vocabulary) -> Any:
    """Sparse float64 (text, word): one where the text has the word."""
    at, of = records.lexicon.of_texts(chosen.records)
    word = vocabulary.encode(records.lexicon)[at].astype(np.int64) - FIRST
    size = len(vocabulary.words)
    cells = np.unique(of[word >= 0] * size + word[word >= 0])
    shape = (len(chosen), size)
    return csr_array((np.ones(len(cells)), (cells // size, cells % size)), shape=shape)

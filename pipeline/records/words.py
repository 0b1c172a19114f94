"""Texts as words: how they are cut, and the vocabulary that is fitted on the training texts alone."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Self

import numpy as np
from pydantic import Field, NonNegativeInt, PositiveInt

from pipeline.errors import NotFittedError
from pipeline.types import Spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Index = NDArray[np.int64]

PADDING, UNKNOWN, FIRST = 0, 1, 2
"""Numbers of what is no word, of a word outside the vocabulary, and of the most frequent one."""
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


class WordSpec(Spec):
    """How texts become sequences of words, and which of them are for what.

    Parameters
    ----------
    vocabulary
        Words that models know: the most frequent ones of the training texts.
    length
        Words of a text that models read, the last ones.
    padding
        Share of the words of batches that may be padding, at most. It stands before the first word.
    split_seed
        Of the order in which texts are dealt to training, validation and test.
    """

    vocabulary: PositiveInt = 5000
    length: PositiveInt = 500
    padding: Annotated[float, Field(gt=0, lt=1)] = 0.1
    split_seed: NonNegativeInt = 0


def cut_words(text: str) -> list[str]:
    """The words of a text in lower case: letters and digits, with apostrophes within; line breaks of HTML are none."""
    return _WORD.findall(_BREAK.sub(" ", text).lower().replace("’", "'"))


def has_words(text: str) -> bool:
    """Whether there is any."""
    return _WORD.search(_BREAK.sub(" ", text)) is not None


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Texts cut into words, one after another.

    Parameters
    ----------
    words
        All that there are, each once.
    offset
        int64 (text + 1,): the words of text `i` are those from `offset[i]` to before `offset[i + 1]`.
    place
        int32 (word of a text,): which it is of `words`.
    """

    words: tuple[str, ...]
    offset: Index
    place: NDArray[np.int32]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """That of these texts."""
        known: dict[str, int] = {}
        parts = [
            np.array([known.setdefault(word, len(known)) for word in cut_words(text)], np.int32)
            for text in texts
        ]
        ends = np.cumsum([0, *map(len, parts)], dtype=np.int64)
        return cls(tuple(known), ends, np.concatenate([np.empty(0, np.int32), *parts]))

    def of_texts(self, chosen: Index) -> tuple[Index, Index]:
        """Places of the words of the chosen texts, and of which of these each is."""
        size = np.diff(self.offset)[chosen]
        ends = np.cumsum(size)
        of = np.repeat(np.arange(len(chosen)), size)
        return np.arange(len(of)) + np.repeat(self.offset[chosen] - (ends - size), size), of


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that are known, the most frequent first; of equally frequent ones in the order of the alphabet."""

    words: tuple[str, ...]

    @classmethod
    def fit(cls, lexicon: Lexicon, chosen: Index, count: int) -> Self:
        """The `count` most frequent words of the chosen texts alone.

        Raises
        ------
        NotFittedError
            They hold no word.
        """
        at, _ = lexicon.of_texts(chosen)
        many = np.bincount(lexicon.place[at], minlength=len(lexicon.words))
        names = np.array(lexicon.words, dtype=str)
        order = np.lexsort((names, -many))[:count]
        found = tuple(str(names[each]) for each in order if many[each])
        if not found:
            raise NotFittedError("the training texts hold no word", remedy="ingest other texts")
        return cls(found)

    @property
    def size(self) -> int:
        """Numbers that `encode` may give."""
        return FIRST + len(self.words)

    @property
    def sha256(self) -> str:
        """The hash of the words in their order."""
        return hashlib.sha256("\n".join(self.words).encode()).hexdigest()

    def encode(self, lexicon: Lexicon) -> NDArray[np.int32]:
        """int32 (word of a text,): the number of each word of all texts of a lexicon."""
        numbers = {word: FIRST + at for at, word in enumerate(self.words)}
        known = np.array([numbers.get(word, UNKNOWN) for word in lexicon.words], np.int32)
        return known[lexicon.place] if len(known) else lexicon.place

    def decode(self, numbers: Sequence[int]) -> list[str]:
        """The words that these numbers stand for; `?` where it is not known, padding left out."""
        return [self.words[each - FIRST] if each >= FIRST else "?" for each in numbers if each != PADDING]

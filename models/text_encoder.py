"""What a model of texts sees: the numbers of the last words of each, by a vocabulary of training texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from models.base import TextShape
from models.order import Buckets
from models.text_samples import TextSamples
from pipeline.records.words import Vocabulary

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from models.recipe import Recipe
    from pipeline.records.partition import Chosen
    from pipeline.records.texts import TextSet
    from pipeline.records.words import WordSpec

    Index = NDArray[np.int64]

VOCABULARY = "vocabulary.txt"


@dataclass(frozen=True, slots=True)
class TextEncoder:
    """From texts to what a model takes, and from what it gives to probabilities."""

    spec: WordSpec
    vocabulary: Vocabulary

    @classmethod
    def fit(cls, record: TextSet, recipe: Recipe, *, snapshot: str) -> Self:
        """Fit on the training texts."""
        del snapshot
        return cls.fit_on(record, recipe.windows, recipe.parted(record).windows("train"))

    @classmethod
    def fit_on(cls, record: TextSet, spec: WordSpec, chosen: Chosen) -> Self:
        """Fit on the chosen texts alone."""
        return cls(spec, Vocabulary.fit(record.lexicon, chosen.records, spec.vocabulary))

    @classmethod
    def load(cls, folder: Path, spec: WordSpec) -> Self:
        """Read what `save` wrote."""
        return cls(spec, Vocabulary(tuple((folder / VOCABULARY).read_text(encoding="utf-8").split("\n"))))

    def save(self, folder: Path) -> None:
        """Write into the model's folder, a word a line."""
        (folder / VOCABULARY).write_text("\n".join(self.vocabulary.words), encoding="utf-8")

    @property
    def shape(self) -> TextShape:
        """What a model must take and give."""
        return TextShape(self.vocabulary.size)

    @property
    def sha256(self) -> str:
        """The hash of all that was fitted."""
        return self.vocabulary.sha256

    def samples(self, record: TextSet, windows: Chosen) -> TextSamples:
        """The samples of these texts."""
        offset, words = self.words(record, windows.records)
        return TextSamples(
            record, windows, self, Buckets.within(np.diff(offset), self.spec.padding), offset, words
        )

    def words(self, record: TextSet, chosen: Index) -> tuple[Index, NDArray[np.int32]]:
        """Offsets (text + 1,), and int32 (word,) the numbers of the last words of the chosen texts, one after another.

        A text without a word is one unknown word.
        """
        lexicon = record.lexicon
        numbers, ends = self.vocabulary.encode(lexicon), lexicon.offset[1:][chosen]
        begins = np.maximum(lexicon.offset[:-1][chosen], ends - self.spec.length)
        cut = [numbers[begin:end] for begin, end in zip(begins, ends, strict=True)]
        some = [each if len(each) else np.ones(1, np.int32) for each in cut]
        offset = np.cumsum([0, *map(len, some)], dtype=np.int64)
        return offset, np.concatenate([np.empty(0, np.int32), *some])

    def probability(self, odds: NDArray[np.float32]) -> NDArray[np.float64]:
        """float64 (record,), of log odds (record, 1)."""
        return np.asarray((1 / (1 + np.exp(-odds.astype(np.float64)))).mean(axis=1))

"""Labelled texts, such as reviews: records whose body is text, stored as it was published."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pipeline.records.words import Lexicon

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.forecasts.base import Kind
    from pipeline.records.base import Exclusion, Parameter, SourceFile


@dataclass(frozen=True, slots=True)
class TextTable:
    """Decoded texts, as published; the fields that `RecordTable` has too are those of it.

    Parameters
    ----------
    texts
        Of each record.
    published
        int8 (record,): 1 where the source publishes it for test, else 0.
    """

    ids: tuple[str, ...]
    labels: NDArray[np.int8]
    files: tuple[str, ...]
    source: NDArray[np.int16]
    texts: tuple[str, ...]
    published: NDArray[np.int8]
    sources: tuple[SourceFile, ...]
    exclusions: tuple[Exclusion, ...] = ()

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """None: nothing is measured."""
        return ()

    @property
    def repeated(self) -> int:
        """Texts that are word for word the same as one before."""
        return len(self.texts) - len(set(self.texts))

    @property
    def shared(self) -> int:
        """Texts for test that are word for word the same as one that is not."""
        test = self.published > 0
        other = {text for text, held_out in zip(self.texts, test, strict=True) if not held_out}
        return sum(text in other for text, held_out in zip(self.texts, test, strict=True) if held_out)


@dataclass(frozen=True)
class TextSet:
    """The texts of an experiment, as rungs and models see them; the fields are those of `TextTable`."""

    ids: tuple[str, ...]
    labels: NDArray[np.int8]
    texts: tuple[str, ...]
    published: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def kind(self) -> Kind:
        """Texts."""
        return "texts"

    @cached_property
    def lexicon(self) -> Lexicon:
        """All texts cut into words, once."""
        return Lexicon.of(self.texts)

    @cached_property
    def _sha256(self) -> str:
        digest = hashlib.sha256()
        for text in self.texts:
            digest.update(hashlib.sha256(text.encode()).digest())
        return digest.hexdigest()

    @property
    def inputs(self) -> list[str]:
        """None: any text can be given to a model."""
        return []

    @property
    def told(self) -> dict[str, Any]:
        """What is known of the set, beside its identifiers and `arrays`."""
        return {"texts": self._sha256}

    @property
    def arrays(self) -> tuple[NDArray[Any], ...]:
        """Labels, and which were published for test."""
        return self.labels, self.published

    @classmethod
    def of(cls, table: TextTable) -> TextSet:
        """Those of a table."""
        return cls(ids=table.ids, labels=table.labels, texts=table.texts, published=table.published)

"""What a model of records sees: values carried forward, how fresh they are, and what is known of the record.

Features of a step, in this order, with S series and D columns of descriptors:

- S values: the last that was measured by then, logarithmic where the parameter is, standardised by the training
  records, within ±4; zero, the mean, before the first.
- S recencies: exp(−h / 12) of the h hours since it was measured. One says that it was measured in this step, which is
  the mask; zero that it never was.
- D columns of descriptors, standardised or one a category; zero where unknown.
- The share of the descriptors that is known.
- The time since the record began, in units of 48 hours.
- How many measurements the step holds, and of how many series, both as logarithms.

Those of PhysioNet 2012 are 37 + 37 + 8 + 1 + 3 = 86: its eight columns are age, height, two genders and four units.
Value, mask and time since are what Che et al. (2018), Scientific Reports 8, 6085, give to recurrent networks.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from models.base import RecordShape
from models.order import Buckets
from models.record_samples import RecordSamples
from pipeline.errors import NotFittedError
from pipeline.records.rungs import descriptor_columns
from pipeline.records.steps import derive, lengths

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from models.recipe import Recipe
    from pipeline.records.base import RecordSet
    from pipeline.records.partition import Chosen
    from pipeline.records.steps import StepSpec

    Array = NDArray[np.float32]

SCALING = "scaling.npz"
BOUND = 4.0
"""Deviations beyond which a value counts as so many."""
FADING = 12 * 60.0
"""Minutes after which a measurement counts 1/e."""
LENGTH = 48 * 60.0
OF_THE_STEP = 3
AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class RecordEncoder:
    """From records to what a model takes, and from what it gives to probabilities.

    Parameters
    ----------
    names
        Of the parameters, in their order.
    mean, deviation
        float32 (series,), of the steps in which it was measured.
    described_mean, described_deviation
        float32 (column,), of the descriptors that are known.
    """

    spec: StepSpec
    names: tuple[str, ...]
    mean: Array
    deviation: Array
    described_mean: Array
    described_deviation: Array

    @classmethod
    def fit(cls, record: RecordSet, recipe: Recipe, *, snapshot: str) -> Self:
        """Fit on the training records."""
        del snapshot
        return cls.fit_on(record, recipe.windows, recipe.parted(record).windows("train"))

    @classmethod
    def fit_on(cls, record: RecordSet, spec: StepSpec, chosen: Chosen) -> Self:
        """Fit on the chosen records alone."""
        many, total, squares = (np.zeros(len(record.series)) for _ in range(3))
        for part in _parts(chosen.records):
            steps = derive(record, spec, part)
            values = np.where(steps.mask, _logarithmic(record, steps.values), 0).astype(np.float64)
            many += steps.mask.sum(axis=0)
            total += values.sum(axis=0)
            squares += (values**2).sum(axis=0)
        many = np.maximum(many, 1)
        mean = total / many
        columns = descriptor_columns(record, chosen.records)
        known = np.isfinite(columns)
        held = np.maximum(known.sum(axis=0), 1)
        described = np.where(known, columns, 0).sum(axis=0) / held
        left = np.where(known, (columns - described) ** 2, 0).sum(axis=0) / held
        return cls(
            spec,
            tuple(each.name for each in record.parameters),
            mean.astype(np.float32),
            _deviation(np.maximum(squares / many - mean**2, 0)),
            described.astype(np.float32),
            _deviation(left),
        )

    @classmethod
    def load(cls, folder: Path, spec: StepSpec) -> Self:
        """Read what `save` wrote."""
        with np.load(folder / SCALING, allow_pickle=False) as held:
            fitted = [held[name] for name in ("mean", "deviation", "described_mean", "described_deviation")]
            return cls(spec, tuple(map(str, held["names"])), *fitted)

    def save(self, folder: Path) -> None:
        """Write into the model's folder."""
        np.savez(
            folder / SCALING,
            names=np.array(self.names),
            mean=self.mean,
            deviation=self.deviation,
            described_mean=self.described_mean,
            described_deviation=self.described_deviation,
        )

    @property
    def shape(self) -> RecordShape:
        """What a model must take and give."""
        return RecordShape(2 * len(self.mean) + len(self.described_mean) + 1 + OF_THE_STEP)

    @property
    def sha256(self) -> str:
        """The hash of all that was fitted."""
        digest = hashlib.sha256("\n".join(self.names).encode())
        for part in (self.mean, self.deviation, self.described_mean, self.described_deviation):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    def samples(self, record: RecordSet, windows: Chosen) -> RecordSamples:
        """The samples of these records.

        Raises
        ------
        NotFittedError
            The records are of other parameters.
        """
        self._require(record)
        found = lengths(record, self.spec)[windows.records]
        equal = self.spec.alignment == "equal"
        buckets = Buckets.of_equal(found) if equal else Buckets.within(found, self.spec.padding)
        return RecordSamples(record, windows, self, buckets)

    def features(self, record: RecordSet, chosen: NDArray[np.int64]) -> tuple[NDArray[np.int64], Array]:
        """Offsets (record + 1,), and float32 (step, feature) of the chosen records, one after another."""
        offsets, features = [np.zeros(1, np.int64)], [np.empty((0, self.shape.features), np.float32)]
        for part in _parts(chosen):
            steps = derive(record, self.spec, part)
            values = (_logarithmic(record, steps.values) - self.mean) / self.deviation
            of_step = [
                steps.time / LENGTH,
                np.log1p(steps.count) / 3 - 1,
                np.log1p(steps.mask.sum(axis=1)) / 2 - 1,
            ]
            described = self._described(record, part)
            features.append(
                np.concatenate(
                    [
                        np.nan_to_num(np.clip(values, -BOUND, BOUND)),
                        np.exp(-steps.since / FADING),
                        np.repeat(described, np.diff(steps.offset), axis=0),
                        np.stack(of_step, axis=1),
                    ],
                    axis=1,
                    dtype=np.float32,
                )
            )
            offsets.append(steps.offset[1:] + offsets[-1][-1])
        return np.concatenate(offsets), np.concatenate(features)

    def probability(self, odds: Array) -> NDArray[np.float64]:
        """float64 (record,): the mean probability of the members, of log odds (record, member)."""
        return np.asarray((1 / (1 + np.exp(-odds.astype(np.float64)))).mean(axis=1))

    def _described(self, record: RecordSet, chosen: NDArray[np.int64]) -> Array:
        columns = descriptor_columns(record, chosen)
        categorical = np.array(
            [
                bool(categories)
                for at in record.statics
                for categories in [record.parameters[at].categories]
                for _ in categories or [0]
            ],
            bool,
        )
        scaled = np.clip((columns - self.described_mean) / self.described_deviation, -BOUND, BOUND)
        shown = np.where(categorical, columns, np.nan_to_num(scaled))
        return np.concatenate([shown, self._known(record, columns)], axis=1)

    def _known(self, record: RecordSet, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """(record, 1): the share of the descriptors that is known."""
        known, column = np.zeros(len(columns)), 0
        for at in record.statics:
            wide = max(len(record.parameters[at].categories), 1)
            some = columns[:, column : column + wide]
            known += some.any(axis=1) if wide > 1 else np.isfinite(some[:, 0])
            column += wide
        return known[:, None] / max(len(record.statics), 1)

    def _require(self, record: RecordSet) -> None:
        given = tuple(each.name for each in record.parameters)
        if given != self.names:
            other = sorted(set(given) ^ set(self.names))
            raise NotFittedError(
                f"the model was fitted on other parameters: {', '.join(other[:5]) or 'in another order'}",
                remedy="train a new model",
                parameters=other,
            )


def _logarithmic(record: RecordSet, values: Any) -> Any:
    """Values (step, series), those of logarithmic parameters as their logarithms."""
    logarithmic = [record.parameters[each].logarithmic for each in record.series]
    shown = values.copy()
    shown[:, logarithmic] = np.log1p(values[:, logarithmic])
    return shown


def _deviation(variance: NDArray[np.float64]) -> Array:
    root = np.sqrt(variance)
    return np.where(root > 1e-6, root, 1.0).astype(np.float32)


def _parts(chosen: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return [chosen[at : at + AT_ONCE] for at in range(0, len(chosen), AT_ONCE)]

"""Mortality in intensive care: five-fold cross-validated AUC of `icu-mortality`, beside what is published.

Reads `physionet2012` of ISOTHERM_REAL_DATA, or of the folder of real data beside the checkout. Published LSTM-type
models of these records have 0.83 to 0.86; see Che et al. (2018), Scientific Reports 8, 6085. Each fold is tested once;
of the others an eighth of each class decides when training stops.

    python benchmarks/bench_icu.py [--folds 5]
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from flows.loading import load_experiment
from flows.settings import EXPERIMENTS
from models.checkpoints import Checkpoints
from models.classifying import probabilities
from models.record_encoder import RecordEncoder
from models.training import train
from pipeline.evaluation.bootstrap import percentile_interval
from pipeline.evaluation.classification import auc, resampled
from pipeline.records.base import RecordSet
from pipeline.records.partition import Chosen, folds
from pipeline.records.rungs import ladder
from pipeline.sources.base import Fetched
from pipeline.sources.cache import sha256_of

PUBLISHED = (0.83, 0.86)
TARGET = 0.84


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", type=int, default=5)
    asked = parser.parse_args()
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("ISOTHERM_REAL_DATA", beside)) / "physionet2012"
    experiment = load_experiment("icu-mortality", EXPERIMENTS)
    assert experiment.records is not None
    spec = experiment.records.steps
    ((name, candidate),) = experiment.candidates.items()
    source = experiment.make_record_source(files=(str(folder / "*.tar.gz"), str(folder / "Outcomes-*.txt")))
    found = [
        Fetched(each, Path(each.url), sha256_of(Path(each.url)))
        for each in source.list_granules("files", lambda _: b"")
    ]
    table = source.decode_records(found)
    records = RecordSet.of(table)
    print(f"{len(records)} patients, {int(records.labels.sum())} deaths, {len(table.exclusions)} left out")
    parts = folds(records, asked.folds, spec.split_seed)
    rungs = [each for each in ladder() if each != "prevalence"]
    given = {each: np.full(len(records), np.nan) for each in (name, *rungs)}
    areas: dict[str, list[float]] = {each: [] for each in given}
    for number, test in enumerate(parts):
        began = time.monotonic()
        rest = np.setdiff1d(np.arange(len(records)), test.records)
        validation = Chosen(
            np.sort(
                np.concatenate([rest[records.labels[rest] == label][number % 8 :: 8] for label in (0, 1)])
            )
        )
        training = Chosen(np.setdiff1d(rest, validation.records))
        encoder = RecordEncoder.fit_on(records, spec, training)
        samples = encoder.samples(records, training)
        with TemporaryDirectory() as place:
            done = train(
                candidate.model,
                candidate.config,
                candidate.training,
                samples,
                encoder.samples(records, validation),
                Checkpoints(Path(place) / "training"),
            )
        given[name][test.records] = probabilities(done.model, encoder, records, test)
        for rung in rungs:
            fitted = ladder()[rung].fit(records, Chosen(rest))
            given[rung][test.records] = fitted.predict(records, test)
        for each, of in given.items():
            areas[each].append(float(auc(records.labels[test.records], of[test.records])))
        told = ", ".join(f"{each} {values[-1]:.4f}" for each, values in areas.items())
        print(
            f"fold {number + 1}: {told}; best epoch {done.best_epoch} of {len(done.history)}, "
            f"padding {samples.buckets.padding(candidate.training.batch_size):.1%}, {time.monotonic() - began:.0f} s",
            flush=True,
        )
    drawn = resampled(records.labels, experiment.evaluation)
    fold = np.empty(len(records), int)
    for number, test in enumerate(parts):
        fold[test.records] = number

    def mean(of: np.ndarray, some: np.ndarray) -> float:
        """The mean AUC of the folds, of a resample of the patients."""
        chosen = [some[fold[some] == number] for number in range(len(parts))]
        return float(np.mean([auc(records.labels[each], of[each]) for each in chosen]))

    for each, values in areas.items():
        again = np.array([mean(given[each], some) for some in drawn])
        low, high = percentile_interval(again, experiment.evaluation.confidence)
        print(f"{each:<16} mean AUC {np.mean(values):.4f} (95% interval {low:.4f} to {high:.4f})")
    reached = np.mean(areas[name]) >= TARGET
    print(
        f"{name}: {np.mean(areas[name]):.4f}, target {TARGET} {'reached' if reached else 'NOT reached'}; "
        f"published LSTM-type models {PUBLISHED[0]} to {PUBLISHED[1]}"
    )


if __name__ == "__main__":
    main()

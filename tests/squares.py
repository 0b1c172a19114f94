"""Small movies of moving squares, and inputs of a report on them."""

from __future__ import annotations

import numpy as np

from pipeline.evaluation.movie_dataset import movies_dataset
from pipeline.evaluation.movies import MoviesVerdict
from pipeline.evaluation.specs import EvaluationSpec
from pipeline.movies.base import Axis, MovieSet, MovieTable, Picture
from pipeline.movies.published import PublishedCurve
from pipeline.movies.rungs import Persistence
from pipeline.movies.windows import MovieSpec, MovieWindows
from pipeline.records.base import Exclusion
from pipeline.reports.inputs import ReportInputs
from pipeline.reports.movies_inputs import MoviesInputs
from pipeline.sources import movie_source
from pipeline.store.movies_reader import MoviesSummary
from tests.collection_reporting import HOSTILE, report_of, trained

RAIN = Picture(
    name="rain", long_name="rain", units="mm", low=0.0, high=100.0, step=300, scale=0.01, shown=(0, 5)
)
SPEC = MovieSpec(history=3, horizon=2, learn="next", scaling="none")


def squares(movies: int = 12, pictures: int = 6, size: int = 8, **more: object) -> MovieTable:
    """Movies made by the source."""
    source = movie_source(
        "moving-squares", movies=movies, pictures=pictures, size=size, **{"longer": 0, **more}
    )
    return source.decode_movies([])


def axis(name: str, cells: int) -> Axis:
    return Axis(name=name, long_name=name, units="km", values=tuple(float(each) for each in range(cells)))


def rain(lengths: tuple[int, ...], *, size: tuple[int, int] = (3, 4), seed: int = 0) -> MovieTable:
    """Movies with times, five minutes apart, and an hour between one and the next; some cells are not known."""
    rng = np.random.default_rng(seed)
    many = sum(lengths)
    values = (rng.integers(0, 1000, size=(many, *size)) * 0.01).astype(np.float32)
    values[rng.random(values.shape) < 0.1] = np.nan
    offset = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    movie = np.repeat(np.arange(len(lengths)), lengths)
    seconds = 300 * np.arange(many) + 3600 * movie
    return MovieTable(
        ids=tuple(f"m{at}" for at in range(len(lengths))),
        offset=offset,
        time=np.datetime64("2020-01-01", "ns") + (seconds * 10**9).astype("timedelta64[ns]"),
        values=values,
        picture=RAIN,
        y=axis("y", size[0]),
        x=axis("x", size[1]),
        source=np.zeros(many, np.int32),
    )


def windows_of(record: MovieSet, spec: MovieSpec = SPEC) -> MovieWindows:
    """One for each movie."""
    many = len(record)
    return MovieWindows(spec, record.offset[:-1].copy(), np.arange(many), spec.length)


def knowing(record: MovieSet, share: float):
    """A forecaster that is so much of the way from persistence to the truth of a window."""
    windows = windows_of(record)
    truth = windows.pictures(record.asked, SPEC.history, SPEC.length)
    known = {
        history[-1].tobytes(): one
        for history, one in zip(windows.pictures(record.values, 0, 3), truth, strict=True)
    }

    def forecast(history: np.ndarray, horizon: int) -> np.ndarray:
        best = np.stack([known[each[-1].tobytes()] for each in history])
        return (share * best + (1 - share) * Persistence().predict(history, horizon)).astype(np.float32)

    return forecast


def make_scores(
    *,
    share: float = 0.5,
    movies: int = 12,
    model: str = "next_frame",
    others: tuple[str, ...] = (),
    measures: tuple[str, ...] = (),
):
    record = MovieSet.of(squares(movies))
    given = {model: knowing(record, share)} | {other: knowing(record, 0.2) for other in others}
    return movies_dataset(
        {**given, "persistence": Persistence().predict},
        record,
        windows_of(record),
        EvaluationSpec(resamples=60, measures=measures),
        model=model,
        ladder=("persistence",),
        provenance={"region": "squares", "experiment": "moving"},
    )


def make_movies_inputs(
    *,
    share: float = 0.5,
    movies: int = 12,
    others: tuple[str, ...] = (),
    published: bool = True,
    text: str = "it has no values",
    measures: tuple[str, ...] = (),
) -> ReportInputs:
    scores = make_scores(share=share, movies=movies, others=others, measures=measures)
    data = MoviesSummary(
        snapshot="S", written_at="2020-01-01", message="write", regions=("squares",), movies=movies, pictures=90,
        size=(8, 8), lengths={6: movies, 2: 1}, implausible=3, excluded=1,
        exclusions=(Exclusion(record="7", check="no-values", file=f"{text}.h5", message=text),),
    )  # fmt: skip
    curve = PublishedCurve(epochs=(1, 5), validation_loss=(0.1, 1e-3), source=text, note=text)
    one = MoviesInputs(
        name="squares",
        title="Squares" if text.startswith("it") else text,
        scores=scores,
        verdict=MoviesVerdict.of(scores),
        data=data,
        windows=SPEC,
        short={"test": (text,)},
        published=curve if published else None,
        **trained("next_frame", others, files="made here"),
    )
    return report_of("moving", text, movies=(one,))


def hostile() -> ReportInputs:
    """Text that would be markup."""
    return make_movies_inputs(text=HOSTILE)

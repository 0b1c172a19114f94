"""What the verdicts on labelled records and on movies tell alike: the sentence, and a row of measures for everyone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.reports import markup

if TYPE_CHECKING:
    from collections.abc import Iterable

    import xarray as xr

    from pipeline.reports.collection_inputs import CollectionInputs


def sentence(of: CollectionInputs) -> str:
    """The verdict, with the names that people read."""
    names = {str(one): markup.name(str(one)) for one in of.scores.forecaster.values}
    told = markup.with_names(of.verdict.sentence, names | {of.name: of.title})
    return told[:1].upper() + told[1:]


def rows(
    scores: xr.Dataset, measures: Iterable[str], difference: str, digits: int, *, over: str = ""
) -> list[dict[str, Any]]:
    """A row for each forecaster.

    Parameters
    ----------
    measures
        Each has its interval beside it, as `rmse_pooled_interval` stands beside `rmse_pooled`.
    difference
        How far the model's is from that of each rung.
    digits
        Of the intervals.
    over
        What the names of the measures end in, `_pooled` where they are over all leads.
    """
    return [_row(scores, str(name), measures, difference, digits, over) for name in scores.forecaster.values]


def _row(
    scores: xr.Dataset, name: str, measures: Iterable[str], difference: str, digits: int, over: str
) -> dict[str, Any]:
    here = scores.sel(forecaster=name)
    row: dict[str, Any] = {"name": name, "difference": None, "difference_interval": markup.MISSING}
    for measure in measures:
        low, high = (float(each) for each in here[f"{measure}{over}_interval"].values)
        row[measure] = float(here[f"{measure}{over}"])
        row[f"{measure}_interval"] = markup.interval(low, high, digits, sign=False)
    if name in scores.reference.values:
        apart = scores.sel(reference=name)
        low, high = (float(each) for each in apart[f"{difference}{over}_interval"].values)
        row |= {
            "difference": float(apart[f"{difference}{over}"]),
            "difference_interval": markup.interval(low, high, digits),
        }
    return row

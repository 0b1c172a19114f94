"""How to read the page: what the measures mean, what they are compared with, whose data they rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.reports import markup
from pipeline.reports.base import Section

if TYPE_CHECKING:
    from pipeline.reports.inputs import ReportInputs

_TEMPLATE = """\
<dl class="glossary">
{% if fields %}<dt>Start day and lead</dt><dd>A forecast starts from the last observed day; lead 1 is the day after.
The day that a forecast is for is start + lead.</dd>
{% else %}<dt>Start and lead</dt><dd>A forecast starts from the last observation that it is given; the time that it is
for, its valid time, is start + lead. Times are those of the record: local standard time without daylight
saving.</dd>{% endif %}
<dt>RMSE</dt><dd>Root-mean-square error: the root of the mean of all squared differences between forecast and
observation, over the windows{% if fields %} and over the ocean cells weighted by their area{% endif %}. In {{ units
}}; lower is better.</dd>
<dt>MAE</dt><dd>Mean absolute error, averaged in the same way. Less moved by a few large misses than
RMSE.</dd>
<dt>Bias</dt><dd>Mean of forecast less observation. Above zero the forecasts are too {{ "warm" if units == "°C" else
"high" }}.</dd>
<dt>Anomaly correlation</dt><dd>Correlation of the forecast and observed departures from the climatology: 1
is perfect,
0 is of no use. The climatology itself has none, so it has no line.</dd>
<dt>Skill</dt><dd>1 − RMSE / RMSE of the baseline: 10 % means an error one tenth lower than the
baseline's.</dd>
<dt>Interval</dt><dd>From a moving-block bootstrap: blocks of neighbouring {{ "days" if fields else "windows" }} are
drawn anew many times, because {{ "days" if fields else "those" }} that follow one another are not independent. A
difference is paired: both forecasters are scored on the same draws. Clear of zero means that the whole interval lies
on one side.</dd>
<dt>Promoted</dt><dd>The model's RMSE over all leads is below the best baseline's with the interval clear of
zero. A model that is not promoted is shown all the same.</dd>
{% if several %}<dt>Judged</dt><dd>Of several models the one with the lowest validation error stands for the experiment.
The others are scored on the same windows beside it.</dd>{% endif %}
<dt>Baselines</dt><dd>{% if fields %}<b>Persistence</b>: today's field stays. <b>Climatology</b>: the usual field of
the day of the year. <b>Damped persistence</b>: today's departure from the climatology decays at a fitted rate.
<b>EOF-ridge</b>: a linear regression between leading patterns. <b>Blend</b>: the best weighted sum of the last two,
which is also what the model corrects.{% else %}<b>Naive</b>: the last value stays. <b>Seasonal naive</b>: the value
at the same time of the last day that was observed. <b>Linear</b>: a ridge regression of the change at each lead on
the history of all variables.{% endif %} All are fitted on the training {{ "years" if fields else "times" }} alone,
as the {{ "models are" if several else "model is" }}.</dd>
{% if fields %}<dt>Preliminary and final</dt><dd>NOAA publishes a preliminary field after a day and replaces it with
the final one after about two weeks.</dd>{% else %}<dt>Scaling</dt><dd>Less the mean of the training part and over its
standard deviation, for every split alike, so that nothing of the other splits is learned.</dd>{% endif %}
</dl>
{% if fields %}<p>Observations: NOAA 1/4° Daily Optimum Interpolation Sea Surface Temperature (OISST), version 2.1,
NOAA National Centers for Environmental Information, public domain, <a
href="https://doi.org/10.25921/RE9P-PT57">doi:10.25921/RE9P-PT57</a>.
Huang, B., C. Liu, V. Banzon, E. Freeman, G. Graham, B. Hankins, T. Smith and H.-M. Zhang, 2021:
Improvements of the Daily Optimum Interpolation Sea Surface Temperature (DOISST) Version 2.1, <i>Journal of
Climate</i> 34, 2923–2939. Forecasts are experimental and no basis for decisions at sea.</p>
{% else %}<p>Observations: weather station of the Max Planck Institute for Biogeochemistry, Jena, <a
href="https://www.bgc-jena.mpg.de/wetter/">www.bgc-jena.mpg.de/wetter</a>. Forecasts are experimental and no basis for
decisions.</p>{% endif %}
"""


def build(inputs: ReportInputs) -> Section:
    """Definitions, sources and citation."""
    html = markup.fill(
        _TEMPLATE,
        fields=any(region.station is None for region in inputs.regions),
        several=any(len(region.models) > 1 for region in inputs.regions),
        units=markup.listed(dict.fromkeys(region.symbol for region in inputs.regions)),
    )
    return Section("How to read this", html)

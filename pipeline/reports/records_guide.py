"""How to read the report of labelled records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.reports import markup
from pipeline.reports.base import Section

if TYPE_CHECKING:
    from pipeline.reports.inputs import ReportInputs

_TEMPLATE = """\
<dl class="glossary">
<dt>Label</dt><dd>Whether what is asked for happened. Forecasters give its probability.</dd>
<dt>AUC</dt><dd>Area under the ROC curve: of a record with the label and one without, how often the first has the
higher
probability. 0.5 is chance, 1 is perfect.</dd>
<dt>Average precision</dt><dd>The mean share of the label among the records called positive, over all thresholds,
weighted
by how many more with the label each finds. Chance gives the share of the label itself.</dd>
<dt>Brier score</dt><dd>Mean square of probability less label: lower is better.</dd>
<dt>Accuracy, precision, recall, F1</dt><dd>Of the decisions by a probability of at least one half: the share that is
right, the share of those called positive that are, the share of the positive that are called so, and the harmonic mean
of the last two.</dd>
<dt>Interval</dt><dd>From a bootstrap: test records are drawn anew many times. A difference is paired: both
forecasters are
scored on the same draws.</dd>
<dt>Promoted</dt><dd>The interval of the difference between the model's AUC and that of the best baseline lies above
zero.</dd>
<dt>Splits</dt><dd>By record: no record is in two of training, validation and test, and each has the same share
of the
label. Scaling, vocabulary, models and baselines are fitted on training records alone; validation decides when training
stops.</dd>
<dt>Baselines</dt><dd><b>Prevalence</b>: the share of the label in the training records, for everyone.
{% if texts %}<b>Bag of words</b>: a logistic regression on which words of the vocabulary a text has, wherever they
stand.</dd>
{% else %}<b>Logistic means</b>
and <b>logistic last</b>: a logistic regression on the mean, or the last value, of each series, and on the
descriptors.
<b>Logistic</b>: on last, mean, least and greatest values, on which series were measured at all, and on the
descriptors.</dd>
{% endif %}</dl>
{% if not texts %}<p>Probabilities are experimental and no basis for the treatment of anybody.</p>
{% endif %}"""


def build(inputs: ReportInputs) -> Section:
    """Definitions."""
    texts = any(records.data.texts for records in inputs.records)
    return Section("How to read this", markup.fill(_TEMPLATE, texts=texts))

"""What the movies are: how many, of which length, what was left out and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.reports import markup
from pipeline.reports.base import Section

if TYPE_CHECKING:
    from pipeline.reports.inputs import ReportInputs
    from pipeline.reports.movies_inputs import MoviesInputs

_ROWS, _NAMES = 100, 20
_TEMPLATE = """\
<dl class="tiles">
<div><dt>Movies held</dt><dd>{{ data.movies | value }}</dd></div>
<div><dt>Pictures</dt><dd>{{ data.pictures | value }} <small>{{ data.size[0] }} × {{ data.size[1] }}
cells</small></dd></div>
<div><dt>Too short</dt><dd>{{ short | value }}</dd></div>
<div><dt>Left out</dt><dd>{{ data.excluded | value }}</dd></div>
</dl>
<p>{% for length, many in lengths %}{{ many | count("movie") }} of {{ length | count("picture") }}{% if not loop.last
%}, {% else %}{% if more %}, and others{% endif %}.{% endif %}{% endfor %}</p>
{% for split, ids in too_short %}<p>For {{ split }}, {{ ids | length | count("movie") }} {{ "is" if ids | length == 1
else "are" }} too short for a window, and {{ "is" if ids | length == 1 else "are" }} not used: {{ ids[:names] | join(",
") }}{% if ids | length > names %} …{% endif %}.</p>
{% endfor %}
{% if data.implausible %}<p>{{ data.implausible | count("value") }} that cannot be: to models and baselines they are
missing.</p>{% endif %}
{% if data.exclusions %}<div class="scroll"><table data-table="exclusions"><caption>Frames and movies that were left
out.</caption><thead><tr><th scope="col">Frame</th><th scope="col">Check</th><th scope="col">File</th><th
scope="col">Why</th></tr></thead><tbody>
{% for one in data.exclusions[:limit] %}<tr><td>{{ one.record }}</td><td>{{ one.check }}</td><td><code>{{ one.file or
missing }}</code></td><td>{{ one.message }}</td></tr>
{% endfor %}</tbody></table></div>{% if data.excluded > data.exclusions | length %}<p class="fine">… and {{
data.excluded - data.exclusions | length }} more.</p>{% endif %}
{% else %}<p>Nothing was left out.</p>{% endif %}
"""


def build(_: ReportInputs, movies: MoviesInputs) -> Section:
    """Counts, movies that are too short, and exclusions."""
    lengths = sorted(movies.data.lengths.items())
    html = markup.fill(
        _TEMPLATE,
        data=movies.data,
        lengths=lengths[:_NAMES],
        more=len(lengths) > _NAMES,
        short=sum(len(ids) for ids in movies.short.values()),
        too_short=list(movies.short.items()),
        names=_NAMES,
        limit=_ROWS,
    )
    return Section("Data", html)

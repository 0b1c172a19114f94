"""The evaluation report: one self-contained HTML page, of the sections registered here in reading order."""

from pipeline.reports import (
    by_lead,
    data_status,
    error_maps,
    examples,
    guide,
    hours,
    lineage,
    newest,
    outlook,
    overview,
    ranking,
    recent,
    series,
    skill,
    slices,
    traces,
    training,
    verdict,
)
from pipeline.reports.base import PerPage, PerRegion, SectionEntry, of_fields, of_station

SECTIONS: dict[str, SectionEntry] = {
    "overview": PerPage(overview.build, leads=True),
    "verdict": PerRegion(verdict.build),
    "ranking": PerRegion(ranking.build, ranking.applies),
    "skill": PerRegion(skill.build),
    "by_lead": PerRegion(by_lead.build, by_lead.applies),
    "hours": PerRegion(hours.build, hours.applies),
    "slices": PerRegion(slices.build),
    "error_maps": PerRegion(error_maps.build, of_fields),
    "examples": PerRegion(examples.build, of_fields),
    "traces": PerRegion(traces.build, of_station),
    "newest": PerRegion(newest.build, of_fields),
    "outlook": PerRegion(outlook.build, of_station),
    "recent": PerRegion(recent.build, recent.applies),
    "training": PerRegion(training.build),
    "series": PerRegion(series.build, of_station),
    "data": PerRegion(data_status.build),
    "lineage": PerRegion(lineage.build),
    "guide": PerPage(guide.build),
}

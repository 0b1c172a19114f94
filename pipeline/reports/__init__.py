"""The evaluation report: one self-contained HTML page, of the sections registered here in reading order."""

from pipeline.reports import (
    by_lead,
    data_status,
    error_maps,
    examples,
    guide,
    lineage,
    newest,
    overview,
    skill,
    slices,
    training,
    verdict,
)
from pipeline.reports.base import PerPage, PerRegion, SectionEntry

SECTIONS: dict[str, SectionEntry] = {
    "overview": PerPage(overview.build, leads=True),
    "verdict": PerRegion(verdict.build),
    "skill": PerRegion(skill.build),
    "by_lead": PerRegion(by_lead.build),
    "slices": PerRegion(slices.build),
    "error_maps": PerRegion(error_maps.build),
    "examples": PerRegion(examples.build),
    "newest": PerRegion(newest.build),
    "training": PerRegion(training.build),
    "data": PerRegion(data_status.build),
    "lineage": PerRegion(lineage.build),
    "guide": PerPage(guide.build),
}

"""What the tasks of experiments on labelled records and on movies do alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.jobs import Job

if TYPE_CHECKING:
    from pipeline.ingestion.collection import AnySource, CollectionJob
    from pipeline.reports.inputs import ReportInputs


def ingestion_of(job: Job, source: AnySource) -> CollectionJob[AnySource]:
    """What is ingested of the source, from where, to where."""
    from pipeline.ingestion.collection import CollectionJob

    experiment, workspace = job.experiment, job.workspace
    assert experiment.collection is not None
    return CollectionJob(
        source=source,
        name=experiment.collection.name,
        store=workspace.cube(experiment.name),
        cache=workspace.cache / experiment.source_name,
        policy=experiment.fetch,
    )


def rendered(job: Job, digest: Callable[..., str], gather: Callable[..., ReportInputs], **more: Any) -> Path:
    """The report, written anew where the digest of what it is made from has changed."""
    from pipeline.reports.render import is_current, render

    experiment, path = job.experiment, job.workspace.report(job.experiment.name)
    ((place, title),) = experiment.places.items()
    told = {
        "title": experiment.title,
        "description": experiment.description,
        "place": place,
        "place_title": title,
        **more,
    }
    found = digest(job.workspace, experiment.name, **told)
    if is_current(path, found):
        return path
    return render(gather(job.workspace, experiment.name, digest=found, **told), path)

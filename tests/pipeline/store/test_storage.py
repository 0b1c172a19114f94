"""How often a repository on S3 asks again in an outage: as its access says, however it was opened."""

from dataclasses import replace

import numpy as np
import pytest
import zarr

from pipeline.errors import OutageError
from pipeline.store import repository


def noise(session):
    """Write more than fits into a manifest."""
    group = zarr.create_group(session.store, overwrite=True)
    group.create_array("x", data=np.random.default_rng(0).random(1000))
    return "noise", {}


@pytest.mark.parametrize(("patience", "tries"), [(0.1, 3), (1.0, 7)])
def test_a_chunk_is_written_anew_as_often_as_patience_says(on_s3, object_store, patience, tries):
    """The waits double from a tenth of a second to the longest, which comes for twice the patience."""
    path = on_s3 / "cube"
    repository.create(path, splits={"time": 4})
    hasty = replace(path, access=path.access.model_copy(update={"patience": patience}))
    session = repository.open_repository(hasty).writable_session("main")
    object_store.outage(600)
    with pytest.raises(OutageError), repository.translated(hasty):
        noise(session)
    assert object_store.refused() == tries

"""Settings for every test, and the places in which what is kept can be kept."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from pipeline.location import located
from pipeline.s3 import _store
from pipeline.s3_access import Access
from tests.object_store import BUCKET, REGION, ObjectStore, serving

settings.register_profile(
    "isotherm", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("isotherm")


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """A server of objects, for all tests of the process."""
    with serving(tmp_path_factory.mktemp("s3") / "server.log") as store:
        yield store


@pytest.fixture
def object_store(s3_server: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """A server of objects that works, and its keys in the environment."""
    for name in os.environ:
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    # What was made with other keys keeps them.
    _store.cache_clear()
    yield s3_server
    s3_server.outage(0)


@pytest.fixture
def on_s3(object_store: ObjectStore) -> Path:
    """An empty folder in the bucket."""
    access = Access(endpoint=object_store.url, region=REGION, patience=60)
    return located(f"s3://{BUCKET}/{uuid.uuid4().hex}", access)


@pytest.fixture(params=["disk", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An empty folder on disk, and one on S3."""
    return tmp_path if request.param == "disk" else request.getfixturevalue("on_s3")

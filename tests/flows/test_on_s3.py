"""The whole way in a workspace on S3: as a user types it, through an outage, and with wrong settings."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from flows.composing import job_for
from flows.settings import Settings
from models.champions import champion, reigns
from models.comparison import comparisons
from models.pinned import find_pinned
from pipeline.errors import ConfigError, OutageError
from pipeline.forecasts import archive
from pipeline.lineage import read_lineage
from pipeline.location import located
from pipeline.s3 import S3Path
from pipeline.store import reader
from pipeline.store.state import status_summary
from pipeline.workspace import Workspace
from tests import seas
from tests.object_store import KEYS, ObjectStore


def isotherm(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "PYTHONUNBUFFERED": "1", **environment}
    return subprocess.run(
        [Path(sys.executable).with_name("isotherm"), *words],
        env={name: value for name, value in given.items() if value},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of the machine."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def record(tmp_path: Path, experiments: Path) -> str:
    """All days of the small sea in one file."""
    return str(seas.write(tmp_path / "all.nc", seas.sea(seas.days())))


def test_from_files_to_a_published_forecast(
    on_s3: S3Path, record: str, cache: Path, tmp_path: Path, prefect_server: str
) -> None:
    words = ("run", "small", "--from-files", record, "--workspace", str(on_s3))
    done = isotherm(*words, PREFECT_API_URL=prefect_server)
    assert done.returncode == 0, done.stderr
    workspace = Workspace(on_s3)
    assert status_summary(workspace.cube("small")).final == len(seas.days())
    assert str(workspace.report("small")) in done.stdout
    assert "<html" in workspace.report("small").read_text()
    told = dict(line.split(maxsplit=1) for line in done.stdout.splitlines() if line[0] != " ")
    for each in (told["forecast"], told["entry"], told["catalog"], told["report"]):
        assert each.startswith(str(on_s3))

    opened = subprocess.run(
        [
            sys.executable,
            "-P",
            "-c",
            textwrap.dedent("""
                import json, sys
                import xarray as xr
                with xr.open_zarr(sys.argv[1]) as data:
                    print(json.dumps([str(data.init_time.values[0])[:10], bool(data.sst.notnull().any())]))
            """),
            told["forecast"],
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(opened.stdout) == [str(seas.LAST), True]

    status = isotherm("status", ISOTHERM_WORKSPACE=str(on_s3))
    assert f"{len(seas.days())} final" in status.stdout
    for address in (told["forecast"], told["entry"]):
        lineage = isotherm("lineage", address)
        assert read_lineage(address, on_s3.access).cube_snapshot in lineage.stdout

    before = products(on_s3)
    again = isotherm(*words, PREFECT_API_URL=prefect_server)
    assert again.returncode == 0, again.stderr
    assert "ingested 0 days" in again.stdout
    assert "epoch" not in again.stderr
    assert products(on_s3) == before

    daily = isotherm(
        *("daily", "small", "--from-files", record, "--workspace", str(on_s3)),
        PREFECT_API_URL=prefect_server,
        ISOTHERM_TODAY="2020-09-01",
    )
    assert daily.returncode in {0, 3}, daily.stderr
    assert (workspace.scores("small", "small") / "scorecard.json").is_file()

    from flows.retain import run_retain

    published = {path: read_lineage(path) for path in (on_s3 / "published").glob("small/small/forecast-*")}
    litter = workspace.scores("small", "small") / "0123.zarr"
    (litter / "zarr.json").write_text("{}")
    (litter / "x" / "zarr.json").write_text("{}")
    with job_for("small", workspace=str(on_s3), embedded=False) as job:
        removed = run_retain(job, now=dt.datetime.now(dt.UTC) + dt.timedelta(40)).removed
        newest = archive.read(workspace.archive("small"), "small", "persistence")
    assert str(litter.relative_to(on_s3)) in {each.path for each in removed}
    assert not litter.exists()
    assert newest.sst.isel(init_time=-1).notnull().any()
    for path, chain in published.items():
        assert read_lineage(path) == chain
        reader.read_record(workspace.cube("small"), "small", snapshot=chain.cube_snapshot)

    # What serves the machine alone is in its cache, and no key is anywhere.
    assert not (tmp_path / "workspace").exists()
    assert not [path for path in on_s3.iterdir() if path.name in {"cache", "prefect"}]
    secret = KEYS["AWS_SECRET_ACCESS_KEY"]
    assert not [path for path in on_s3.walk() if secret.encode() in path.read_bytes()]
    assert secret not in done.stdout + done.stderr + status.stdout
    home = cache / "isotherm" / on_s3.bucket / on_s3.key
    assert not [path for path in home.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


def products(workspace: S3Path) -> dict[str, bytes]:
    """What consumers open."""
    return {path.key: path.read_bytes() for path in (workspace / "published").walk() if ".zarr/" in path.key}


def test_champions_and_retention_by_their_commands(
    on_s3: S3Path, experiments: Path, cache: Path, tmp_path: Path, prefect_server: str
) -> None:
    last = dt.date(2020, 11, 30)
    seas.write_experiment(experiments, end=last)
    record = str(seas.write(tmp_path / "longer.nc", seas.sea(seas.days(last=last))))

    def said(*words: str) -> str:
        done = isotherm(*words, "--workspace", str(on_s3), PREFECT_API_URL=prefect_server)
        assert done.returncode == 0, done.stderr
        return done.stdout

    said("ingest", "small", "--from-files", record)
    said("train", "small")
    folder = Workspace(on_s3).models("small", "small")
    first = champion(folder).model_id
    told = said("retrain", "small")
    (made,) = comparisons(folder)
    assert "".join(made.sentence.split()) in "".join(told.split())
    assert find_pinned(folder) is None
    second = made.challenger
    # Whichever the retraining left as champion.
    said("promote", "small", first, "--because", "it is known")
    assert f"{second} is champion since" in said("promote", "small", second, "--because", "it is newer")
    assert champion(folder).model_id == second
    assert f"{first} is champion since" in said("rollback", "small", "--because", "it drifts")
    assert [each.because for each in reigns(folder)][-2:] == ["it is newer", "it drifts"]
    assert first in said("status", "small")

    before = {path.key: path.read_bytes() for path in on_s3.walk()}
    assert "would remove 0.0 KiB in all" in said("retain", "small", "--dry-run")
    assert {path.key: path.read_bytes() for path in on_s3.walk()} == before
    assert "removed 0.0 KiB in all" in said("retain", "small")
    assert champion(folder).model_id == first


def test_an_outage_is_told_and_the_next_run_goes_on(
    on_s3: S3Path, object_store: ObjectStore, record: str, cache: Path, prefect_server: str
) -> None:
    from flows.ingest import ingest

    os.environ["ISOTHERM_S3_PATIENCE"] = "1"
    try:
        object_store.outage(600, after=60)
        with pytest.raises(OutageError) as caught:
            ingest("small", workspace=str(on_s3), from_files=(record,))
        assert "run again" in caught.value.remedy
    finally:
        object_store.outage(0)
        del os.environ["ISOTHERM_S3_PATIENCE"]
    done = ingest("small", workspace=str(on_s3), from_files=(record,))
    assert not done.gaps
    assert status_summary(Workspace(on_s3).cube("small")).final == len(seas.days())


def test_settings_of_s3_are_those_of_all_its_clients(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setenv("ISOTHERM_WORKSPACE", "s3://sea/team/x")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://127.0.0.1:2")
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    settings = Settings.load()
    assert isinstance(settings.workspace, S3Path)
    access = settings.workspace.access
    assert (access.endpoint, access.region) == ("https://127.0.0.1:2", "eu-north-1")
    assert (access.by_path, access.insecure) == (True, False)
    assert (settings.workspace / "cubes").access == access
    assert settings.here == cache / "isotherm" / "sea" / "team" / "x"
    assert Settings.load(cache="elsewhere").here == Path("elsewhere")
    monkeypatch.setenv("ISOTHERM_S3_PATH_STYLE", "false")
    assert not Settings.load().access.by_path
    monkeypatch.setenv("ISOTHERM_WORKSPACE", "s3://Sea")
    with pytest.raises(ConfigError, match="ISOTHERM_WORKSPACE") as caught:
        Settings.load()
    assert "s3://bucket/prefix" in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "address", "said"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "", "AWS_ENDPOINT_URL"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_METADATA_ENDPOINT": "http://127.0.0.1:9"}, "", "AWS_ACCESS_KEY_ID"),
        ({}, "s3://nowhere/x", "no bucket 'nowhere'"),
    ],
)
@pytest.mark.parametrize("words", [("status",), ("run", "small")])
def test_a_wrong_setting_is_named_before_anything_starts(
    on_s3: S3Path,
    experiments: Path,
    cache: Path,
    environment: dict[str, str],
    address: str,
    said: str,
    words: tuple[str, ...],
) -> None:
    done = isotherm(*words, "--workspace", address or str(on_s3), **environment)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not on_s3.walk()


@pytest.mark.parametrize(
    ("workspace", "absent"),
    [
        ("workspace", {"obstore", "s3fs", "boto3", "botocore", "prefect"}),
        ("s3", {"s3fs", "botocore", "prefect"}),
    ],
)
def test_status_imports_no_more_than_it_needs(
    on_s3: S3Path, workspace: str, absent: set[str], tmp_path: Path
) -> None:
    code = """
        import sys
        from flows.cli import main
        sys.argv = ["isotherm", "status", "--workspace", sys.argv[1]]
        try:
            main()
        except SystemExit:
            print(*sorted({name.partition(".")[0] for name in sys.modules}))
    """
    root = located(str(on_s3 if workspace == "s3" else tmp_path / "workspace"), on_s3.access)
    seas_cube(root)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(root)], capture_output=True, text=True, check=False
    )
    assert "small" in done.stdout, done.stderr
    assert not absent & {*done.stdout.splitlines()[-1].split()}


def seas_cube(root: Path) -> None:
    """A workspace with a cube of no days."""
    from pipeline.grid import Grid
    from pipeline.store import writer
    from pipeline.types import Box

    workspace = Workspace.open(root)
    grid = Grid.regular(Box(latitude=(-40, -38), longitude=(150, 152)), 1)
    writer.create_cube(workspace.cube("small"), {"small": grid}, seas.FIRST)

"""The command: it teaches, it answers errors with a remedy, and reading never loads Prefect or Keras."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows import cli, composing, show
from pipeline.errors import ConfigError, IsothermError

COMMANDS = [
    "run",
    "ingest",
    "train",
    "forecast",
    "evaluate",
    "report",
    "publish",
    "status",
    "experiments",
    "lineage",
    "mirror",
    "retrain",
    "promote",
    "rollback",
]


def command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str
) -> tuple[int, str, str]:
    """The command run in this process: its exit status and what it printed."""
    monkeypatch.setattr(sys, "argv", ["isotherm", *words])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    said = capsys.readouterr()
    assert "Traceback" not in said.err + said.out
    return int(stop.value.code or 0), said.out, said.err


@pytest.mark.parametrize("name", COMMANDS)
def test_help_teaches_by_example(name: str) -> None:
    shown = CliRunner().invoke(cli.app, [name, "--help"], env={"COLUMNS": "200"}).output
    assert "Example" in shown
    assert f"isotherm {name}" in shown


def test_help_names_every_command() -> None:
    shown = CliRunner().invoke(cli.app, ["--help"]).output
    assert all(f" {name} " in shown for name in COMMANDS)
    assert "isotherm run demo" in shown


def test_a_command_that_is_not_there() -> None:
    result = CliRunner().invoke(cli.app, ["statsu"])
    assert result.exit_code == 2
    assert "Did you mean 'status'?" in result.output


WATCH = """
import sys
class Refusal:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"prefect", "keras", "tensorflow", "distributed"}:
            raise AssertionError("imported " + name)
sys.meta_path.insert(0, Refusal())
sys.argv = ["isotherm", *sys.argv[1:]]
from flows.cli import main
main()
"""


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["--help"], 0),
        (["mirror", "--help"], 0),
        (["experiments"], 0),
        (["status"], 1),
        (["lineage", "nowhere.zarr"], 1),
        (["export", "small", "sea"], 1),
        (["train", "small"], 1),
        (["retrain", "small"], 1),
        (["promote", "small", "convlstm-1"], 1),
        (["rollback", "small"], 1),
        (["run", "small", "--from-files", "none.nc"], 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_only_reads_or_refuses_loads_neither_prefect_nor_keras(
    experiments: Path, words: list[str], status: int
) -> None:
    done = subprocess.run([sys.executable, "-c", WATCH, *words], capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert "AssertionError" not in done.stderr


@pytest.mark.parametrize(
    ("words", "message", "remedy"),
    [
        (["run", "smal"], "no experiment 'smal'", "did you mean 'small'?"),
        (["run", "small", "--from-files", "none*.nc"], "no file matches 'none*.nc'", "quote globs"),
        (["ingest", "small", "--mirror", "localhost:1"], "'localhost:1' is no address", "http://HOST:PORT"),
        (
            ["run", "small", "--mirror", "http://a", "--from-files", "b"],
            "--from-files and --mirror",
            "one of",
        ),
        (["train", "small"], "has no days yet", "isotherm ingest small"),
        (["forecast", "small"], "has no days yet", "isotherm ingest small"),
        (["retrain", "small"], "has no days yet", "isotherm ingest small"),
        (["promote", "small", "convlstm-1"], "no model 'convlstm-1'", "known: none"),
        (["rollback", "small"], "has no trained model yet", "isotherm train small"),
        (["rollback", "small", "--region", "smal"], "no region 'smal'", "did you mean 'small'?"),
        (["evaluate", "small"], "has no days yet", "isotherm ingest small"),
        (["report", "small"], "has no scores yet", "isotherm evaluate small"),
        (["publish", "small"], "has no scores yet", "isotherm evaluate small"),
        (["status"], "holds nothing yet", "isotherm run demo"),
        (["lineage", "none.zarr"], "nothing at", "published .zarr"),
        (["export", "small", "sea"], "is not of movies", "open its store"),
        (["mirror", "--fault", "odd"], "cannot read the fault 'odd'", "KIND"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_refusal_is_one_message_with_a_remedy(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    experiments: Path,
    words: list[str],
    message: str,
    remedy: str,
) -> None:
    status, out, err = command(capsys, monkeypatch, *words)
    assert (status, out) == (1, "")
    assert err.startswith("error: ")
    assert message in err
    assert remedy in err
    assert err.count("error:") == 1


def test_a_typo_of_a_file_is_told_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, experiments: Path
) -> None:
    """Square brackets are no markup."""
    path = experiments / "small.toml"
    path.write_text(path.read_text().replace("filters", "filtres"))
    status, _, err = command(capsys, monkeypatch, "run", "small")
    assert status == 1
    assert f"{path}: [model]: unknown key 'filtres'" in err
    status, out, _ = command(capsys, monkeypatch, "experiments")
    assert status == 0
    assert "unknown key" in " ".join(out.split())


def test_a_workspace_of_a_newer_version(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, experiments: Path, tmp_path: Path
) -> None:
    mark = tmp_path / "newer" / "workspace.json"
    mark.parent.mkdir()
    mark.write_text(json.dumps({"format": 99}))
    for words in (["status"], ["run", "small"], ["publish", "small"]):
        status, _, err = command(capsys, monkeypatch, *words, "--workspace", str(mark.parent))
        assert status == 1
        assert "has format 99" in err
        assert "upgrade Isotherm" in err
    assert [path.name for path in mark.parent.iterdir()] == ["workspace.json"]


def test_a_workspace_that_is_a_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, experiments: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")
    status, _, err = command(capsys, monkeypatch, "run", "small", "-w", "file")
    assert (status, (tmp_path / "file").read_text()) == (1, "mine")
    assert "is a file" in err


@pytest.mark.parametrize(
    ("raised", "status", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "x"), 1, "no space is left"),
        (OSError(errno.EROFS, "Read-only file system", "x"), 1, "--workspace"),
        (PermissionError(errno.EACCES, "Permission denied", "x"), 1, "change the permissions"),
        (ConfigError("a [bad] thing", remedy="do [that]"), 1, "error: a [bad] thing\n  → do [that]"),
        (ValueError("surprise"), 70, "internal error: ValueError: surprise"),
        (ZeroDivisionError(), 70, "defect of Isotherm"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
    ids=repr,
)
def test_how_a_command_ends(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    experiments: Path,
    raised: BaseException,
    status: int,
    told: str,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(composing, "job_for", fail)
    got, out, err = command(capsys, monkeypatch, "run", "small")
    assert (got, out) == (status, "")
    assert told in err


def test_notes_are_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        error = IsothermError("no window fits", remedy="widen the split")
        error.add_note("3 days could not be had")
        raise error

    monkeypatch.setattr(show, "experiments", fail)
    status, _, err = command(capsys, monkeypatch, "experiments")
    assert status == 1
    assert err == "error: no window fits\n  → 3 days could not be had\n  → widen the split\n"


def test_status_leaves_no_trace(experiments: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    done = subprocess.run(
        [Path(sys.executable).with_name("isotherm"), "status"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_looking_loads_no_heavy_library() -> None:
    code = """
import sys
import flows.cli, flows.show_status, flows.status
heavy = {"prefect", "xarray", "dask", "pandas", "scipy", "httpx", "netCDF4", "h5py", "matplotlib", "keras"}
print(sorted(heavy & set(sys.modules)))
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"

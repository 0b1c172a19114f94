"""Local files: each once and in the order of the globs; a folder is told what to write instead."""

from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.sources import local


def test_files_come_once_by_name_and_by_the_order_of_the_globs(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "c.txt"):
        (tmp_path / name).write_text(name)
    (tmp_path / "d.csv").mkdir()
    found = local.matching([f"{tmp_path}/*.txt", f"{tmp_path}/*.csv", f"{tmp_path}/a*"])
    assert [Path(each).name for each in found] == ["c.txt", "a.csv", "b.csv"]


def test_a_folder_is_passed_over_or_looked_through(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.csv").write_text("a")
    with pytest.raises(ConfigError, match="is a folder") as refused:
        local.matching([str(tmp_path)])
    assert f"'{tmp_path}/*'" in refused.value.remedy
    found = local.matching([str(tmp_path)], within=lambda folder: folder.rglob("*.csv"))
    assert found == [str(tmp_path / "deep" / "a.csv")]
    with pytest.raises(ConfigError, match="no file matches"):
        local.matching([f"{tmp_path}/*.nc"], within=lambda folder: folder.rglob("*.csv"))


def test_the_version_changes_with_the_content(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a")
    before = local.granule(str(path))
    path.write_text("ab")
    assert before.mirror == "files"
    assert local.granule(str(path)).version != before.version

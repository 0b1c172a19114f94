import errno
import json
from pathlib import Path

import pytest

from pipeline.errors import DiskFullError, WorkspaceError
from pipeline.workspace import FORMAT, MARK, Workspace


def test_a_new_workspace_is_made_and_found_again(tmp_path):
    root = tmp_path / "a" / "b"
    workspace = Workspace.open(root)
    assert json.loads((root / MARK).read_text()) == {"format": FORMAT}
    assert Workspace.open(root) == workspace
    assert [path.name for path in root.iterdir()] == [MARK]


def test_looking_makes_nothing(tmp_path):
    Workspace(tmp_path / "absent").require_readable()
    assert list(tmp_path.iterdir()) == []


def test_a_newer_workspace_is_refused_and_left_alone(tmp_path):
    mark = tmp_path / MARK
    mark.write_text(json.dumps({"format": FORMAT + 1}))
    for use in (Workspace.open, lambda root: Workspace(root).require_readable()):
        with pytest.raises(WorkspaceError, match=f"has format {FORMAT + 1}") as caught:
            use(tmp_path)
        assert "upgrade Isotherm" in caught.value.remedy
        assert caught.value.fields["format"] == FORMAT + 1
    assert json.loads(mark.read_text()) == {"format": FORMAT + 1}


@pytest.mark.parametrize(
    "text", ["", "{", "{}", "[]", "3", '{"format": "new"}', '{"format": null}', "\udce9"]
)
def test_a_spoilt_mark_is_named(tmp_path, text):
    (tmp_path / MARK).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(WorkspaceError, match=r"workspace\.json does not say") as caught:
        Workspace.open(tmp_path)
    assert caught.value.remedy


def test_a_file_is_no_workspace_and_holds_none(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(WorkspaceError, match="is a file"):
        Workspace.open(tmp_path / "file")
    with pytest.raises(WorkspaceError, match="cannot be made: Not a directory") as caught:
        Workspace.open(tmp_path / "file" / "deeper")
    assert "--workspace" in caught.value.remedy


def test_a_full_disk_is_told_and_leaves_no_mark(tmp_path, monkeypatch):
    def full(self, *args, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(DiskFullError):
        Workspace.open(tmp_path / "new")
    assert not (tmp_path / "new" / MARK).exists()


def test_every_part_has_a_place_of_its_own_inside(tmp_path):
    workspace = Workspace(tmp_path)
    places = [
        workspace.cache,
        workspace.published,
        workspace.quarantine("x"),
        workspace.cube("x"),
        workspace.models("x", "bay"),
        workspace.archive("x"),
        workspace.scores("x", "bay"),
        workspace.report("x"),
        workspace.ingest_log("x"),
    ]
    assert len(set(places)) == len(places)
    assert all(place.is_relative_to(tmp_path) for place in places)
    assert workspace.models("x", "bay") != workspace.models("x", "gulf") != workspace.models("y", "gulf")

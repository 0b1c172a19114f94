"""Paths on S3: the laws of `pathlib`, whole objects, and failures told by the setting to see to."""

import pickle
import threading
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigError, OutageError, StoreError, WorkspaceError
from pipeline.location import Location, located
from pipeline.publish.product import update_text
from pipeline.s3 import S3Path, _store
from pipeline.store import repository
from pipeline.types import Spec
from pipeline.workspace import Workspace
from tests.object_store import KEYS

NAMES = st.text("ab.-_ é", min_size=1, max_size=8).filter(lambda name: set(name) - {"."})


@given(st.lists(NAMES, min_size=1, max_size=4), NAMES)
def test_parts_are_those_of_pathlib(names, other):
    path, known = S3Path.parse("s3://bucket"), PurePosixPath("/bucket")
    for name in names:
        path, known = path / name, known / name
    assert str(path) == f"s3:/{known}"
    assert (path.name, path.stem, path.suffix) == (known.name, known.stem, known.suffix)
    assert str(path.parent) == f"s3:/{known.parent}"
    assert str(path.with_name(other)) == f"s3:/{known.with_name(other)}"
    assert (path / other).is_relative_to(path)
    assert not path.is_relative_to(path / other)
    assert not path.with_name(f"{path.name}x").is_relative_to(path)
    assert S3Path.parse(str(path)) == path
    assert pickle.loads(pickle.dumps(path)) == path


@pytest.mark.parametrize(
    "address",
    ["s3://", "s3:/bucket/x", "s3://B", "s3://bucket/../x", "s3://bucket/a//b", "s3://bucket/a/./b"],
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ConfigError, match="s3://bucket/prefix"):
        S3Path.parse(address)


def test_a_location_is_of_either_kind_and_a_text_in_json():
    class Kept(Spec):
        at: Location

    for address, kind in (("s3://bucket/x", S3Path), ("x/y", Path)):
        kept = Kept(at=address)
        assert isinstance(kept.at, kind)
        assert kept.model_dump(mode="json") == {"at": address}
        assert Kept.model_validate_json(kept.model_dump_json()) == kept
    assert Kept.model_json_schema()["properties"]["at"]["type"] == "string"


def test_objects_and_folders(on_s3):
    folder = on_s3 / "a"
    assert not folder.exists()
    (folder / "x.json").write_text("é")
    (folder / "b" / "y.json").write_bytes(b"1")
    (on_s3 / "ab").write_bytes(b"")
    assert (folder / "x.json").read_text() == "é"
    assert ((folder / "x.json").is_file(), (folder / "x.json").is_dir()) == (True, False)
    assert (folder.is_file(), folder.is_dir(), folder.exists()) == (False, True, True)
    assert [path.name for path in folder.iterdir()] == ["b", "x.json"]
    assert list(folder.glob("*.json")) == [folder / "x.json"]
    assert folder.walk() == [folder / "b" / "y.json", folder / "x.json"]
    (folder / "x.json").unlink()
    (folder / "x.json").unlink(missing_ok=True)
    with pytest.raises(FileNotFoundError, match=r"x\.json"):
        (folder / "x.json").read_bytes()


def test_nothing_is_lost_of_what_several_add_to_one_text(on_s3):
    path = on_s3 / "list"

    def add(which):
        for number in range(5):
            more = f"{which}{number} "
            update_text(path, lambda held, more=more: held + more)

    threads = [threading.Thread(target=add, args=(which,)) for which in "abc"]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(path.read_text().split()) == [f"{which}{number}" for which in "abc" for number in range(5)]


def test_an_object_is_put_only_where_it_is_still_the_same(on_s3):
    path = on_s3 / "x"
    assert path.write_bytes(b"1", instead_of="")
    assert not path.write_bytes(b"2", instead_of="")
    held, tag = path.read_tagged()
    assert path.write_bytes(b"3", instead_of=tag)
    assert not path.write_bytes(b"4", instead_of=tag)
    assert (held, path.read_bytes()) == (b"1", b"3")


def uses(root):
    """What a run does first and then, each of which must tell what is wrong."""
    return (
        lambda: Workspace.open(root),
        lambda: Workspace(root).require_readable(),
        lambda: repository.open_repository(root / "cubes" / "x"),
        lambda: (root / "x").read_bytes(),
        lambda: (root / "x").write_bytes(b""),
        lambda: list((root / "x").iterdir()),
    )


def changed(path, **changes):
    access = path.access.model_copy(update={"patience": 0.2, **changes})
    return located(str(path), access)


def test_an_absent_bucket_is_named(on_s3):
    root = located("s3://no-such-bucket/x", on_s3.access)
    for use in (uses(root)[0], uses(root)[1], uses(root)[3], uses(root)[4], uses(root)[5]):
        with pytest.raises(WorkspaceError, match="has no bucket 'no-such-bucket'") as caught:
            use()
        assert "--workspace" in caught.value.remedy


@pytest.mark.parametrize("which", range(6))
def test_an_endpoint_that_does_not_answer_is_named_with_its_setting(on_s3, which):
    with pytest.raises(OutageError, match=r"http://127\.0\.0\.1:9 does not answer") as caught:
        uses(changed(on_s3, endpoint="http://127.0.0.1:9"))[which]()
    assert "AWS_ENDPOINT_URL" in caught.value.remedy
    assert caught.value.fields["endpoint"] == "http://127.0.0.1:9"


@pytest.fixture
def without_keys(on_s3, monkeypatch):
    for name in KEYS:
        monkeypatch.delenv(name)
    # Where the machine of a cloud would give its keys, nobody answers.
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9")
    _store.cache_clear()
    yield
    _store.cache_clear()


@pytest.mark.usefixtures("without_keys")
@pytest.mark.parametrize("which", range(6))
def test_lacking_keys_are_named(on_s3, which):
    with pytest.raises(WorkspaceError, match="there are no keys") as caught:
        uses(changed(on_s3))[which]()
    assert "AWS_ACCESS_KEY_ID" in caught.value.remedy


def test_a_short_outage_is_waited_for(on_s3, object_store):
    object_store.outage(3)
    (on_s3 / "x").write_text("kept")
    assert object_store.refused()
    assert (on_s3 / "x").read_text() == "kept"


@pytest.mark.parametrize("which", range(6))
def test_a_long_outage_is_told_as_one(on_s3, object_store, which):
    object_store.outage(600)
    with pytest.raises(OutageError, match="answers 503") as caught:
        uses(changed(on_s3))[which]()
    assert isinstance(caught.value, StoreError)
    assert "run again" in caught.value.remedy
    assert object_store.refused()
    object_store.outage(0)
    Workspace.open(on_s3)


def test_no_key_is_in_what_travels_or_is_told(on_s3, object_store):
    repository.create(on_s3 / "cube", splits={"time": 4})
    session = repository.read_session(on_s3 / "cube")
    fork = repository.open_repository(on_s3 / "cube").writable_session("main").fork()
    object_store.outage(600)
    with pytest.raises(OutageError) as caught:
        (changed(on_s3) / "x").read_bytes()
    error = caught.value
    told = [repr(on_s3), str(error), repr(error.fields), repr(error.__cause__), repr(session)]
    travels = [pickle.dumps(held) for held in (on_s3, error, fork)]
    for key in KEYS.values():
        assert not [text for text in told if key in text]
        assert not [held for held in travels if key.encode() in held]

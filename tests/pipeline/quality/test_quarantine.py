import datetime as dt

import pytest

from pipeline import quarantine as module
from pipeline.errors import DiskFullError
from pipeline.quality.base import Finding
from pipeline.quarantine import list_quarantine, quarantine
from pipeline.sources.base import Granule
from pipeline.types import Status

DAY = dt.date(2020, 1, 2)
GRANULE = Granule("ncei", "http://mirror/x/oisst.20200102.nc?a=b", (DAY,), Status.FINAL)
FINDING = Finding("range", "refuse", DAY, "3 values outside")


def test_the_file_is_kept_with_its_reason(tmp_path, place):
    file = tmp_path / "cache.nc"
    file.write_bytes(b"bad")
    told = quarantine(file, GRANULE, [FINDING], place / "q")
    (entry,) = list_quarantine(place / "q")
    assert told.name == "ncei-oisst.20200102.nc.json"
    assert (entry.url, entry.days, entry.file) == (GRANULE.url, (DAY,), "ncei-oisst.20200102.nc")
    assert entry.findings[0].model_dump() == {
        "check": "range",
        "severity": "refuse",
        "day": DAY,
        "message": "3 values outside",
    }
    file.unlink()
    assert (place / "q" / entry.file).read_bytes() == b"bad"


def test_a_file_refused_again_has_one_entry(tmp_path, place):
    file = tmp_path / "cache.nc"
    for content in (b"bad", b"worse"):
        file.write_bytes(content)
        quarantine(file, GRANULE, [FINDING], place / "q")
        file.unlink()
    (entry,) = list_quarantine(place / "q")
    assert (place / "q" / entry.file).read_bytes() == b"worse"
    assert len(list((place / "q").iterdir())) == 2


def test_where_links_do_not_work_it_is_copied(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(module.os, "link", refuse)
    file = tmp_path / "cache.nc"
    file.write_bytes(b"bad")
    quarantine(file, GRANULE, [FINDING], tmp_path / "q")
    assert (tmp_path / "q" / "ncei-oisst.20200102.nc").read_bytes() == b"bad"


def test_what_is_no_entry_is_passed_over(tmp_path):
    assert list_quarantine(tmp_path / "none") == []
    (tmp_path / "half.json").write_text('{"name": "x"')
    (tmp_path / "other.json").write_bytes(b"\xff\xfe")
    quarantine(None, GRANULE, [FINDING], tmp_path)
    (entry,) = list_quarantine(tmp_path)
    assert entry.file is None


def test_no_space_leaves_no_half_of_an_entry(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(tmp_path), "write_text", full)
    file = tmp_path / "cache.nc"
    file.write_bytes(b"bad")
    with pytest.raises(DiskFullError, match="free some space"):
        quarantine(file, GRANULE, [FINDING], tmp_path / "q")
    assert list_quarantine(tmp_path / "q") == []
    assert not list((tmp_path / "q").glob(".*"))

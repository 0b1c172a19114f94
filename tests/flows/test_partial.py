"""A region that fails does not keep the others from their results."""

import pytest

from flows.partial import Regions, RegionsError
from pipeline.errors import DiskFullError, WindowError


def fails_in(*bad):
    def work(name):
        if name in bad:
            raise WindowError(f"no window in {name}", remedy="ingest more")
        return name.upper()

    return work


def test_the_others_go_on_and_the_failed_one_is_left_out_from_then_on():
    regions = Regions.of(["black", "bohai", "japan"])
    assert regions.each(fails_in("bohai")) == {"black": "BLACK", "japan": "JAPAN"}
    assert regions.each(fails_in()) == {"black": "BLACK", "japan": "JAPAN"}
    with pytest.raises(RegionsError, match="1 of 3 regions failed: bohai: no window in bohai") as caught:
        regions.settle("what was done")
    assert caught.value.fields["done"] == "what was done"
    assert "ingest more" in caught.value.remedy


def test_a_run_of_which_nothing_is_left_fails_with_the_cause():
    with pytest.raises(WindowError, match="no window in bohai"):
        Regions.of(["bohai"]).each(fails_in("bohai"))


def test_a_full_disk_ends_the_run_at_once():
    def full(_name):
        raise DiskFullError("no space")

    with pytest.raises(DiskFullError):
        Regions.of(["black", "bohai"]).each(full)


def test_nothing_is_said_where_all_is_well():
    regions = Regions.of(["black"])
    regions.each(fails_in())
    regions.settle(None)

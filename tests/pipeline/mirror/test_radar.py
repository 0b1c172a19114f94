"""The mirror of radar composites: a folder on the web that the source reads as it reads files."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.mirror import Mirror
from pipeline.sources import movie_source
from pipeline.sources.base import Fetched, FetchFailure
from pipeline.sources.fetch import Fetcher
from pipeline.sources.policy import FetchPolicy
from tests.radar import decoded, drifting, write_composites

QUICK = FetchPolicy(attempts=2, backoff=0.001, per_second=1000)


def test_what_comes_over_the_web_is_what_the_files_hold(tmp_path: Path) -> None:
    write_composites(tmp_path / "knmi" / "2010", drifting(4))
    with Mirror(radar_folder=tmp_path / "knmi") as mirror, Fetcher(QUICK) as fetcher:
        made = movie_source("knmi-radar", addresses=mirror.addresses_of("knmi-radar"))
        granules = made.list_granules("web", fetcher.read)
        found = list(fetcher.fetch(granules, tmp_path / "cache", complaint=made.content_complaint))
    assert all(isinstance(each, Fetched) for each in found)
    table, files = made.decode_movies(found), decoded(tmp_path / "knmi" / "2010")
    np.testing.assert_array_equal(table.values, files.values)
    assert [each.sha256 for each in table.sources] == [each.sha256 for each in files.sources]


def test_a_page_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    write_composites(tmp_path / "knmi", drifting(2))
    with (
        Mirror(radar_folder=tmp_path / "knmi", faults=["html:/radar/*0005.h5"]) as mirror,
        Fetcher(QUICK) as fetcher,
    ):
        made = movie_source("knmi-radar", addresses=mirror.addresses_of("knmi-radar"))
        granules = made.list_granules("web", fetcher.read)
        first, second = fetcher.fetch(granules, tmp_path / "cache", complaint=made.content_complaint)
    assert isinstance(first, Fetched)
    assert isinstance(second, FetchFailure)
    assert "page of HTML" in second.error.message


def test_files_of_one_name_are_refused(tmp_path: Path) -> None:
    for folder in ("2010", "2011"):
        write_composites(tmp_path / "knmi" / folder, drifting(2))
    with pytest.raises(ConfigError, match=r"2010/RAD_\S+ and \S+2011/RAD_\S+ have one name"):
        Mirror(radar_folder=tmp_path / "knmi")


def test_without_composites_there_is_no_radar(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no \.h5 file"):
        Mirror(radar_folder=tmp_path)
    with Mirror() as mirror, Fetcher(QUICK) as fetcher:
        made = movie_source("knmi-radar", addresses=mirror.addresses_of("knmi-radar"))
        with pytest.raises(Exception, match="404"):
            made.list_granules("web", fetcher.read)

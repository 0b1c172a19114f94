"""Retries and their pauses, and errors that say what to do."""

import datetime as dt
import email.utils

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import FetchError
from pipeline.mirror import Fault, Mirror
from pipeline.sources import http
from pipeline.sources.fetch import Fetcher, reading
from pipeline.sources.policy import FetchPolicy


def test_no_network_is_one_clear_error(hasty: FetchPolicy) -> None:
    with (
        reading(hasty) as read,
        pytest.raises(FetchError, match=r"no connection to 127\.0\.0\.1:1") as caught,
    ):
        read("http://127.0.0.1:1/data/")
    assert "--from-files" in caught.value.remedy


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/data/", "nowhere", "http://127.0.0.1:port/"])
def test_an_address_that_is_none_is_refused(fetcher: Fetcher, url: str) -> None:
    with pytest.raises(FetchError, match="cannot be asked for") as caught:
        fetcher.read(url)
    assert caught.value.remedy


def test_a_listing_survives_transient_failures(fetcher: Fetcher, mirror: Mirror) -> None:
    mirror.faults.add("502*2:/ncei/202001/")
    assert b"Index of" in fetcher.read(f"{mirror.url}/ncei/202001/")


def test_retry_after_is_obeyed(fetcher: Fetcher, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float | None] = []

    def pause(number: int, after: float | None, policy: FetchPolicy) -> float:
        asked.append(after)
        return 0.0

    monkeypatch.setattr(http, "pause", pause)
    mirror.faults.add(Fault(kind="status", status=429, match="/ncei/*", times=1, retry_after=17))
    fetcher.read(f"{mirror.url}/ncei/202001/")
    assert asked == [17.0]


def test_retry_after_has_two_forms() -> None:
    assert http.retry_after("120") == 120
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=90)
    assert http.retry_after(email.utils.format_datetime(soon, usegmt=True)) == pytest.approx(90, abs=5)
    assert http.retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert http.retry_after("soon") is None
    assert http.retry_after(None) is None


@given(number=st.integers(0, 60), after=st.none() | st.floats(0, 1e9))
def test_no_pause_is_longer_than_the_policy(number: int, after: float | None) -> None:
    policy = FetchPolicy()
    pause = http.pause(number, after, policy)
    if after is None:
        whole = min(policy.longest_backoff, policy.backoff * 2.0**number)
        assert whole / 2 <= pause <= whole
    else:
        assert pause == min(after, policy.longest_retry_after)

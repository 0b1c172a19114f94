"""How hosts are asked: how often, how many at once, and how long to wait; read without any HTTP library."""

from __future__ import annotations

from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from pipeline.types import Spec


class FetchPolicy(Spec):
    """How hard, how patiently and how politely to fetch."""

    attempts: PositiveInt = 5
    """Requests before a granule is given up; only transient failures are tried again."""
    connect_attempts: PositiveInt = 3
    """Of these, without any connection: who has no network shall know soon."""
    backoff: NonNegativeFloat = 0.5
    """Seconds before the second request; doubled each time, with jitter."""
    longest_backoff: NonNegativeFloat = 30.0
    """Seconds."""
    longest_retry_after: NonNegativeFloat = 120.0
    """Seconds for which a server's `Retry-After` is obeyed."""
    connect_timeout: PositiveFloat = 10.0
    """Seconds."""
    read_timeout: PositiveFloat = 60.0
    """Seconds without a byte."""
    concurrency: PositiveInt = 6
    """Requests at once to one host."""
    per_second: PositiveFloat = 25.0
    """Requests begun in a second to one host."""
    give_up_after: PositiveInt = 4
    """Granules in a row lost to a host's transient failures, after which the host is not asked again."""

    def shared_by(self, fetchers: int) -> FetchPolicy:
        """For each of so many fetchers at once, which together ask a host no more than this allows."""
        return self.model_copy(
            update={
                "concurrency": max(1, self.concurrency // fetchers),
                "per_second": self.per_second / fetchers,
            }
        )

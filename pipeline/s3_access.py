"""How an object store is reached, and what is wrong where it is not, told by the setting to see to."""

from __future__ import annotations

import re
from typing import Any

from pydantic import PositiveFloat

from pipeline.errors import IsothermError, OutageError, StoreError, WorkspaceError
from pipeline.types import Spec

_COMPLAINTS = (
    ("NoSuchBucket", "{where} has no bucket {bucket!r}", "make it, or name another with --workspace"),
    (
        r"169\.254\.\d+\.\d+|/latest/api/token|CredentialsNotLoaded|no providers in chain|Missing (Access|Secret)",
        "there are no keys for it",
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ),
    (
        "AuthorizationHeaderMalformed|PermanentRedirect|IllegalLocationConstraint|status code: 301",
        "the bucket is in another region",
        "set AWS_REGION to the bucket's, or AWS_ENDPOINT_URL",
    ),
    (
        r"AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|status code: 40[13]",
        "{where} refuses these keys",
        "see that AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are right, and may list, read, write and delete there",
    ),
)
_UNANSWERED = "error sending request|dispatch failure|tcp connect error|dns error|operation timed out"
_OUT_OF_ORDER = (
    r"status code: (5\d\d|429)|service error|streaming error|SlowDown|ServiceUnavailable|InternalError"
)


class Access(Spec):
    """How an object store is reached. Keys are no part of it: each machine has its own, in its environment."""

    endpoint: str | None = None
    """Amazon's of the region where None."""
    region: str | None = None
    path_style: bool | None = None
    """Whether the bucket stands in the path of an address, not in its host; so at an endpoint of one's own if None."""
    patience: PositiveFloat = 90.0
    """Seconds for which a request is made again where the store is out of order or does not answer."""

    @property
    def by_path(self) -> bool:
        """`path_style`, decided."""
        return self.endpoint is not None if self.path_style is None else self.path_style

    @property
    def insecure(self) -> bool:
        """Whether the endpoint is plain HTTP."""
        return (self.endpoint or "").startswith("http://")


def explained(path: str, access: Access, error: Exception) -> IsothermError:
    """What an S3 library complained of at the address `path`, and the setting to see to."""
    said = str(error)
    where = access.endpoint or "S3"
    bucket = path.removeprefix("s3://").partition("/")[0]
    facts: dict[str, Any] = {"path": path, "endpoint": access.endpoint}
    for marks, complaint, remedy in _COMPLAINTS:
        if re.search(marks, said):
            return WorkspaceError(
                f"{path} cannot be used: {complaint.format(bucket=bucket, where=where)}",
                remedy=remedy,
                **facts,
            )
    if re.search(_UNANSWERED, said):
        return OutageError(
            f"{path} cannot be reached: {where} does not answer",
            remedy="see that AWS_ENDPOINT_URL is right and the network well, and run again: what was committed is kept",
            **facts,
        )
    status = re.search(r"status code: (\d+ [A-Za-z ]+)", said)
    code = re.search(r"<Code>(\w+)</Code>", said)
    if re.search(_OUT_OF_ORDER, said):
        told = f" {status[1].strip()}" if status else " with a failure"
        return OutageError(
            f"{path}: {where} answers{told}{f' ({code[1]})' if code else ''}",
            remedy="wait until the object store is well, and run again: what was committed is kept",
            answered=True,
            patience=access.patience,
            **facts,
        )
    return StoreError(f"{path}: {said.strip().splitlines()[0]}", **facts)

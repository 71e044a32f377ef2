"""The records of a certificate. They are JSON of a public document."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from gencode.security.redaction import redact

MAX_TAIL = 4000
"""Characters of a log that a report keeps."""


_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class CertificateStatus(StrEnum):
    VERIFIED = "verified"
    FAILED = "failed"
    UNVERIFIED = "unverified"


class StepStatus(StrEnum):
    PASSED = "passed"
    FAILED = "failed"


class StepReport(BaseModel):
    """One step that was run."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: Annotated[str, Field(max_length=100, description="Such as `tests` or `migrate_up`")]
    status: StepStatus
    reason: Annotated[str, Field(max_length=1000, description="Why it failed; empty if it passed")] = ""
    command: Annotated[str, Field(max_length=1000, description="What was run")]
    exit_code: Annotated[int, Field(description="Negative for the signal that ended the command")]
    seconds: Annotated[float, Field(ge=0)]
    versions: Annotated[
        Mapping[str, str], Field(description="Of what was used, by name: `python`, `postgresql`, ...")
    ] = {}
    log_digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of the whole log")]
    log_tail: Annotated[
        str, Field(max_length=MAX_TAIL, description="The end of the log, without what looks like a secret")
    ] = ""

    @property
    def passed(self) -> bool:
        return self.status is StepStatus.PASSED


class Certificate(BaseModel):
    """What was proven of a project."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    status: Annotated[
        CertificateStatus,
        Field(description="`verified`: every step passed; `unverified`: not every step could be run here"),
    ]
    reason: Annotated[str, Field(max_length=1000, description="Why it is not verified")] = ""
    steps: Annotated[tuple[StepReport, ...], Field(description="In the order in which they were run")] = ()


def unverified(reason: str) -> Certificate:
    """A project of which nothing was run."""
    return Certificate(status=CertificateStatus.UNVERIFIED, reason=reason)


def digest_of(log: bytes) -> str:
    return hashlib.sha256(log).hexdigest()


def tail_of(log: bytes) -> str:
    """The end of a log, to be stored and shown: whole lines, no control characters, no secrets."""
    text = _COLOUR.sub("", redact(log[-8 * MAX_TAIL :].decode("utf-8", "replace")))
    text = "".join(c if c.isprintable() or c in "\n\t" else " " for c in text)
    if len(text) <= MAX_TAIL:
        return text
    return text[-MAX_TAIL:].partition("\n")[2] or text[-MAX_TAIL:]

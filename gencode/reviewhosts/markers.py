"""The hidden marks of what gencode has posted: the last line of each text, as an HTML comment.

    <!-- gencode:finding:0b6c...:91ab02cd34ef:open -->
    <!-- gencode:summary:5f3a09b1c2d3e4f5:01a2...:91ab02cd34ef:0b6c1f22,77ab0192 -->

A text that quotes one of them does not end with it. Whose text it is, the host says.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

OPEN, CLOSED = "open", "closed"
_SHORT = 8
_FINDING = re.compile(
    r"<!-- gencode:finding:(?P<key>[0-9a-f-]{36}):(?P<digest>[0-9a-f]{12}):(?P<state>open|closed) -->\s*\Z"
)
_SUMMARY = re.compile(
    r"<!-- gencode:summary:(?P<subject>[0-9a-f]{16}):(?P<task>[0-9a-zA-Z-]{1,64}):(?P<digest>[0-9a-f]{12})"
    r":(?P<told>[0-9a-f,]*) -->\s*\Z"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingMarker:
    """key: the id of the finding, which follows from the subject, too; digest: of the text as posted"""

    key: str
    digest: str
    is_closed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SummaryMarker:
    """task_id: of the review that it tells; told: short keys of findings that have, or had, a comment"""

    subject: str
    task_id: str
    digest: str
    told: frozenset[str]


def short(key: str) -> str:
    return key[:_SHORT]


def subject_name(subject: str) -> str:
    """A subject in a marker."""
    return hashlib.sha256(subject.encode()).hexdigest()[:16]


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def finding_body(key: str, text: str, *, is_closed: bool = False) -> str:
    state = CLOSED if is_closed else OPEN
    return f"{text}\n\n<!-- gencode:finding:{key}:{digest_of(text)}:{state} -->"


def summary_body(subject: str, task_id: str, text: str, told: Iterable[str]) -> str:
    """`told`: short keys."""
    keys = ",".join(sorted(told))
    return f"{text}\n\n<!-- gencode:summary:{subject_name(subject)}:{task_id}:{digest_of(text)}:{keys} -->"


def read_finding(body: str) -> tuple[FindingMarker, str] | None:
    """The marker of a comment, and its text without it."""
    if not (found := _FINDING.search(body)):
        return None
    marker = FindingMarker(key=found["key"], digest=found["digest"], is_closed=found["state"] == CLOSED)
    return marker, body[: found.start()].rstrip()


def read_summary(body: str, subject: str) -> SummaryMarker | None:
    """The marker of the summary of this subject."""
    found = _SUMMARY.search(body)
    if not found or found["subject"] != subject_name(subject):
        return None
    told = frozenset(found["told"].split(",")) - {""}
    return SummaryMarker(subject=subject, task_id=found["task"], digest=found["digest"], told=told)

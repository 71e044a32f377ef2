"""The port of a host that has change requests (pull requests, merge requests)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gencode.diffs import FileDiff, Side
from gencode.reviewhosts.markers import FindingMarker, SummaryMarker


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A change request.

    head         the commit that it proposes
    base, start  further commits of its diff, which GitLab's positions name
    """

    number: int
    head: str
    is_open: bool
    web_url: str
    base: str = ""
    start: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A line of the diff of a change.

    path, old_path  of the file after and before it
    line            its number on `side`
    other           its number on the other side; None of a line that only one side has
    """

    path: str
    old_path: str
    side: Side
    line: int
    other: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewComment:
    """A comment on a line. `body` ends with its marker."""

    key: str
    place: Place
    body: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PostedComment:
    """A comment of ours. `id`: the host's; `thread`: of what it begins, at hosts that have threads; `text`:
    without the marker."""

    id: str
    marker: FindingMarker
    text: str
    thread: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PostedSummary:
    id: str
    marker: SummaryMarker


@dataclass(frozen=True, kw_only=True, slots=True)
class Posted:
    """What of ours is on a change. `comments`: by key."""

    summary: PostedSummary | None = None
    comments: Mapping[str, PostedComment] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Added:
    """refused      keys of the comments that the host did not take
    has_summary  whether the summary was posted with the comments
    """

    refused: Collection[str] = ()
    has_summary: bool = False


class ReviewHost(Protocol):
    """The change requests of one repository. Each method makes one attempt, and raises HostError."""

    @property
    def max_body(self) -> int:
        """Characters of a text that the host takes."""
        ...

    def suggestion_fence(self, before: int, after: int) -> str:
        """What begins the block of a suggestion that replaces the line of the comment, and so many before and
        after it; "" if the host knows no such."""
        ...

    async def change(self, number: int) -> Change: ...

    async def diff(self, change: Change) -> Sequence[FileDiff]:
        """As the host shows it; files whose lines it does not tell are without hunks."""
        ...

    async def posted(self, change: Change, subject: str) -> Posted:
        """Only what the account of the token has written."""
        ...

    async def add_comments(
        self, change: Change, comments: Sequence[NewComment], note: str, summary: str | None
    ) -> Added:
        """Post new comments, as one review where the host has such.

        note     what the review says besides, where it must say something
        summary  given if there is none yet; it may be posted with the comments, or left to `add_summary`
        """
        ...

    async def add_summary(self, change: Change, body: str) -> None: ...

    async def change_summary(self, change: Change, summary: PostedSummary, body: str) -> None: ...

    async def change_comment(
        self, change: Change, comment: PostedComment, body: str, *, is_closed: bool
    ) -> str:
        """`is_closed`: nobody has to do anything about it any more. Where the host has threads, that of the
        comment is resolved, or opened again. Returns why that could not be done, else ""; the text is changed
        in either case."""
        ...

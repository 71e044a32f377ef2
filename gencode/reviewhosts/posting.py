"""Brings what of ours is on a change to what a review says. Repeating it posts nothing twice.

    read the change, and all that our account has written there
    close comments whose findings are closed, change those whose text is another, post the missing ones
    write the summary, which names the findings that have a comment

Each attempt begins with reading, also after a lost answer and after kill -9: what the host has taken is
there. A comment that somebody has deleted is not posted again: the summary knows that it was told.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import anyio.to_thread

from gencode.diffs import Side
from gencode.resilience.retry import OnRetry, Retry
from gencode.reviewhosts.change_lines import ChangeLines
from gencode.reviewhosts.errors import ChangeClosed
from gencode.reviewhosts.markers import digest_of, finding_body, read_summary, short, summary_body
from gencode.reviewhosts.port import Change, NewComment, Posted, PostedComment, ReviewHost

MAX_COMMENTS = 50
"""New ones of one review; further findings are in the summary."""
MARKER_ROOM = 4000
"""Characters of a text that are left for its marker: 300 short keys need 2,700."""
MAX_TOLD = 300
"""Findings that the summary knows to have, or have had, a comment."""
MAX_SUMMARY = 60_000
"""Characters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WantedComment:
    """An open finding.

    line  None without a proven line
    text  of the line, as people read it
    """

    key: str
    path: str
    side: Side
    line: int | None
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What the summary says besides the findings.

    listed    keys of findings that have no comment
    is_moved  the change has another head than the one that was reviewed
    """

    change: Change
    listed: Sequence[str]
    is_moved: bool


class ReviewTexts(Protocol):
    """The texts of a review; they may have no effect on the host (see `safe_text`)."""

    def comment(self, key: str, host: ReviewHost) -> str: ...

    def closed(self, key: str) -> str:
        """The line above the text of a comment whose finding is closed; also for an unknown key."""
        ...

    def note(self, count: int) -> str:
        """What a further review says of its new comments."""
        ...

    def summary(self, report: Report, room: int) -> str:
        """Of at most so many characters."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class WantedReview:
    """subject, task_id  see SummaryMarker
    head      the commit that was reviewed; "" if nobody has told it
    comments  the most important first
    texts     makes the texts
    """

    subject: str
    task_id: str
    head: str
    comments: Sequence[WantedComment]
    texts: ReviewTexts


@dataclass(frozen=True, kw_only=True, slots=True)
class Posting:
    """What was done. `listed`: findings in the summary alone; `is_superseded`: a later review was posted
    before, so nothing was done; `unresolved`: why a thread could not be resolved, or opened again; ""."""

    url: str
    created: int = 0
    changed: int = 0
    closed: int = 0
    listed: int = 0
    unresolved: str = ""
    is_moved: bool = False
    is_superseded: bool = False


async def post_review(
    host: ReviewHost,
    number: int,
    wanted: WantedReview,
    retry: Retry | None = None,
    on_retry: OnRetry | None = None,
) -> Posting:
    """Only one at a time may do this for a change. Raises HostError after three attempts, ChangeUnknown,
    ChangeClosed, PostingRefused; what was posted by then stays, and the next call goes on."""
    before: list[Posting] = []

    async def attempt() -> Posting:
        run = _Attempt(host, wanted)
        try:
            return await run(number)
        finally:
            before.append(run.done)

    last = await (retry or Retry(base=2.0))(attempt, on_retry)
    earlier = before[:-1]
    return Posting(
        url=last.url,
        created=last.created + sum(one.created for one in earlier),
        changed=last.changed + sum(one.changed for one in earlier),
        closed=last.closed + sum(one.closed for one in earlier),
        listed=last.listed,
        unresolved=last.unresolved or next((one.unresolved for one in earlier if one.unresolved), ""),
        is_moved=last.is_moved,
        is_superseded=last.is_superseded,
    )


@dataclass(kw_only=True, slots=True)
class _Counts:
    created: int = 0
    changed: int = 0
    closed: int = 0
    unresolved: str = ""


@dataclass(kw_only=True, slots=True)
class _Sorted:
    """Open findings: those that get a comment now, and those that the summary lists."""

    new: list[NewComment] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)


class _Attempt:
    def __init__(self, host: ReviewHost, wanted: WantedReview) -> None:
        self._host = host
        self._wanted = wanted
        self._counts = _Counts()
        self._room = host.max_body - MARKER_ROOM

    @property
    def done(self) -> Posting:
        counts = self._counts
        return Posting(
            url="",
            created=counts.created,
            changed=counts.changed,
            closed=counts.closed,
            unresolved=counts.unresolved,
        )

    async def __call__(self, number: int) -> Posting:
        change = await self._host.change(number)
        if not change.is_open:
            raise ChangeClosed(
                f"change request {number} is merged or closed: open it again, or post to another one"
            )
        posted = await self._host.posted(change, self._wanted.subject)
        if posted.summary and posted.summary.marker.task_id > self._wanted.task_id:
            return Posting(url=change.web_url, is_superseded=True)
        is_moved = bool(self._wanted.head) and self._wanted.head != change.head
        await self._change_posted(change, posted)
        sorted_ = await self._sort(change, posted, is_moved)
        await self._post(change, posted, sorted_, is_moved)
        counts = self._counts
        return Posting(
            url=change.web_url,
            created=counts.created,
            changed=counts.changed,
            closed=counts.closed,
            listed=len(sorted_.listed),
            unresolved=counts.unresolved,
            is_moved=is_moved,
        )

    # --- comments that are there ------------------------------------------------------------------------

    async def _change_posted(self, change: Change, posted: Posted) -> None:
        is_open = {one.key for one in self._wanted.comments}
        for key, comment in posted.comments.items():
            if key in is_open:
                await self._reopen_or_change(change, comment)
            elif not comment.marker.is_closed:
                text = f"{self._wanted.texts.closed(key)}\n\n{comment.text}"[: self._room]
                await self._edit(change, comment, text, is_closed=True)
                self._counts.closed += 1

    async def _reopen_or_change(self, change: Change, comment: PostedComment) -> None:
        """A text that somebody has changed on the host stays as long as ours is the same."""
        text = self._text(comment.marker.key)
        if comment.marker.is_closed or digest_of(text) != comment.marker.digest:
            await self._edit(change, comment, text, is_closed=False)
            self._counts.changed += 1

    async def _edit(self, change: Change, comment: PostedComment, text: str, *, is_closed: bool) -> None:
        body = finding_body(comment.marker.key, text, is_closed=is_closed)
        reason = await self._host.change_comment(change, comment, body, is_closed=is_closed)
        self._counts.unresolved = self._counts.unresolved or reason

    def _text(self, key: str) -> str:
        return self._wanted.texts.comment(key, self._host)[: self._room]

    # --- new ones ---------------------------------------------------------------------------------------

    async def _sort(self, change: Change, posted: Posted, is_moved: bool) -> _Sorted:
        told: Collection[str] = posted.summary.marker.told if posted.summary else ()
        missing = [
            one
            for one in self._wanted.comments
            if one.key not in posted.comments and short(one.key) not in told
        ]
        if is_moved or not missing:
            return _Sorted(listed=[one.key for one in missing])
        files = await self._host.diff(change)
        paths = frozenset(one.path for one in missing)
        lines = await anyio.to_thread.run_sync(ChangeLines, files, paths)
        sorted_ = _Sorted()
        for one in missing:
            comment = self._new(one, lines) if len(sorted_.new) < MAX_COMMENTS else None
            if comment:
                sorted_.new.append(comment)
            else:
                sorted_.listed.append(one.key)
        return sorted_

    def _new(self, one: WantedComment, lines: ChangeLines) -> NewComment | None:
        """None if the line is not in the diff of the change, or is another one there."""
        if one.line is None:
            return None
        place = lines.place(one.path, one.side, one.line, one.text)
        if place is None:
            return None
        return NewComment(key=one.key, place=place, body=finding_body(one.key, self._text(one.key)))

    # --- writing ----------------------------------------------------------------------------------------

    async def _post(self, change: Change, posted: Posted, sorted_: _Sorted, is_moved: bool) -> None:
        """What the host refuses is listed in the summary."""
        note = self._wanted.texts.note(len(sorted_.new))
        summary = None if posted.summary else self._summary(change, posted, sorted_, is_moved)
        added = await self._host.add_comments(change, sorted_.new, note, summary)
        refused = set(added.refused)
        self._counts.created += len(sorted_.new) - len(refused)
        sorted_.listed.extend(one.key for one in sorted_.new if one.key in refused)
        sorted_.new = [one for one in sorted_.new if one.key not in refused]
        if added.has_summary:
            return
        body = self._summary(change, posted, sorted_, is_moved)
        if posted.summary is None:
            await self._host.add_summary(change, body)
        elif read_summary(body, self._wanted.subject) != posted.summary.marker:
            await self._host.change_summary(change, posted.summary, body)

    def _summary(self, change: Change, posted: Posted, sorted_: _Sorted, is_moved: bool) -> str:
        order: Mapping[str, int] = {one.key: n for n, one in enumerate(self._wanted.comments)}
        listed = sorted(sorted_.listed, key=lambda key: order[key])
        report = Report(change=change, listed=listed, is_moved=is_moved)
        text = self._wanted.texts.summary(report, min(MAX_SUMMARY, self._room))
        before = posted.summary.marker.told if posted.summary else frozenset()
        now = [*posted.comments, *(one.key for one in sorted_.new)]
        told = list(dict.fromkeys([*map(short, now), *sorted(before)]))[:MAX_TOLD]
        return summary_body(self._wanted.subject, self._wanted.task_id, text, told)

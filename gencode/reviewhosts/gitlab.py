"""Merge requests of GitLab: https://docs.gitlab.com/api/discussions/

Each comment is a thread of its own, which is resolved when its finding is closed; the summary is a note.
(Draft notes would be one review, but publishing them publishes all drafts of the account, also those of a
person.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gencode.diffs import FileDiff, Side
from gencode.githosts.errors import HostForbidden, HostUnavailable
from gencode.githosts.gitlab import GitLab
from gencode.reviewhosts.api import ReviewApi, object_of, text_of
from gencode.reviewhosts.change_lines import file_of
from gencode.reviewhosts.errors import PostingRefused
from gencode.reviewhosts.markers import read_finding, read_summary
from gencode.reviewhosts.port import Added, Change, NewComment, Posted, PostedComment, PostedSummary

_REFUSED = frozenset({400, 422})


class GitLabReviewDialect(GitLab):
    required_permissions = "the scope api, and at least the role Reporter in the project"


class GitLabReviews:
    """Implements ReviewHost."""

    max_body = 1_000_000

    def __init__(self, api: ReviewApi) -> None:
        self._api = api

    def suggestion_fence(self, before: int, after: int) -> str:
        """GitLab takes at most 100 lines on each side."""
        return f"suggestion:-{before}+{after}" if max(before, after) <= 100 else ""

    async def change(self, number: int) -> Change:
        """Raises HostUnavailable while GitLab prepares a new merge request: it has no diff yet."""
        found = await self._api.change(f"/merge_requests/{number}", number)
        refs = object_of(found, "diff_refs")
        is_open = found.get("state") in ("opened", "locked")
        if is_open and not refs:
            raise HostUnavailable("GitLab still prepares the merge request; try again later", retry_after=5)
        return Change(
            number=number,
            head=text_of(refs, "head_sha") or text_of(found, "sha"),
            is_open=is_open,
            web_url=text_of(found, "web_url"),
            base=text_of(refs, "base_sha"),
            start=text_of(refs, "start_sha"),
        )

    async def diff(self, change: Change) -> Sequence[FileDiff]:
        path = f"/merge_requests/{change.number}/diffs"
        found = []
        async for file in self._api.entries(path, change.number, "new_path"):
            old, new = text_of(file, "old_path"), text_of(file, "new_path")
            found.append(file_of(old, new, file.get("diff")))
        return found

    async def posted(self, change: Change, subject: str) -> Posted:
        account = await self._api.account()
        summary: PostedSummary | None = None
        comments: dict[str, PostedComment] = {}
        path = f"/merge_requests/{change.number}/discussions"
        async for thread in self._api.entries(path, change.number):
            note = _first_note(thread)
            if account is None or object_of(note, "author").get("id") != account["id"]:
                continue
            body = text_of(note, "body")
            if (marker := read_summary(body, subject)) and summary is None:
                summary = PostedSummary(id=str(note["id"]), marker=marker)
            if read := read_finding(body):
                comment = PostedComment(
                    id=str(note["id"]), marker=read[0], text=read[1], thread=text_of(thread, "id")
                )
                comments.setdefault(read[0].key, comment)
        return Posted(summary=summary, comments=comments)

    async def add_comments(
        self, change: Change, comments: Sequence[NewComment], note: str, summary: str | None
    ) -> Added:
        refused = []
        for one in comments:
            body = {"body": one.body, "position": _position(change, one)}
            response = await self._api.attempt(f"/merge_requests/{change.number}/discussions", body)
            if response.status in _REFUSED:
                refused.append(one.key)
            elif response.status >= 300:
                raise self._api.refusal(response)
        return Added(refused=refused)

    async def add_summary(self, change: Change, body: str) -> None:
        await self._api.write(f"/merge_requests/{change.number}/notes", {"body": body})

    async def change_summary(self, change: Change, summary: PostedSummary, body: str) -> None:
        path = f"/merge_requests/{change.number}/notes/{summary.id}"
        await self._api.write(path, {"body": body}, "PUT")

    async def change_comment(
        self, change: Change, comment: PostedComment, body: str, *, is_closed: bool
    ) -> str:
        """The thread first: the text, which has the marker, tells that both are done. To resolve a thread
        takes the role Developer, or to be the author of the merge request."""
        thread = f"/merge_requests/{change.number}/discussions/{comment.thread}"
        reason = ""
        if is_closed != comment.marker.is_closed:
            try:
                await self._api.write(thread, {"resolved": is_closed}, "PUT")
            except (HostForbidden, PostingRefused) as error:
                reason = f"to resolve threads, the token needs the role Developer: {error.message}"
        await self._api.write(f"{thread}/notes/{comment.id}", {"body": body}, "PUT")
        return reason


def _first_note(thread: Mapping[str, Any]) -> Mapping[str, Any]:
    notes = thread.get("notes")
    return notes[0] if isinstance(notes, list) and notes and isinstance(notes[0], dict) else {}


def _position(change: Change, one: NewComment) -> dict[str, Any]:
    """A line that both sides have needs both numbers; any other must have one only."""
    place = one.place
    new, old = (place.line, place.other) if place.side is Side.NEW else (place.other, place.line)
    numbers = {"new_line": new, "old_line": old}
    return {
        "position_type": "text",
        "base_sha": change.base,
        "start_sha": change.start,
        "head_sha": change.head,
        "old_path": place.old_path,
        "new_path": place.path,
        **{name: number for name, number in numbers.items() if number is not None},
    }

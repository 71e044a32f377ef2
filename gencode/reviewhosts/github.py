"""Pull requests of GitHub: https://docs.github.com/rest/pulls/reviews

The summary is the text of the first review, which can be edited. A review is taken whole or refused whole:
one line that is not in the diff refuses all. Threads are resolved by GraphQL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gencode.diffs import FileDiff, Side
from gencode.githosts.errors import HostForbidden, HostInvalid, HostProtocol, HostRateLimit
from gencode.githosts.github import GitHub
from gencode.reviewhosts.api import MAX_PAGES, ReviewApi, object_of, text_of
from gencode.reviewhosts.change_lines import file_of
from gencode.reviewhosts.markers import read_finding, read_summary
from gencode.reviewhosts.port import Added, Change, NewComment, Posted, PostedComment, PostedSummary

_SIDES = {Side.NEW: "RIGHT", Side.OLD: "LEFT"}
_REFUSED = frozenset({400, 422})
_THREADS = """
query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviewThreads(first: 50, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { id isResolved comments(first: 1) { nodes { url } } }
      }
    }
  }
}"""
_RESOLVE = "mutation($thread: ID!) { resolveReviewThread(input: {threadId: $thread}) { clientMutationId } }"
_UNRESOLVE = (
    "mutation($thread: ID!) { unresolveReviewThread(input: {threadId: $thread}) { clientMutationId } }"
)
_ANCHOR = re.compile(r"#discussion_r([0-9]+)")
"""In the address of a comment: its number, which is too large for GraphQL's `databaseId`."""


class GitHubReviewDialect(GitHub):
    required_permissions = "the permission pull_requests=write, or the scope repo"


class GitHubReviews:
    """Implements ReviewHost."""

    max_body = 65_536

    def __init__(self, api: ReviewApi) -> None:
        self._api = api
        self._threads: Mapping[str, tuple[str, bool]] | None = None

    def suggestion_fence(self, before: int, after: int) -> str:
        """It replaces the lines of the comment, which has one."""
        return "" if before or after else "suggestion"

    async def change(self, number: int) -> Change:
        return await self._api.pull_request(number)

    async def diff(self, change: Change) -> Sequence[FileDiff]:
        path = f"/pulls/{change.number}/files"
        found = []
        async for file in self._api.entries(path, change.number, "filename"):
            new = text_of(file, "filename")
            found.append(file_of(text_of(file, "previous_filename") or new, new, file.get("patch")))
        return found

    async def posted(self, change: Change, subject: str) -> Posted:
        self._threads = None
        account, number = await self._api.account(), change.number
        summary: PostedSummary | None = None
        async for review in self._api.entries(f"/pulls/{number}/reviews", number):
            marker = read_summary(text_of(review, "body"), subject)
            if marker and summary is None and _is_ours(review, account):
                summary = PostedSummary(id=str(review["id"]), marker=marker)
        comments: dict[str, PostedComment] = {}
        async for comment in self._api.entries(f"/pulls/{number}/comments", number):
            if (read := read_finding(text_of(comment, "body"))) and _is_ours(comment, account):
                found = PostedComment(id=str(comment["id"]), marker=read[0], text=read[1])
                comments.setdefault(found.marker.key, found)
        return Posted(summary=summary, comments=comments)

    async def add_comments(
        self, change: Change, comments: Sequence[NewComment], note: str, summary: str | None
    ) -> Added:
        if not comments:
            return Added()
        body = {
            "commit_id": change.head,
            "event": "COMMENT",
            "body": note if summary is None else summary,
            "comments": [_comment(one) for one in comments],
        }
        response = await self._api.attempt(f"/pulls/{change.number}/reviews", body)
        if response.status in _REFUSED:
            return Added(refused=[one.key for one in comments])
        if response.status >= 300:
            raise self._api.refusal(response)
        return Added(has_summary=summary is not None)

    async def add_summary(self, change: Change, body: str) -> None:
        review = {"commit_id": change.head, "event": "COMMENT", "body": body}
        await self._api.write(f"/pulls/{change.number}/reviews", review)

    async def change_summary(self, change: Change, summary: PostedSummary, body: str) -> None:
        await self._api.write(f"/pulls/{change.number}/reviews/{summary.id}", {"body": body}, "PUT")

    async def change_comment(
        self, change: Change, comment: PostedComment, body: str, *, is_closed: bool
    ) -> str:
        """The thread first: the text, which has the marker, tells that both are done."""
        reason = ""
        if is_closed != comment.marker.is_closed:
            reason = await self._set_resolved(change, comment.id, is_closed=is_closed)
        await self._api.write(f"/pulls/comments/{comment.id}", {"body": body}, "PATCH")
        return reason

    async def _set_resolved(self, change: Change, comment_id: str, *, is_closed: bool) -> str:
        """By GraphQL, as REST has no threads. It asks for more than comments do: contents=write; a token
        without it, or whose quota of GraphQL is used up, posts all the same. Returns why not, else ""."""
        try:
            if self._threads is None:
                self._threads = await self._find_threads(change)
            found = self._threads.get(comment_id)
            if found and found[1] is not is_closed:
                await self._api.graphql(_RESOLVE if is_closed else _UNRESOLVE, thread=found[0])
        except (HostForbidden, HostInvalid, HostProtocol, HostRateLimit) as error:
            return f"to resolve threads, the token needs contents=write: {error.message}"
        return ""

    async def _find_threads(self, change: Change) -> Mapping[str, tuple[str, bool]]:
        """By the id of the comment that begins it: a thread's id, and whether it is resolved."""
        found: dict[str, tuple[str, bool]] = {}
        after: str | None = None
        for _ in range(MAX_PAGES):
            data = await self._api.graphql(_THREADS, number=change.number, after=after)
            threads = object_of(object_of(object_of(data, "repository"), "pullRequest"), "reviewThreads")
            for thread in threads.get("nodes") or ():
                for comment in object_of(thread, "comments").get("nodes") or ():
                    if anchor := _ANCHOR.search(text_of(comment, "url")):
                        found[anchor[1]] = (text_of(thread, "id"), thread.get("isResolved") is True)
            page = object_of(threads, "pageInfo")
            after = text_of(page, "endCursor")
            if not (page.get("hasNextPage") and after):
                break
        return found


def _comment(one: NewComment) -> dict[str, Any]:
    place = one.place
    return {"path": place.path, "line": place.line, "side": _SIDES[place.side], "body": one.body}


def _is_ours(entry: Mapping[str, Any], account: Mapping[str, Any] | None) -> bool:
    """The token of an app does not tell its account, which is a bot."""
    user = object_of(entry, "user")
    return bool(user.get("type") == "Bot" if account is None else user.get("id") == account["id"])

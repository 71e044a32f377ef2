"""Pull requests of Gitea and Forgejo: /api/swagger of any server.

The summary is a comment, since the text of a review cannot be edited. The comments of a review are edited
like those of an issue. A review that the server has begun and not submitted, since it was stopped meanwhile,
is submitted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gencode.diffs import DiffError, FileDiff, Side
from gencode.githosts.gitea import Gitea
from gencode.reviewhosts.api import ReviewApi, object_of, text_of
from gencode.reviewhosts.change_lines import files_of
from gencode.reviewhosts.errors import PostingRefused
from gencode.reviewhosts.markers import read_finding, read_summary
from gencode.reviewhosts.port import Added, Change, NewComment, Posted, PostedComment, PostedSummary

_REFUSED = frozenset({400, 422})
_PENDING = "PENDING"


class GiteaReviewDialect(Gitea):
    required_permissions = "the scopes write:repository, write:issue and read:user"


class GiteaReviews:
    """Implements ReviewHost."""

    max_body = 1_000_000

    def __init__(self, api: ReviewApi) -> None:
        self._api = api

    def suggestion_fence(self, before: int, after: int) -> str:
        return ""

    async def change(self, number: int) -> Change:
        return await self._api.pull_request(number)

    async def diff(self, change: Change) -> Sequence[FileDiff]:
        """A diff that cannot be read takes no comments."""
        try:
            return files_of(await self._api.text(f"/pulls/{change.number}.diff", change.number))
        except DiffError:
            return ()

    async def posted(self, change: Change, subject: str) -> Posted:
        account, number = await self._api.account(), change.number
        if account is None:
            raise PostingRefused("the token needs the scope read:user, so that its own comments are known")
        summary: PostedSummary | None = None
        async for comment in self._api.entries(f"/issues/{number}/comments", number):
            marker = read_summary(text_of(comment, "body"), subject)
            if marker and summary is None and _is_ours(comment, account):
                summary = PostedSummary(id=str(comment["id"]), marker=marker)
        comments: dict[str, PostedComment] = {}
        async for review in self._api.entries(f"/pulls/{number}/reviews", number):
            if _is_ours(review, account) and review.get("comments_count") != 0:
                await self._read_review(change, review, comments)
        return Posted(summary=summary, comments=comments)

    async def _read_review(
        self, change: Change, review: Mapping[str, Any], found: dict[str, PostedComment]
    ) -> None:
        path, has_ours = f"/pulls/{change.number}/reviews/{review['id']}", False
        async for comment in self._api.entries(f"{path}/comments", change.number):
            if read := read_finding(text_of(comment, "body")):
                has_ours = True
                marker, text = read
                found.setdefault(marker.key, PostedComment(id=str(comment["id"]), marker=marker, text=text))
        if has_ours and review.get("state") == _PENDING:
            await self._api.write(path, {"event": "COMMENT", "body": "gencode"})

    async def add_comments(
        self, change: Change, comments: Sequence[NewComment], note: str, summary: str | None
    ) -> Added:
        if not comments:
            return Added()
        body = {
            "commit_id": change.head,
            "event": "COMMENT",
            "body": note,
            "comments": [_comment(one) for one in comments],
        }
        response = await self._api.attempt(f"/pulls/{change.number}/reviews", body)
        if response.status in _REFUSED:
            return Added(refused=[one.key for one in comments])
        if response.status >= 300:
            raise self._api.refusal(response)
        return Added()

    async def add_summary(self, change: Change, body: str) -> None:
        await self._api.write(f"/issues/{change.number}/comments", {"body": body})

    async def change_summary(self, change: Change, summary: PostedSummary, body: str) -> None:
        await self._edit(summary.id, body)

    async def change_comment(
        self, change: Change, comment: PostedComment, body: str, *, is_closed: bool
    ) -> str:
        """Only new versions can resolve a conversation: the text says it."""
        await self._edit(comment.id, body)
        return ""

    async def _edit(self, comment: str, body: str) -> None:
        await self._api.write(f"/issues/comments/{comment}", {"body": body}, "PATCH")


def _comment(one: NewComment) -> dict[str, Any]:
    is_new = one.place.side is Side.NEW
    return {
        "path": one.place.path,
        "body": one.body,
        "new_position": one.place.line if is_new else 0,
        "old_position": 0 if is_new else one.place.line,
    }


def _is_ours(entry: Mapping[str, Any], account: Mapping[str, Any]) -> bool:
    return bool(object_of(entry, "user").get("id") == account["id"])

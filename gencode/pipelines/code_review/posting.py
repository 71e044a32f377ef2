"""The stage that posts the review to the change request that the request names. It can be repeated."""

from __future__ import annotations

import hashlib

from gencode.engine.keyed_locks import KeyedLocks
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.pipelines.code_review.artifacts import ReviewInput
from gencode.pipelines.code_review.delivering import Delivered
from gencode.pipelines.code_review.names import POSTED, POSTED_EVENT
from gencode.pipelines.code_review.post_texts import PostTexts
from gencode.resilience.call_slots import SlotFactory
from gencode.reviewhosts.posting import Posting, WantedReview, post_review
from gencode.security.secret_registry import SecretRegistry
from gencode.workspace.repositories.change_requests import ChangeRequests

_TURNS = 64
"""Over all processes; changes share them, since names of slots are never deleted."""

MAX_REASON = 500
"""Characters of why threads were not resolved."""


class PostingStage:
    """`slots`: make posts to one change wait for each other, over all processes."""

    def __init__(self, changes: ChangeRequests, secrets: SecretRegistry, slots: SlotFactory) -> None:
        self._changes = changes
        self._secrets = secrets
        self._slots = slots
        self._locks = KeyedLocks()

    @staticmethod
    def applies(delivered: Delivered) -> bool:
        return bool(delivered.given.request.get("post"))

    async def __call__(self, delivered: Delivered, emit: Emit) -> Delivered:
        """Raises the errors of ChangeRequests and `post_review`."""
        given = delivered.given
        if POSTED not in given.checkpoints:
            posting = await self._post(delivered)
            told = _told(posting, int(given.request["post"]["change"]))
            await emit(
                StageUpdate(kind=POSTED_EVENT, data=told, checkpoints={POSTED: "{}"}, result={"posted": told})
            )
        return delivered

    async def _post(self, delivered: Delivered) -> Posting:
        given = delivered.given
        repository, number = given.request["post"]["repository_id"], int(given.request["post"]["change"])
        host = await self._changes.host(repository, given.run.principal)
        name = f"{repository}#{number}"
        turn = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % _TURNS
        async with self._locks(name), self._slots(f"post {turn}", 1).hold():
            return await post_review(host, number, self._wanted(given, delivered))

    def _wanted(self, given: ReviewInput, delivered: Delivered) -> WantedReview:
        owner = given.run.principal
        language = given.instructions.language
        texts = PostTexts(delivered.result, language, lambda: self._secrets.of(owner))
        return WantedReview(
            subject=given.subject,
            task_id=given.run.task_id,
            head=delivered.result.head_commit or str(given.request["post"].get("commit") or ""),
            comments=texts.wanted,
            texts=texts,
        )


def _told(posting: Posting, change: int) -> dict[str, object]:
    return {
        "change": change,
        "url": posting.url if posting.url.startswith(("https://", "http://")) else "",
        "created": posting.created,
        "changed": posting.changed,
        "closed": posting.closed,
        "listed": posting.listed,
        "unresolved": posting.unresolved[:MAX_REASON],
        "is_moved": posting.is_moved,
        "is_superseded": posting.is_superseded,
    }

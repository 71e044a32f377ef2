"""Writes one file, in as many model calls as it takes until the file is complete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import anyio

from gencode.codegen.answer_checks import (
    check_file,
    check_lines,
    check_not_blank,
    check_progress,
    check_remark,
    check_window,
    check_window_refusal,
    stopped_at_limit,
)
from gencode.codegen.code_blocks import holds_only_remarks
from gencode.codegen.code_fences import is_markdown
from gencode.codegen.continuation_merge import continuation, file_text, joined_text, resume_point
from gencode.codegen.file_checkpoints import Piece, piece_name
from gencode.codegen.prompts import asked_for
from gencode.domain.tree import MAX_FILE_BYTES
from gencode.engine.ports.pipeline import StageUpdate
from gencode.llm.errors import LLMBadRequest, LLMTooLarge, LLMTruncated, PrefixRejected
from gencode.llm.port import ChatRequest, Message
from gencode.llm.session import Answer, LLMSession
from gencode.resilience.thread_offload import run_on_text


@dataclass(frozen=True, kw_only=True, slots=True)
class WritingLimits:
    """max_tokens   of one answer
    rounds       model calls for one file; each retry of the task after LLM_TRUNCATED grants as many again
    at_once      files written in parallel
    """

    max_tokens: int = 8192
    rounds: int = 12
    at_once: int = 8


CheckText = Callable[[str], object]
"""Checks a text that the model ended by itself; raises LLMBadOutput for one that cannot be the file."""
CompletedUpdate = Callable[[Sequence[Piece], str], StageUpdate]
"""The event of a completed file, from its answers and its text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FileGenerator:
    """Stores each answer as it arrives, under the checkpoint name `KIND:N:PATH`.

    retries     how often the task was retried after LLM_TRUNCATED
    check_text  applied to an answer that would complete the file
    """

    session: LLMSession
    limits: WritingLimits
    kind: str
    retries: int = 0
    check_text: CheckText | None = None

    async def write(
        self,
        path: str,
        messages: tuple[Message, ...],
        pieces: list[Piece],
        completed: CompletedUpdate,
    ) -> str:
        """Append to `pieces` what is missing of the file that `messages` ask for. Returns its text.

        Raises LLMTruncated and LLMTooLarge for a file that does not end, other LLM* errors, BudgetExceeded.
        """
        while not (pieces and pieces[-1].whole):
            self._check_limits(path, pieces)
            pieces.append(await self._next_piece(path, messages, pieces))
            if not pieces[-1].whole:
                await self._save(path, pieces)
                continue
            text = await _text(path, pieces)
            await self._save(path, pieces, completed(pieces, text))
            return text
        return await _text(path, pieces)

    def _check_limits(self, path: str, pieces: list[Piece]) -> None:
        if len(pieces) >= self.limits.rounds * (1 + self.retries):
            raise LLMTruncated(
                f"{path} is not whole after {len(pieces)} answers of {self.limits.max_tokens} tokens; "
                "ask for smaller files, or retry the task if it only needs more answers"
            )
        if len(joined_text(pieces)) > MAX_FILE_BYTES:
            raise LLMTooLarge(f"{path} has grown past {MAX_FILE_BYTES} bytes; ask for smaller files")

    async def _next_piece(self, path: str, messages: tuple[Message, ...], pieces: list[Piece]) -> Piece:
        written = joined_text(pieces)
        exact = not pieces or self.session.provider.native_prefix
        point = len(written)
        if not exact:
            point = await run_on_text(point, _resume_point, path, written, len(pieces[-1].text))
        request = ChatRequest(messages=messages, max_tokens=self.limits.max_tokens, prefix=written[:point])

        def parse(answer: Answer) -> Piece:
            check_lines(path, answer.text)
            text, whole = answer.text, not answer.truncated and not stopped_at_limit(answer, request)
            if written:
                check_window(path, written, written + text, answer)
                check_remark(path, answer)
            if not exact:
                text = continuation(written, point, text, path, whole=not answer.truncated)
            joined = written[:point] + text
            check_lines(path, joined)
            if written:
                check_window(path, written, joined, answer)
                check_progress(path, written, joined, answer)
            check_not_blank(path, joined, answer)
            if whole:
                check_file(path, joined, asked_for(messages))
                self._check_text(joined)
            return Piece(text=text, follows=point, whole=whole, usage=answer.usage)

        try:
            return await self.session.ask(request, path, parse)
        except PrefixRejected:  # the provider is no longer native: this time the answer may overlap
            return await self._next_piece(path, messages, pieces)
        except LLMBadRequest as error:
            if written:
                check_window_refusal(path, written, error)
            raise

    def _check_text(self, text: str) -> None:
        if self.check_text:
            self.check_text(text)

    async def _save(self, path: str, pieces: list[Piece], *completed: StageUpdate) -> None:
        """Commits the answer, its usage and the event of the completed file in one transaction."""
        piece = pieces[-1]
        name = piece_name(self.kind, len(pieces), path)
        saved = StageUpdate(checkpoints={name: piece.model_dump_json()})
        usage = self.session.usage_update(path, piece.usage)
        await self.session.emit(saved, usage, *completed)


async def _text(path: str, pieces: Sequence[Piece]) -> str:
    with anyio.CancelScope(shield=True):  # the last answer is paid for, and is stored next
        text = await run_on_text(sum(len(piece.text) for piece in pieces), file_text, pieces, path)
    return text


def _resume_point(path: str, written: str, newest: int) -> int:
    """The result of `continuation_merge.resume_point`; 0 if no line of the file would be shown."""
    point = resume_point(written, newest)
    is_begun = is_markdown(path) or not holds_only_remarks(written[:point], path)
    return point if is_begun else 0

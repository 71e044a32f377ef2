"""Writing one file until it is whole, in as many answers as it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gencode.codegen.continuation_merge import continuation, raw, resume_point
from gencode.domain.tree import MAX_FILE_BYTES
from gencode.engine.pipeline import StageUpdate
from gencode.llm.errors import LLMBadOutput, LLMTooLarge, LLMTruncated
from gencode.llm.port import ChatRequest, Message
from gencode.llm.session import Answer, LLMSession
from gencode.pipelines.generate.artifacts import Piece

MAY_BE_EMPTY = ("__init__.py", "py.typed", ".gitkeep")


@dataclass(frozen=True, kw_only=True, slots=True)
class WritingLimits:
    """max_tokens: of one answer; rounds: model calls for one file, as many again for each retry after
    LLM_TRUNCATED; at_once: files written in parallel."""

    max_tokens: int = 8192
    rounds: int = 12
    at_once: int = 8


Prove = Callable[[str], object]
"""Looks at what was said once the model says that it is done; raises LLMBadOutput for what cannot be it."""
Tell = Callable[[Sequence[Piece]], StageUpdate]
"""What to tell of a file that is whole."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FileWriter:
    """Each answer is kept as it comes, as `KIND:ROUND:PATH`; `kind` tells a first writing from a repair.

    retries   how often the task was taken up again because a file came to no end
    prove     of an answer that would end the file
    """

    session: LLMSession
    limits: WritingLimits
    kind: str
    retries: int = 0
    prove: Prove | None = None

    async def write(self, path: str, messages: tuple[Message, ...], pieces: list[Piece], tell: Tell) -> None:
        """Appends to `pieces` what is missing of the file that `messages` ask for.

        Raises LLMTruncated, LLMTooLarge for a file that does not come to an end.
        """
        while not (pieces and pieces[-1].whole):
            self._check_rounds(path, pieces)
            pieces.append(await self._next_piece(path, messages, pieces))
            await self._keep(path, pieces, tell)

    def _check_rounds(self, path: str, pieces: list[Piece]) -> None:
        if len(pieces) >= self.limits.rounds * (1 + self.retries):
            raise LLMTruncated(
                f"{path} is not whole after {len(pieces)} answers of {self.limits.max_tokens} tokens; "
                "ask for smaller files, or retry the task if it only needs more answers"
            )
        if len(raw(pieces)) > MAX_FILE_BYTES:
            raise LLMTooLarge(f"{path} has grown past {MAX_FILE_BYTES} bytes; ask for smaller files")

    async def _next_piece(self, path: str, messages: tuple[Message, ...], pieces: list[Piece]) -> Piece:
        said = raw(pieces)
        exact = not pieces or self.session.provider.native_prefix
        point = len(said) if exact else resume_point(said, len(pieces[-1].text))
        request = ChatRequest(messages=messages, max_tokens=self.limits.max_tokens, prefix=said[:point])

        def read(answer: Answer) -> Piece:
            whole, text = not answer.cut, answer.text
            if not exact:
                text = continuation(said, point, text, path, whole=whole)
            if not (said + text).strip() and not path.endswith(MAY_BE_EMPTY):
                raise LLMBadOutput(f"the model's answer for {path} is blank")
            if whole and self.prove:
                self.prove(said[:point] + text)
            return Piece(text=text, follows=point, whole=whole, usage=answer.usage)

        return await self.session.ask(request, path, read)

    async def _keep(self, path: str, pieces: list[Piece], tell: Tell) -> None:
        piece = pieces[-1]
        checkpoints = StageUpdate(checkpoints={f"{self.kind}:{len(pieces)}:{path}": piece.model_dump_json()})
        tokens = self.session.used(path, piece.usage)
        await self.session.send(checkpoints, tokens, *([tell(pieces)] if piece.whole else []))

"""Writes files that are longer than one answer may be: part by part, after an outline of the parts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from pydantic import ValidationError

from gencode.codegen.answer_checks import check_json_whole, check_lines
from gencode.codegen.code_fences import split_lines
from gencode.codegen.continuation_merge import joined_text, without_overlap
from gencode.codegen.file_checkpoints import OUTLINE, PART, PIECE, Outline, Piece, WritingJob, piece_name
from gencode.codegen.file_extraction import file_in_answer
from gencode.codegen.file_generator import CompletedUpdate, FileGenerator, WritingLimits
from gencode.codegen.plan import Plan, PlannedFile
from gencode.codegen.plan_parser import MAX_ANSWER, json_object
from gencode.codegen.prompts import (
    TOKENS_PER_LINE,
    WrittenParts,
    WrittenSymbols,
    outline_messages,
    part_messages,
)
from gencode.domain.tree import MAX_FILE_BYTES
from gencode.engine.ports.pipeline import StageUpdate
from gencode.llm.errors import LLMBadOutput, LLMTooLarge, LLMTruncated
from gencode.llm.port import ChatRequest
from gencode.llm.session import Answer, LLMSession

Describe = Callable[[str, str], Awaitable[Sequence[str]]]
"""Takes a path and the file's text; returns the signatures that the file defines."""
MIN_PART_LINES = 50
"""Minimum lines of a part. If answers are shorter than this, a file is continued rather than divided."""
MAX_PARTS = 60


def part_counts(lines: int, max_tokens: int, tokens_per_line: float = TOKENS_PER_LINE) -> tuple[int, int]:
    """How many parts a file needs, and the most lines of each; (1, lines) if it fits one answer."""
    most = int(max_tokens / tokens_per_line)
    if lines <= most or most < MIN_PART_LINES or lines > most * MAX_PARTS:
        return 1, lines
    return -(-lines // most), most


def join_parts(parts: Sequence[Sequence[Piece]], path: str) -> str:
    """The text of the first parts, each given as the answers for it."""
    text = ""
    for pieces in parts:
        text += _addition(text, joined_text(pieces), path)
    return text


def _addition(before: str, answer: str, path: str) -> str:
    """What a part adds to the text `before`: no fence, no repeated lines, starting on a line of its own."""
    text = without_overlap(before, file_in_answer(answer, path))
    return f"\n{text}" if before and not before.endswith("\n") else text


@dataclass(frozen=True, kw_only=True, slots=True)
class MultipartFileGenerator:
    """The large files of one task.

    Checkpoints hold the outline, each answer, and at the end the complete text as one joined piece.
    """

    session: LLMSession
    limits: WritingLimits
    describe: Describe
    job: WritingJob

    async def outline(self, file: PlannedFile, plan: Plan, parts: int, lines: int) -> Sequence[str]:
        """What each part is to contain; empty when the model gives no usable outline.

        Either result is stored, so that the model is asked once.
        """
        if saved := self.job.outlines.get(file.path):
            return saved.parts
        messages = outline_messages(self.job.prompt, plan, file, parts, lines)
        limit = self.limits.max_tokens
        request = ChatRequest(messages=messages, max_tokens=limit, json=True, max_text=MAX_ANSWER)
        try:
            outline = await self.session.ask(request, file.path, partial(_parse_outline, max_tokens=limit))
        except (LLMBadOutput, LLMTruncated, LLMTooLarge):
            outline = Outline()
        update = StageUpdate(
            kind="outline",
            data={"path": file.path, "parts": outline.parts},
            checkpoints={piece_name(OUTLINE, 1, file.path): outline.model_dump_json()},
        )
        usage = [self.session.usage_update(file.path, outline.usage)] if outline.parts else []
        await self.session.emit(update, *usage)
        return outline.parts

    async def write(
        self,
        file: PlannedFile,
        plan: Plan,
        symbols: WrittenSymbols,
        outline: Sequence[str],
        completed: CompletedUpdate,
    ) -> Piece:
        """The complete file, stored and published. Raises what FileGenerator.write raises for a part."""
        text = ""
        for number in range(1, len(outline) + 1):
            pieces = await self._write_part(file, plan, symbols, outline, number, text)
            text += _addition(text, joined_text(pieces), file.path)
            if len(text.encode("utf-8", "replace")) > MAX_FILE_BYTES:
                raise LLMTooLarge(f"{file.path} has grown past {MAX_FILE_BYTES} bytes; ask for smaller files")
            check_lines(file.path, text)
        whole = Piece(text=text, whole=True, joined=True)
        saved = StageUpdate(checkpoints={piece_name(PIECE, 1, file.path): whole.model_dump_json()})
        await self.session.emit(saved, completed([whole], text))
        return whole

    async def _write_part(
        self,
        file: PlannedFile,
        plan: Plan,
        symbols: WrittenSymbols,
        outline: Sequence[str],
        number: int,
        text: str,
    ) -> list[Piece]:
        """The answers for one part, which follows the `text` of the parts before it."""
        pieces = list(self.job.parts.get(number, {}).get(file.path, ()))
        own_symbols = await self.describe(file.path, text) if text else ()
        written = WrittenParts(count=number - 1, text=text, symbols=own_symbols)
        messages = part_messages(self.job.prompt, plan, file, symbols, outline, written)
        writer = FileGenerator(
            session=self.session,
            limits=self.limits,
            kind=f"{PART}{number}",
            retries=self.job.retries.get(LLMTruncated.code, 0),
            check_text=partial(_check_part, text, file.path),
        )
        await writer.write(
            file.path, messages, pieces, partial(_part_update, file.path, number, len(outline))
        )
        return pieces


def _part_update(path: str, number: int, of: int, pieces: Sequence[Piece], _text: str) -> StageUpdate:
    return StageUpdate(kind="part", data={"path": path, "part": number, "of": of, "calls": len(pieces)})


def _check_part(before: str, path: str, answer: str) -> None:
    """Raises LLMBadOutput for an answer that starts the file again or adds nothing to it."""
    text = _addition(before, answer, path)
    if not text.strip():
        raise LLMBadOutput(f"the model's answer for a part of {path} holds nothing new")
    if before and _head(text) == _head(before):
        raise LLMBadOutput(f"asked for a part of {path}, the model began the file anew")


def _head(text: str) -> list[str]:
    return [line for line in split_lines(text) if line.strip()][:3]


def _parse_outline(answer: Answer, max_tokens: int) -> Outline:
    check_json_whole("the outline of a large file", answer, max_tokens)
    value = json_object(answer.text, "parts")
    try:
        outline = Outline.model_validate({"parts": value["parts"], "usage": answer.usage})
    except ValidationError:
        raise LLMBadOutput("the model's outline of a large file is malformed") from None
    if not 2 <= len(outline.parts) <= MAX_PARTS:
        raise LLMBadOutput(f"the model's outline of a large file has {len(outline.parts)} parts")
    return outline

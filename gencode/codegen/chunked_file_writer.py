"""Files that are longer than an answer may be: divided by an outline, written part by part, joined."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from pydantic import ValidationError

from gencode.codegen.code_fences import split_lines, unfence
from gencode.codegen.continuation_merge import raw, without_echo
from gencode.codegen.file_writer import FileWriter, WritingLimits
from gencode.codegen.plan_parser import json_object
from gencode.codegen.prompts import (
    TOKENS_PER_LINE,
    Ledger,
    Written,
    outline_messages,
    part_messages,
)
from gencode.domain.tree import MAX_FILE_BYTES
from gencode.engine.pipeline import StageUpdate
from gencode.llm.errors import LLMBadOutput, LLMTooLarge, LLMTruncated
from gencode.llm.port import ChatRequest
from gencode.llm.session import Answer, LLMSession
from gencode.pipelines.generate.artifacts import (
    OUTLINE,
    PART,
    PIECE,
    GenerateInput,
    KeptOutline,
    Piece,
    Plan,
    PlannedFile,
)

Describe = Callable[[str, str], Awaitable[Sequence[str]]]
"""From a path and its text to what the file defines, a signature a line."""
LEAST_LINES = 50
"""Of a part; where answers are shorter, a file is rather continued than divided."""
MOST_PARTS = 60


def parts_of(lines: int, max_tokens: int, tokens_per_line: float = TOKENS_PER_LINE) -> tuple[int, int]:
    """Into how many parts a file is to be divided, and the most lines of each; (1, lines) if it fits."""
    most = int(max_tokens / tokens_per_line)
    if lines <= most or most < LEAST_LINES or lines > most * MOST_PARTS:
        return 1, lines
    return -(-lines // most), most


def joined(parts: Sequence[Sequence[Piece]], path: str) -> str:
    """The text that the answers to the first parts make."""
    text = ""
    for pieces in parts:
        text += _addition(text, raw(pieces), path)
    return text


def _addition(before: str, said: str, path: str) -> str:
    """What a part adds: its answer without a fence and an echo of the part before, in lines of its own."""
    text = without_echo(before, unfence(said, path))
    return f"\n{text}" if before and not before.endswith("\n") else text


@dataclass(frozen=True, kw_only=True, slots=True)
class ChunkedFileWriter:
    """The large files of one task. All is kept: the outline, each answer, and in the end the whole file, as
    a piece that is marked as joined."""

    session: LLMSession
    limits: WritingLimits
    describe: Describe
    input: GenerateInput

    async def outline(self, file: PlannedFile, plan: Plan, parts: int, lines: int) -> Sequence[str]:
        """What each part is to hold; nothing when the model gives no outline, which is kept as well."""
        if checkpoints := self.input.outlines.get(file.path):
            return checkpoints.parts
        messages = outline_messages(self.input.prompt, plan, file, parts, lines)
        request = ChatRequest(messages=messages, max_tokens=self.limits.max_tokens, json=True)
        try:
            made = await self.session.ask(request, file.path, _outline)
        except (LLMBadOutput, LLMTruncated):
            made = KeptOutline()
        progress = StageUpdate(
            kind="outline",
            data={"path": file.path, "parts": made.parts},
            checkpoints={f"{OUTLINE}:1:{file.path}": made.model_dump_json()},
        )
        await self.session.send(progress, *([self.session.used(file.path, made.usage)] if made.parts else []))
        return made.parts

    async def write(
        self,
        file: PlannedFile,
        plan: Plan,
        ledger: Ledger,
        outline: Sequence[str],
        tell: Callable[[Sequence[Piece]], StageUpdate],
    ) -> Piece:
        """The whole file, kept and told of. Raises what Scribe.write raises for a part."""
        parts: list[list[Piece]] = []
        for _ in outline:
            parts.append(await self._part(file, plan, ledger, outline, parts))
            if len(joined(parts, file.path).encode("utf-8", "replace")) > MAX_FILE_BYTES:
                raise LLMTooLarge(f"{file.path} has grown past {MAX_FILE_BYTES} bytes; ask for smaller files")
        whole = Piece(text=joined(parts, file.path), whole=True, joined=True)
        checkpoints = StageUpdate(checkpoints={f"{PIECE}:1:{file.path}": whole.model_dump_json()})
        await self.session.send(checkpoints, tell([whole]))
        return whole

    async def _part(
        self,
        file: PlannedFile,
        plan: Plan,
        ledger: Ledger,
        outline: Sequence[str],
        before: Sequence[Sequence[Piece]],
    ) -> list[Piece]:
        number, text = len(before) + 1, joined(before, file.path)
        pieces = list(self.input.parts.get(number, {}).get(file.path, ()))
        symbols = await self.describe(file.path, text) if text else ()
        written = Written(parts=len(before), text=text, symbols=symbols)
        messages = part_messages(self.input.prompt, plan, file, ledger, outline, written)
        writer = FileWriter(
            session=self.session,
            limits=self.limits,
            kind=f"{PART}{number}",
            retries=self.input.retries.get(LLMTruncated.code, 0),
            prove=partial(_prove, text, file.path),
        )
        await writer.write(file.path, messages, pieces, partial(_told, file.path, number, len(outline)))
        return pieces


def _told(path: str, number: int, of: int, pieces: Sequence[Piece]) -> StageUpdate:
    return StageUpdate(kind="part", data={"path": path, "part": number, "of": of, "calls": len(pieces)})


def _prove(before: str, path: str, said: str) -> None:
    """Not the file from its beginning, and not only what was there before."""
    text = _addition(before, said, path)
    if not text.strip():
        raise LLMBadOutput(f"the model's answer for a part of {path} holds nothing new")
    if before and _head(text) == _head(before):
        raise LLMBadOutput(f"asked for a part of {path}, the model began the file anew")


def _head(text: str) -> list[str]:
    return [line for line in split_lines(text) if line.strip()][:3]


def _outline(answer: Answer) -> KeptOutline:
    if answer.cut:
        raise LLMTruncated("the outline of a large file is longer than the model's output limit")
    value = json_object(answer.text, "parts")
    try:
        made = KeptOutline.model_validate({"parts": value["parts"], "usage": answer.usage})
    except ValidationError:
        raise LLMBadOutput("the model's outline of a large file is malformed") from None
    if not 2 <= len(made.parts) <= MOST_PARTS:
        raise LLMBadOutput(f"the model's outline of a large file has {len(made.parts)} parts")
    return made

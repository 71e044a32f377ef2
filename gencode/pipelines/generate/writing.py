"""Writing the files of a plan, several at once, from the moment their entries are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from anyio.abc import TaskGroup

from gencode.errors import LLMBadOutput, LLMTooLarge, LLMTruncated
from gencode.pipeline import Progress
from gencode.pipelines.generate.artifacts import Brief, Piece, Plan, PlannedFile
from gencode.pipelines.generate.asking import Answer, Asker
from gencode.pipelines.generate.joining import continuation, file_text, raw, resume_point
from gencode.pipelines.generate.prompts import file_messages
from gencode.pipelines.generate.turns import Turns
from gencode.provider import ChatRequest
from gencode.tree import MAX_FILE_BYTES

MAY_BE_EMPTY = ("__init__.py", "py.typed", ".gitkeep")


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """max_tokens: of one answer; rounds: model calls for one file; at_once: files written in parallel."""

    max_tokens: int = 8192
    rounds: int = 12
    at_once: int = 8


class Desk:
    """One task's files being written, in the task group of its stage.

    A file is begun once its entry and those of all that it needs are known, so that it is told what they
    export. After a failure no file is begun, but those under way are finished and kept: they are paid for.
    """

    def __init__(self, asker: Asker, limits: Limits, brief: Brief, group: TaskGroup) -> None:
        self._asker = asker
        self._limits = limits
        self._brief = brief
        self._group = group
        self._turns = Turns(limits.at_once)
        self._begun: set[str] = set()
        self._total = 0
        self._pieces = {path: list(pieces) for path, pieces in brief.pieces.items()}
        self._failures: list[Exception] = []

    def hear(self, plan: Plan) -> None:
        """The plan so far. Begins what can be begun."""
        known = {file.path for file in plan.files}
        for file in plan.files:
            if known.issuperset(file.needs):
                self._begin(file, plan)

    def complete(self, plan: Plan) -> None:
        """The whole plan. Begins all that is not under way, whether what it needs is planned or not."""
        self._total = len(plan.files)
        for file in plan.files:
            self._begin(file, plan)

    def pieces(self, plan: Plan) -> Mapping[str, tuple[Piece, ...]]:
        """What was written, once the task group is done. Raises what stopped it."""
        if self._failures:
            raise self._failures[0]
        return {file.path: tuple(self._pieces[file.path]) for file in plan.files}

    def _begin(self, file: PlannedFile, plan: Plan) -> None:
        if file.path not in self._begun:
            self._begun.add(file.path)
            self._group.start_soon(self._write_in_turn, file, plan)

    async def _write_in_turn(self, file: PlannedFile, plan: Plan) -> None:
        async with self._turns.of(file.lines):
            if self._failures:
                return
            try:
                await self._write(file, plan)
            except Exception as error:
                self._failures.append(error)

    async def _write(self, file: PlannedFile, plan: Plan) -> None:
        pieces = self._pieces.setdefault(file.path, [])
        while not (pieces and pieces[-1].whole):
            self._check_rounds(file, pieces)
            piece = await self._next_piece(file, plan, pieces)
            pieces.append(piece)
            await self._keep(file, pieces)

    def _check_rounds(self, file: PlannedFile, pieces: list[Piece]) -> None:
        if len(pieces) >= self._limits.rounds:
            raise LLMTruncated(
                f"{file.path} is not whole after {len(pieces)} answers of {self._limits.max_tokens} tokens; "
                "ask for smaller files"
            )
        if len(raw(pieces)) > MAX_FILE_BYTES:
            raise LLMTooLarge(f"{file.path} has grown past {MAX_FILE_BYTES} bytes; ask for smaller files")

    async def _next_piece(self, file: PlannedFile, plan: Plan, pieces: list[Piece]) -> Piece:
        said = raw(pieces)
        exact = not pieces or self._asker.provider.native_prefix
        point = len(said) if exact else resume_point(said, len(pieces[-1].text))
        request = ChatRequest(
            messages=file_messages(self._brief.prompt, plan, file),
            max_tokens=self._limits.max_tokens,
            prefix=said[:point],
        )

        def read(answer: Answer) -> Piece:
            whole, text = not answer.cut, answer.text
            if not exact:
                text = continuation(said, point, text, file.path, whole=whole)
            if not (said + text).strip() and not file.path.endswith(MAY_BE_EMPTY):
                raise LLMBadOutput(f"the model's answer for {file.path} is blank")
            return Piece(text=text, follows=point, whole=whole, usage=answer.usage)

        return await self._asker.ask(request, file.path, read)

    async def _keep(self, file: PlannedFile, pieces: list[Piece]) -> None:
        piece = pieces[-1]
        tokens = self._asker.used(file.path, piece.usage)
        kept = Progress(keep={f"piece:{len(pieces)}:{file.path}": piece.model_dump_json()})
        if not piece.whole:
            await self._asker.send(kept, tokens)
            return
        size = len(file_text(pieces, file.path).encode("utf-8", "replace"))
        told = {"path": file.path, "bytes": size, "calls": len(pieces), **self._counts()}
        await self._asker.send(kept, tokens, Progress(kind="file", data=told))

    def _counts(self) -> dict[str, int | None]:
        """How many files are whole, and of how many: not known while the plan is still being said."""
        done = sum(1 for pieces in self._pieces.values() if pieces and pieces[-1].whole)
        return {"done": done, "of": self._total or None}

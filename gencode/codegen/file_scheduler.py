"""The files of a plan being written, several at once, from the moment their entries are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import anyio.to_thread
from anyio.abc import TaskGroup

from gencode.codegen.chunked_file_writer import ChunkedFileWriter, Describe, parts_of
from gencode.codegen.continuation_merge import file_text
from gencode.codegen.file_writer import FileWriter, WritingLimits
from gencode.codegen.largest_first_limiter import LargestFirstLimiter
from gencode.codegen.prompts import TOKENS_PER_LINE, file_messages
from gencode.domain.blob import deflated
from gencode.engine.pipeline import StageUpdate
from gencode.llm.errors import LLMTruncated
from gencode.llm.session import LLMSession
from gencode.pipelines.generate.artifacts import PIECE, GenerateInput, Piece, Plan, PlannedFile

ENOUGH_LINES = 200
"""Of this task's own files, by which the tokens of a line are judged."""


class FileScheduler:
    """One task's files being written, in the task group of its stage.

    A file is begun once its entry and those of all that it needs are known, so that it is told what they
    export; files that are whole by then are described by what they really define. After a failure no file is
    begun, but those under way are finished and kept: they are paid for.
    """

    def __init__(
        self,
        session: LLMSession,
        describe: Describe,
        limits: WritingLimits,
        input: GenerateInput,
        group: TaskGroup,
    ) -> None:
        self._describe = describe
        retries = input.retries.get(LLMTruncated.code, 0)
        self._writer = FileWriter(session=session, limits=limits, kind=PIECE, retries=retries)
        self._parting = ChunkedFileWriter(session=session, limits=limits, describe=describe, input=input)
        self._limits = limits
        self._work = session.work
        self.ready: dict[str, bytes] = {}
        """Whole files, deflated for the push while the others are still being written."""
        self._brief = input
        self._group = group
        self._turns = LargestFirstLimiter(limits.at_once)
        self._begun: set[str] = set()
        self._total = 0
        self._pieces = {path: list(pieces) for path, pieces in input.pieces.items()}
        self._ledger: dict[str, Sequence[str]] = {}
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
        self._work.planned(plan, self._limits.at_once)
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
        pieces, tell = self._pieces.setdefault(file.path, []), partial(self._told, file.path)
        if outline := await self._outline(file, plan, pieces):
            pieces.append(await self._parting.write(file, plan, self._ledger, outline, tell))
        messages = file_messages(self._brief.prompt, plan, file, self._ledger)
        await self._writer.write(file.path, messages, pieces, tell)
        text = file_text(pieces, file.path)
        self._work.whole(file.path, len(text))
        self._ledger[file.path] = await self._describe(file.path, text)
        name, stream = await anyio.to_thread.run_sync(deflated, text)
        self.ready[name] = stream

    async def _outline(self, file: PlannedFile, plan: Plan, pieces: Sequence[Piece]) -> Sequence[str]:
        """The parts of a file that is expected to be longer than an answer may be, unless it is begun."""
        parts, lines = parts_of(file.lines, self._limits.max_tokens, self._tokens_per_line())
        if pieces or (parts == 1 and file.path not in self._brief.outlines):
            return ()
        return await self._parting.outline(file, plan, parts, lines)

    def _tokens_per_line(self) -> float:
        """As measured on this task's files, once there are enough of them."""
        whole = [pieces[0] for pieces in self._pieces.values() if len(pieces) == 1 and pieces[0].whole]
        lines = sum(piece.text.count("\n") for piece in whole if piece.usage.completion)
        tokens = sum(piece.usage.completion for piece in whole)
        return tokens / lines if lines >= ENOUGH_LINES else TOKENS_PER_LINE

    def _told(self, path: str, pieces: Sequence[Piece]) -> StageUpdate:
        """How many files are whole, and of how many: null while the plan is still being said."""
        size = len(file_text(pieces, path).encode("utf-8", "replace"))
        done = sum(1 for written in self._pieces.values() if written and written[-1].whole)
        counts = {"calls": len(pieces), "done": done, "of": self._total or None}
        return StageUpdate(kind="file", data={"path": path, "bytes": size, **counts})

"""The files of a plan being written, several at once, from the moment their entries are known."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from anyio.abc import TaskGroup

from gencode.errors import LLMTruncated
from gencode.pipeline import Progress
from gencode.pipelines.generate.artifacts import PIECE, Brief, Piece, Plan, PlannedFile
from gencode.pipelines.generate.asking import Asker
from gencode.pipelines.generate.joining import file_text
from gencode.pipelines.generate.prompts import file_messages
from gencode.pipelines.generate.turns import Turns
from gencode.pipelines.generate.writing import Limits, Scribe

Describe = Callable[[str, str], Awaitable[Sequence[str]]]
"""From a path and its text to what the file defines, a signature a line."""


class Desk:
    """One task's files being written, in the task group of its stage.

    A file is begun once its entry and those of all that it needs are known, so that it is told what they
    export; files that are whole by then are described by what they really define. After a failure no file is
    begun, but those under way are finished and kept: they are paid for.
    """

    def __init__(
        self, asker: Asker, describe: Describe, limits: Limits, brief: Brief, group: TaskGroup
    ) -> None:
        self._describe = describe
        retries = brief.retries.get(LLMTruncated.code, 0)
        self._scribe = Scribe(asker=asker, limits=limits, kind=PIECE, retries=retries)
        self._brief = brief
        self._group = group
        self._turns = Turns(limits.at_once)
        self._begun: set[str] = set()
        self._total = 0
        self._pieces = {path: list(pieces) for path, pieces in brief.pieces.items()}
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
        messages = file_messages(self._brief.prompt, plan, file, self._ledger)
        pieces = self._pieces.setdefault(file.path, [])
        await self._scribe.write(file.path, messages, pieces, partial(self._told, file.path))
        text = file_text(pieces, file.path)
        self._ledger[file.path] = await self._describe(file.path, text)

    def _told(self, path: str, pieces: Sequence[Piece]) -> Progress:
        """How many files are whole, and of how many: null while the plan is still being said."""
        size = len(file_text(pieces, path).encode("utf-8", "replace"))
        done = sum(1 for written in self._pieces.values() if written and written[-1].whole)
        counts = {"calls": len(pieces), "done": done, "of": self._total or None}
        return Progress(kind="file", data={"path": path, "bytes": size, **counts})

"""Writes the files of a plan concurrently, each as soon as the plan entries that it depends on are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import anyio.to_thread
from anyio.abc import TaskGroup

from gencode.codegen.file_checkpoints import PIECE, Piece, WritingJob
from gencode.codegen.file_generator import FileGenerator, WritingLimits
from gencode.codegen.largest_first_limiter import LargestFirstLimiter
from gencode.codegen.multipart_file_generator import Describe, MultipartFileGenerator, part_counts
from gencode.codegen.plan import Plan, PlannedFile
from gencode.codegen.prompts import TOKENS_PER_LINE, file_messages
from gencode.domain.git_blob import deflated
from gencode.engine.ports.pipeline import StageUpdate
from gencode.llm.errors import LLMTruncated
from gencode.llm.session import LLMSession

MIN_MEASURED_LINES = 200
"""Lines of this task's own files, from which on they determine the tokens per line."""


class FileScheduler:
    """Writes one task's files, in the task group of the task's stage.

    A file starts once its plan entry and those of all files that it needs are known, so that its prompt can
    state what they export; files that are complete by then are described by what they really define.
    After a failure no further file starts, but those in progress are finished and stored: their calls are
    paid for.
    """

    def __init__(
        self,
        session: LLMSession,
        describe: Describe,
        limits: WritingLimits,
        job: WritingJob,
        group: TaskGroup,
    ) -> None:
        self._describe = describe
        retries = job.retries.get(LLMTruncated.code, 0)
        self._generator = FileGenerator(session=session, limits=limits, kind=PIECE, retries=retries)
        self._multipart = MultipartFileGenerator(session=session, limits=limits, describe=describe, job=job)
        self._limits = limits
        self._progress = session.progress
        self.deflated_blobs: dict[str, bytes] = {}
        """Complete files by blob id, deflated for the push while other files are still being written."""
        self._job = job
        self._group = group
        self._limiter = LargestFirstLimiter(limits.at_once)
        self._started: set[str] = set()
        self._total = 0
        self._pieces = {path: list(pieces) for path, pieces in job.pieces.items()}
        self._symbols: dict[str, Sequence[str]] = {}
        self._failures: list[Exception] = []

    def update_plan(self, plan: Plan) -> None:
        """Start every file of an incomplete plan whose needs are all planned."""
        known = {file.path for file in plan.files}
        for file in plan.files:
            if known.issuperset(file.needs):
                self._start(file, plan)

    def complete_plan(self, plan: Plan) -> None:
        """Start every remaining file of the complete plan, even if a file that it needs is not planned."""
        self._total = len(plan.files)
        self._progress.planned({file.path: file.lines for file in plan.files}, self._limits.at_once)
        for file in plan.files:
            self._start(file, plan)

    def pieces(self, plan: Plan) -> Mapping[str, tuple[Piece, ...]]:
        """The answers for each file, after the task group has finished. Raises the first failure."""
        if self._failures:
            raise self._failures[0]
        return {file.path: tuple(self._pieces[file.path]) for file in plan.files}

    def _start(self, file: PlannedFile, plan: Plan) -> None:
        if file.path not in self._started:
            self._started.add(file.path)
            self._group.start_soon(self._run, file, plan)

    async def _run(self, file: PlannedFile, plan: Plan) -> None:
        async with self._limiter.acquire(file.lines):
            if self._failures:
                return
            try:
                await self._write(file, plan)
            except Exception as error:
                self._failures.append(error)

    async def _write(self, file: PlannedFile, plan: Plan) -> None:
        pieces = self._pieces.setdefault(file.path, [])
        completed = partial(self._file_update, file.path)
        if outline := await self._outline(file, plan, pieces):
            pieces.append(await self._multipart.write(file, plan, self._symbols, outline, completed))
        messages = file_messages(self._job.prompt, plan, file, self._symbols)
        await self._finish(file.path, await self._generator.write(file.path, messages, pieces, completed))

    async def _finish(self, path: str, text: str) -> None:
        self._progress.file_finished(path, len(text))
        self._symbols[path] = await self._describe(path, text)
        blob_id, stream = await anyio.to_thread.run_sync(deflated, text)
        self.deflated_blobs[blob_id] = stream

    async def _outline(self, file: PlannedFile, plan: Plan, pieces: Sequence[Piece]) -> Sequence[str]:
        """The parts of a file that one answer probably cannot hold; empty for one that has been started."""
        parts, lines = part_counts(file.lines, self._limits.max_tokens, self._tokens_per_line())
        if pieces or (parts == 1 and file.path not in self._job.outlines):
            return ()
        return await self._multipart.outline(file, plan, parts, lines)

    def _tokens_per_line(self) -> float:
        """The average of this task's files, once there are enough of them."""
        whole = [pieces[0] for pieces in self._pieces.values() if len(pieces) == 1 and pieces[0].whole]
        lines = sum(piece.text.count("\n") for piece in whole if piece.usage.completion)
        tokens = sum(piece.usage.completion for piece in whole)
        return tokens / lines if lines >= MIN_MEASURED_LINES else TOKENS_PER_LINE

    def _file_update(self, path: str, pieces: Sequence[Piece], text: str) -> StageUpdate:
        """The `file` event. `of`: the number of planned files; null while the plan is incomplete."""
        size = len(text.encode("utf-8", "replace"))
        done = sum(1 for written in self._pieces.values() if written and written[-1].whole)
        counts = {"calls": len(pieces), "done": done, "of": self._total or None}
        return StageUpdate(kind="file", data={"path": path, "bytes": size, **counts})

"""The first stage: the model plans the project, then writes its files, several at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import anyio

from gencode.errors import LLMBadOutput, LLMTooLarge, LLMTruncated
from gencode.pipeline import Progress, Send
from gencode.pipelines.generate.artifacts import Brief, Draft, KeptPlan, Piece, Plan, PlannedFile
from gencode.pipelines.generate.asking import Answer, Asker
from gencode.pipelines.generate.joining import continuation, file_text, raw, resume_point
from gencode.pipelines.generate.parsing import parse_plan
from gencode.pipelines.generate.prompts import file_messages, plan_messages
from gencode.provider import ChatRequest, Provider, Providers, Usage
from gencode.task import Status
from gencode.tree import MAX_FILE_BYTES

MAY_BE_EMPTY = ("__init__.py", "py.typed", ".gitkeep")


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """max_tokens: of one answer; rounds: model calls for one file; at_once: files written in parallel."""

    max_tokens: int = 8192
    rounds: int = 12
    at_once: int = 8


class Generating:
    """Keeps the plan and each answer as it comes, so that no completed model call is paid for twice."""

    status = Status.GENERATING

    def __init__(
        self, providers: Providers, asker: Asker, limits: Limits, *, workflows: bool = False
    ) -> None:
        self._providers = providers
        self._asker = asker
        self._limits = limits
        self._workflows = workflows

    async def __call__(self, brief: Brief, send: Send) -> Draft:
        provider = self._providers(brief.model)
        tally = _Tally(brief.spent)
        plan = brief.plan or await self._plan(provider, brief, send, tally)
        desk = _Desk(provider, self._asker, self._limits, brief, plan, send, tally)
        return Draft(brief=brief, plan=plan, pieces=await desk.write_all())

    async def _plan(self, provider: Provider, brief: Brief, send: Send, tally: _Tally) -> Plan:
        request = ChatRequest(
            messages=plan_messages(brief.prompt), max_tokens=self._limits.max_tokens, json=True
        )
        kept = await self._asker.ask(provider, request, send, "plan", self._read_plan)
        files = [file.model_dump() for file in kept.plan.files]
        await send(
            Progress(
                kind="plan",
                data={"summary": kept.plan.summary, "files": files, "model": provider.name},
                keep={"plan": kept.model_dump_json()},
            ),
            tally.add("plan", kept.usage),
        )
        return kept.plan

    def _read_plan(self, answer: Answer) -> KeptPlan:
        if answer.cut:
            raise LLMTruncated("the plan is longer than the model's output limit; ask for a smaller project")
        return KeptPlan(plan=parse_plan(answer.text, workflows=self._workflows), usage=answer.usage)


class _Tally:
    """Tokens of the whole task so far, as the provider counts them."""

    def __init__(self, spent: Usage) -> None:
        self._total = spent

    def add(self, about: str, usage: Usage) -> Progress:
        """The `usage` event of one completed call."""
        self._total = Usage(
            prompt=self._total.prompt + usage.prompt,
            completion=self._total.completion + usage.completion,
            cached=self._total.cached + usage.cached,
        )
        data = {"about": about, "tokens": asdict(usage), "total": asdict(self._total)}
        return Progress(kind="usage", data=data)


class _Desk:
    """One task's files being written."""

    def __init__(
        self,
        provider: Provider,
        asker: Asker,
        limits: Limits,
        brief: Brief,
        plan: Plan,
        send: Send,
        tally: _Tally,
    ) -> None:
        self._provider = provider
        self._asker = asker
        self._limits = limits
        self._brief = brief
        self._plan = plan
        self._send = send
        self._tally = tally
        self._pieces = {path: list(pieces) for path, pieces in brief.pieces.items()}
        self._places = anyio.CapacityLimiter(limits.at_once)
        self._failures: list[Exception] = []

    async def write_all(self) -> Mapping[str, tuple[Piece, ...]]:
        """After a failure no file is begun, but those under way are finished and kept: they are paid for."""
        async with anyio.create_task_group() as tg:
            for file in self._plan.files:
                tg.start_soon(self._write_in_turn, file)
        if self._failures:
            raise self._failures[0]
        return {file.path: tuple(self._pieces[file.path]) for file in self._plan.files}

    async def _write_in_turn(self, file: PlannedFile) -> None:
        async with self._places:
            if self._failures:
                return
            try:
                await self._write(file)
            except Exception as error:
                self._failures.append(error)

    async def _write(self, file: PlannedFile) -> None:
        pieces = self._pieces.setdefault(file.path, [])
        while not (pieces and pieces[-1].whole):
            self._check_rounds(file, pieces)
            piece = await self._next_piece(file, pieces)
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

    async def _next_piece(self, file: PlannedFile, pieces: list[Piece]) -> Piece:
        said = raw(pieces)
        exact = not pieces or self._provider.native_prefix
        point = len(said) if exact else resume_point(said, len(pieces[-1].text))
        request = ChatRequest(
            messages=file_messages(self._brief.prompt, self._plan, file),
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

        return await self._asker.ask(self._provider, request, self._send, file.path, read)

    async def _keep(self, file: PlannedFile, pieces: list[Piece]) -> None:
        piece = pieces[-1]
        tokens = self._tally.add(file.path, piece.usage)
        kept = Progress(keep={f"piece:{len(pieces)}:{file.path}": piece.model_dump_json()})
        if not piece.whole:
            await self._send(kept, tokens)
            return
        done = sum(1 for written in self._pieces.values() if written and written[-1].whole)
        size = len(file_text(pieces, file.path).encode("utf-8", "replace"))
        counts = {"calls": len(pieces), "done": done, "of": len(self._plan.files)}
        file_event = Progress(kind="file", data={"path": file.path, "bytes": size, **counts})
        await self._send(kept, tokens, file_event)

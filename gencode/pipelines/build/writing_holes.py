"""The stage `writing_holes`: one call for each hole, and one repair that the checks ask for. What an earlier
build of the same scope has written for the same inputs is used again; what fails leaves the declared body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import anyio.to_thread
import structlog
from pydantic import BaseModel

from gencode.blueprints import Blueprint
from gencode.codegen.project_checker import ProjectChecker
from gencode.domain.errors import StoreError
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.llm.port import ChatRequest, Message
from gencode.llm.session import Answer, LLMSessionFactory
from gencode.model_tasks.calls import ModelCalls
from gencode.model_tasks.several import do_each
from gencode.pipelines.build.artifacts import Built, HoleOutcome, HoleOutcomes
from gencode.pipelines.build.holes.answers import MAX_CHARACTERS, Declined, Unusable, body_of
from gencode.pipelines.build.holes.checks import faults_of
from gencode.pipelines.build.holes.filling import Hole
from gencode.pipelines.build.holes.project_names import ProjectNames, project_names
from gencode.pipelines.build.holes.prompts import digest_of, messages_of, repair_messages
from gencode.pipelines.build.names import HOLES
from gencode.workspace.builds.store import BuildStore, KeptHole

log = structlog.get_logger(__name__)

SKELETON = "the build was asked for without a model"
NO_PROMPT = "nothing is known about it"


class HoleAnswer(BaseModel):
    """An answer. `truncated`: the limit of tokens has cut it."""

    text: str
    truncated: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A hole, what the model is told about it, and what its body may name."""

    hole: Hole
    messages: tuple[Message, ...]
    digest: str
    names: ProjectNames


def has_holes(work: Built) -> bool:
    return bool(work.rendered.holes)


class WritingHoles:
    def __init__(
        self,
        sessions: LLMSessionFactory,
        builds: BuildStore,
        checker: ProjectChecker,
        max_tokens: int,
        at_once: int,
    ) -> None:
        self._sessions = sessions
        self._builds = builds
        self._checker = checker
        self._max_tokens = max_tokens
        self._at_once = at_once

    async def __call__(self, work: Built, emit: Emit) -> Built:
        """Raises the errors of models, CheckFailed, StoreError."""
        if work.holes:
            return work
        if work.given.holes == "skeleton":
            return await self._ended(work, emit, [_default(hole, SKELETON) for hole in work.rendered.holes])
        asked = await anyio.to_thread.run_sync(_asked, work)
        kept = await self._kept(work, asked)
        missing = [one for one in asked if one.messages and one.digest not in kept]
        calls = await ModelCalls.open(self._sessions, work.given.run, emit) if missing else None
        write = partial(self._outcome, work, calls, kept)
        outcomes = await do_each(asked, write, self._at_once)
        await self._keep(work.given.scope, outcomes)
        return await self._ended(work, emit, outcomes)

    async def _kept(self, work: Built, asked: Sequence[Asked]) -> Mapping[str, KeptHole]:
        if work.given.holes == "rewrite":
            return {}
        return await self._builds.kept_holes(work.given.scope, [one.digest for one in asked])

    async def _outcome(
        self, work: Built, calls: ModelCalls | None, kept: Mapping[str, KeptHole], asked: Asked
    ) -> HoleOutcome:
        hole = asked.hole
        if known := kept.get(asked.digest):
            return HoleOutcome(
                name=hole.name,
                path=hole.path,
                source="kept",
                body=known.body,
                digest=asked.digest,
                model=known.model,
            )
        if calls is None or not asked.messages:
            return _default(hole, NO_PROMPT)
        try:
            body = await self._written(calls, asked)
        except Declined as declined:
            return _default(hole, f"the model has not written it: {declined}")
        except Unusable as unusable:
            return _default(hole, f"what the model wrote cannot be used: {unusable}")
        return HoleOutcome(
            name=hole.name,
            path=hole.path,
            source="model",
            body=body,
            digest=asked.digest,
            model=work.given.run.model,
        )

    async def _written(self, calls: ModelCalls, asked: Asked) -> str:
        """Raises Declined, Unusable."""
        answer = await self._ask(calls, asked.hole.name, asked.messages)
        body, faults = await self._examined(answer, asked)
        if faults:
            told = repair_messages(asked.messages, answer.text, faults)
            answer = await self._ask(calls, f"{asked.hole.name} (repair)", told)
            body, faults = await self._examined(answer, asked)
        if faults:
            raise Unusable("; ".join(faults)[:1000])
        return body

    async def _ask(self, calls: ModelCalls, about: str, messages: tuple[Message, ...]) -> HoleAnswer:
        request = ChatRequest(messages=messages, max_tokens=self._max_tokens, max_text=10 * MAX_CHARACTERS)
        return await calls.ask(about, request, _parse, HoleAnswer)

    async def _examined(self, answer: HoleAnswer, asked: Asked) -> tuple[str, Sequence[str]]:
        """The body, and what is wrong with it. Raises Declined."""
        if answer.truncated:
            return "", ["the answer was cut off: write a shorter body"]
        try:
            body = await anyio.to_thread.run_sync(body_of, answer.text)
        except Unusable as unusable:
            return "", [str(unusable)]
        faults = await anyio.to_thread.run_sync(faults_of, body, asked.hole, asked.names)
        secrets = await self._checker.scan({asked.hole.path: body}, "")
        return body, [*faults, *(f"line {one.line}: it seems to contain a secret" for one in secrets)]

    async def _keep(self, scope: str, outcomes: Sequence[HoleOutcome]) -> None:
        """A failure costs a later call only."""
        written = {
            one.digest: KeptHole(body=one.body, model=one.model) for one in outcomes if one.source == "model"
        }
        if not written:
            return
        try:
            await self._builds.keep_holes(scope, written)
        except StoreError as error:
            log.warning("what a model has written into holes is not kept", error=error.message)

    async def _ended(self, work: Built, emit: Emit, outcomes: Sequence[HoleOutcome]) -> Built:
        told = [
            StageUpdate(
                kind="hole",
                data={"name": one.name, "path": one.path, "source": one.source, "reason": one.reason},
            )
            for one in outcomes
        ]
        stored = HoleOutcomes(holes=tuple(outcomes))
        await emit(*told, StageUpdate(checkpoints={HOLES: stored.model_dump_json()}))
        return replace(work, holes=stored.holes)


def _asked(work: Built) -> list[Asked]:
    """Called in a thread: it parses every model of the project."""
    blueprint = Blueprint.model_validate(work.given.blueprint)
    names: dict[str, ProjectNames] = {}
    found = []
    for hole in work.rendered.holes:
        root = hole.path.partition("/app/")[0]
        if root not in names:
            names[root] = project_names(work.rendered.files, hole)
        messages = messages_of(hole, blueprint, work.rendered.files)
        digest = digest_of(messages) if messages else ""
        found.append(Asked(hole=hole, messages=messages, digest=digest, names=names[root]))
    return found


def _default(hole: Hole, reason: str) -> HoleOutcome:
    return HoleOutcome(name=hole.name, path=hole.path, source="default", reason=reason[:1000])


def _parse(answer: Answer) -> HoleAnswer:
    return HoleAnswer(text=answer.text, truncated=answer.truncated)

"""The stage `answering`: the model writes the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import anyio
from pydantic import BaseModel, ConfigDict

from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.llm.errors import LLMBadOutput, PrefixRejected
from gencode.llm.port import ChatRequest
from gencode.llm.session import Answer, LLMSessionFactory
from gencode.model_tasks.calls import ModelCalls
from gencode.pipelines.chat.answer_stream import ABOUT, REFUSED, AnswerStream
from gencode.pipelines.chat.opening import Opening
from gencode.pipelines.chat.prompt import chat_request
from gencode.pipelines.chat.sources import sources_text
from gencode.pipelines.chat.turn import Turn
from gencode.workspace.conversations.branches import MessageReader
from gencode.workspace.conversations.messages import MessageWriter
from gencode.workspace.database import Database

T = TypeVar("T")


class AnswerEnd(BaseModel):
    """Of a complete answer, whose text is stored in pieces."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    truncated: bool


class Answering:
    """`max_tokens`: of an answer."""

    def __init__(
        self, database: Database, opening: Opening, sessions: LLMSessionFactory, max_tokens: int
    ) -> None:
        self._opening = opening
        self._writer = MessageWriter(database)
        self._reader = MessageReader(database)
        self._sessions = sessions
        self._max_tokens = max_tokens

    async def __call__(self, turn: Turn, emit: Emit) -> Turn:
        """Raises the errors of LLMSession.ask. The text so far is stored whatever happens."""
        await self._opening(turn.new)
        stream = _stream(emit, await self._request(turn), turn)
        calls = await ModelCalls.open(self._sessions, turn.run, stream)
        stream.has_native_prefix = lambda: calls.session.provider.native_prefix
        try:
            end = await _beside(stream.store_regularly, lambda: _ask(calls, stream))
        except LLMBadOutput:
            await stream.attempt_was_unusable()
            raise
        finally:
            with anyio.CancelScope(shield=True):
                await stream.store()
                await self._writer.save(turn.new.ids.answer_id, stream.written.text, turn.new.task)
        result = {**turn.result, "truncated": end.truncated}
        if stream.usage:
            result["usage"] = stream.usage
        return replace(turn, written=stream.written, result=result)

    async def _request(self, turn: Turn) -> ChatRequest:
        assert turn.context is not None  # noqa: S101 - the stage before has chosen
        earlier = await self._reader.messages(turn.context.messages)
        (question,) = await self._reader.messages([turn.new.ids.question_id])
        system = turn.system + sources_text(turn.context.sources)
        return chat_request(system, earlier, question.content, self._max_tokens)


def _stream(emit: Emit, request: ChatRequest, turn: Turn) -> AnswerStream:
    is_refused = turn.run.checkpoints.get(REFUSED) == str(turn.written.round)
    return AnswerStream(emit, request, turn.written, is_continuable=not is_refused)


async def _ask(calls: ModelCalls, stream: AnswerStream) -> AnswerEnd:
    def parse(answer: Answer) -> AnswerEnd:
        stream.check()
        return AnswerEnd(truncated=answer.truncated)

    def last_piece(end: AnswerEnd) -> StageUpdate:
        return replace(stream.last_piece(), result={"truncated": end.truncated})

    async def ask() -> AnswerEnd:
        request = ChatRequest(messages=(), max_tokens=1)  # each attempt's is made by the stream
        return await calls.ask(ABOUT, request, parse, AnswerEnd, last_piece, continued=stream)

    try:
        return await ask()
    except PrefixRejected:  # the provider is no longer native: the answer must prove that it continues
        return await ask()


async def _beside(background: Callable[[], Coroutine[Any, Any, None]], work: Callable[[], Awaitable[T]]) -> T:
    """The result of `work`, beside which `background` runs. The error of `work` is raised as it is."""
    result: list[T] = []
    failure: list[Exception] = []
    async with anyio.create_task_group() as tg:
        tg.start_soon(background)
        try:
            result.append(await work())
        except Exception as error:
            failure.append(error)
        tg.cancel_scope.cancel()
    if failure:
        raise failure[0]
    return result[0]

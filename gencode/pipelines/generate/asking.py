"""One question to a model until it is answered: attempts, live text, notices."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from gencode.errors import LLMIncomplete, Transient
from gencode.metrics import Metrics
from gencode.pipeline import Progress, Send
from gencode.provider import ChatRequest, Provider, Usage
from gencode.retry import Retry

log = structlog.get_logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """`cut`: the token limit ended it, not the model."""

    text: str
    cut: bool
    usage: Usage = field(default_factory=Usage)


class Asker:
    """Asks with three attempts; the only place where model calls are repeated."""

    def __init__(self, retry: Retry, metrics: Metrics) -> None:
        self._retry = retry
        self._metrics = metrics

    async def ask(
        self,
        provider: Provider,
        request: ChatRequest,
        send: Send,
        about: str,
        read: Callable[[Answer], T],
    ) -> T:
        """What `read` makes of the answer; its Transient errors count as failed attempts too.

        `about` names the subject of the question in events: "plan" or a path.
        """

        async def attempt() -> T:
            return read(await _answer(provider, request, send, about))

        return await self._retry(attempt, self._notice(send, about))

    def _notice(self, send: Send, about: str) -> Callable[[Transient, float], Awaitable[None]]:
        async def notice(error: Transient, wait: float) -> None:
            data = {"about": about, "code": error.code, "wait_seconds": round(wait, 1)}
            log.warning("asking the model again", reason=error.message, **data)
            self._metrics.retries.labels(error.code).inc()
            await send(Progress(kind="retry", data={**data, "message": error.message}))

        return notice


async def _answer(provider: Provider, request: ChatRequest, send: Send, about: str) -> Answer:
    parts: list[str] = []
    finish: str | None = None
    usage = Usage()
    async with aclosing(provider.stream(request)) as chunks:
        async for chunk in chunks:
            if chunk.text:
                parts.append(chunk.text)
                await send(Progress(kind="delta", data={"about": about, "text": chunk.text}, live=True))
            finish = chunk.finish_reason or finish
            usage = chunk.usage or usage
    if finish not in ("stop", "length"):
        raise LLMIncomplete("the model's stream ended without saying that it was done")
    return Answer(text=_scalar("".join(parts)), cut=finish == "length", usage=usage)


def _scalar(text: str) -> str:
    """What UTF-8 can hold: an emoji whose halves came in two chunks is one again, a lone half is U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

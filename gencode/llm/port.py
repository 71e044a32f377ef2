"""The port to a model: one streamed chat completion."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Protocol

Role = Literal["system", "user", "assistant"]
MAX_TEXT = 3 * 2**20
"""The most characters of an answer: a file of 2 MiB, with remarks or with escapes of JSON."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatRequest:
    """A request for one completion.

    max_tokens   upper limit of the answer
    max_text     characters of it, without reasoning; a longer one raises LLMTooLarge while it arrives
    json         the answer must be one JSON object (a message must contain the word "json": JSON modes
                 demand it)
    prefix       the beginning of the answer, which the model continues. A provider without native prefix
                 completion instructs the model to continue, so the answer may overlap the prefix.
    prose        the answer is for people to read: that it reads like a person's thoughts is no sign of
                 reasoning, for which it would be held back until its end
    """

    messages: tuple[Message, ...]
    max_tokens: int
    json: bool = False
    prefix: str = ""
    max_text: int = MAX_TEXT
    prose: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Tokens as the provider counts (and bills) them.

    cached     prompt tokens served from its cache
    estimated  the provider has not reported all of them: they are estimated from the texts
    """

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    estimated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatChunk:
    """A part of the answer.

    text           text of the answer
    reasoning      the model's reasoning before the answer: billed like text, but no part of the answer
    finish_reason  present once, with or after the last text
    usage          the usage of the whole call so far; the last one counts
    """

    text: str = ""
    reasoning: str = ""
    finish_reason: str | None = None
    usage: Usage | None = None


OnSend = Callable[[], Awaitable[None]]
"""Awaited when a call has its slot and before anything of it is sent; again if the request is sent more than
a second later. An exception ends the call."""


class Provider(Protocol):
    """One configured model. A call is one attempt: the caller retries after Transient errors."""

    @property
    def name(self) -> str:
        """The name in tasks and messages, such as "deepseek/deepseek-flash"."""
        ...

    @property
    def native_prefix(self) -> bool:
        """Whether a request's `prefix` is continued exactly, character by character."""
        ...

    @property
    def pause(self) -> float:
        """Seconds for which calls wait because of the rate limit of the API, whichever call exceeded it."""
        ...

    def stream(self, request: ChatRequest, on_send: OnSend | None = None) -> AsyncGenerator[ChatChunk, None]:
        """The answer in chunks as they arrive. finish_reason is "stop" (complete) or "length" (truncated).

        Raises the errors of `gencode.llm.errors`: Transient ones if a new attempt may help. What the provider
        has billed is yielded before the error is raised. Ends only after a finish_reason; a stream that stops
        without one raises LLMIncomplete. First-token, idle and total deadlines raise LLMTimeout. Closing the
        iterator closes the connection.
        """
        ...


Providers = Callable[[str], Provider]
"""Returns the provider for a request's `model`. Raises Invalid for a name that is not configured."""

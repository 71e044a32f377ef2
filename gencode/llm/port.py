"""The seam to a model: one streamed chat completion."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Literal, Protocol

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    role: Role
    content: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatRequest:
    """One completion to ask for.

    max_tokens   most tokens of the answer
    json         the answer must be one JSON object (the messages say "json", as JSON modes demand)
    prefix       what the assistant has said already; the model goes on from there. A provider without
                 native prefix completion asks in words, so the answer may overlap the prefix.
    """

    messages: tuple[Message, ...]
    max_tokens: int
    json: bool = False
    prefix: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Tokens as the provider counts (and bills) them; `cached` of the prompt's came from its cache."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatChunk:
    """A part of the answer. `finish_reason` comes once, with or after the last text; `usage` at most once."""

    text: str = ""
    finish_reason: str | None = None
    usage: Usage | None = None


class Provider(Protocol):
    """One configured model. A call is one attempt: retrying is the caller's, who sees Transient errors."""

    @property
    def name(self) -> str:
        """What tasks and people call it, such as "deepseek/deepseek-flash"."""
        ...

    @property
    def native_prefix(self) -> bool:
        """Whether a request's `prefix` is continued exactly, character by character."""
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        """The answer in chunks, as it comes. The last finish_reason is "stop" (whole) or "length" (cut).

        Raises LLM* errors of `gencode.domain.errors`: Transient ones when a new attempt may help. Ends only after
        a finish_reason; a stream that stops without one raises LLMIncomplete. First-token, idle and total
        deadlines raise LLMTimeout. Closing the iterator closes the connection.
        """
        ...


Providers = Callable[[str], Provider]
"""The provider that a request's `model` names. Raises Invalid for a name that is not configured."""

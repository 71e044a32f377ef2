"""The usage of one model call so far: as its provider reported it, else estimated from its texts."""

from __future__ import annotations

from gencode.llm.charge_checkpoints import call_name
from gencode.llm.errors import ProviderError
from gencode.llm.port import ChatChunk, ChatRequest, Usage
from gencode.llm.token_estimate import estimate_tokens, prompt_tokens


class CallMeter:
    """Of one attempt.

    about        its subject: "plan" or a path
    checkpoint   the name under which its reserve is stored
    is_reserved  the reserve has been, or may have been, stored
    is_sent      the request has been, or may have been, sent
    """

    def __init__(self, about: str, request: ChatRequest) -> None:
        self.about = about
        self.request = request
        self.checkpoint = call_name(about)
        self._told: Usage | None = None
        self._untold: list[str] = []
        """Text and reasoning since the provider last reported the usage."""
        self.is_reserved = self.is_sent = False

    def receive(self, chunk: ChatChunk) -> None:
        """A usage includes the text that comes with it. One without completion tokens says nothing about text
        that has been received."""
        self.is_sent = True
        if chunk.text:
            self._untold.append(chunk.text)
        if chunk.reasoning:
            self._untold.append(chunk.reasoning)
        if chunk.usage:
            self._told = chunk.usage
            if chunk.usage.completion:
                self._untold = []

    def usage(self) -> Usage:
        """Of an answered call: as reported; unreported parts are estimated. A chunk is one token at least."""
        told = self._told or Usage()
        untold = max(estimate_tokens("".join(self._untold)), len(self._untold))
        return Usage(
            prompt=told.prompt or prompt_tokens(self.request),
            completion=told.completion + untold,
            cached=told.cached,
            estimated=told.estimated or not told.prompt or untold > 0,
        )

    def usage_after(self, error: BaseException) -> Usage:
        """Of a call that ended with this error: none if it was not sent, or refused before the model ran."""
        has_run = self._told is not None or bool(self._untold)
        was_refused = isinstance(error, ProviderError) and not error.may_be_billed
        return self.usage() if self.is_sent and (has_run or not was_refused) else Usage()

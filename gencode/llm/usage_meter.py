"""Meters the usage of one model call: as the provider reports it, else estimated from its texts."""

from __future__ import annotations

from gencode.llm.charge_checkpoints import call_name
from gencode.llm.errors import ProviderError
from gencode.llm.port import ChatChunk, ChatRequest, Usage
from gencode.llm.token_estimate import estimate_tokens, prompt_tokens


class CallMeter:
    """Meters one attempt.

    about        its subject: "plan" or a path
    checkpoint   the name under which its reserve is stored
    is_reserved  the reserve has been, or may have been, stored
    is_sent      the request has been, or may have been, sent
    seconds      from the request to the last part of the answer
    """

    def __init__(self, about: str, request: ChatRequest) -> None:
        self.about = about
        self.request = request
        self.checkpoint = call_name(about)
        self._reported: Usage | None = None
        self._unreported_text: list[str] = []
        """Text and reasoning since the provider last reported the usage."""
        self.is_reserved = self.is_sent = False
        self.seconds = 0.0

    def receive(self, chunk: ChatChunk) -> None:
        """Counts a chunk. A usage report covers the text of its own chunk. A usage report without completion
        tokens does not cover the text received so far."""
        self.is_sent = True
        if chunk.text:
            self._unreported_text.append(chunk.text)
        if chunk.reasoning:
            self._unreported_text.append(chunk.reasoning)
        if chunk.usage:
            self._reported = chunk.usage
            if chunk.usage.completion:
                self._unreported_text = []

    def usage(self) -> Usage:
        """The usage of an answered call: as reported, with an estimate for unreported parts. A chunk is at
        least one token."""
        reported = self._reported or Usage()
        unreported = max(estimate_tokens("".join(self._unreported_text)), len(self._unreported_text))
        return Usage(
            prompt=reported.prompt or prompt_tokens(self.request),
            completion=reported.completion + unreported,
            cached=reported.cached,
            estimated=reported.estimated or not reported.prompt or unreported > 0,
        )

    def usage_after(self, error: BaseException) -> Usage:
        """The usage of a call that ended with this error: none if it was not sent, or was rejected before the
        model ran."""
        has_run = self._reported is not None or bool(self._unreported_text)
        was_refused = isinstance(error, ProviderError) and not error.may_be_billed
        return self.usage() if self.is_sent and (has_run or not was_refused) else Usage()

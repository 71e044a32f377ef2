"""Drops the special tokens with which some servers begin an answer."""

from __future__ import annotations

from gencode.llm.port import ChatRequest
from gencode.llm.special_tokens import ANSWER_STARTS

_LONGEST = max(map(len, ANSWER_STARTS))


class StartTokens:
    """Cuts the tokens of a model's template off the beginning of a text.

    A request that mentions such a token may ask for a file that begins with it, and a continuation may begin
    anywhere in its file: both stay as they are. A text of blanks before such a token belongs to it.

    passes   what comes is all text
    dropped  a token was cut off
    """

    def __init__(self, request: ChatRequest) -> None:
        texts = "" if request.prefix else "".join(message.content for message in request.messages)
        self._tokens = (
            () if request.prefix else tuple(token for token in ANSWER_STARTS if token.strip() not in texts)
        )
        self._held = ""
        self.passes = not self._tokens
        self.dropped = False

    def feed(self, text: str) -> str:
        """The text that is certain."""
        if self.passes:
            return text
        self._held += text
        while token := next((token for token in self._tokens if self._held.lstrip().startswith(token)), ""):
            self._held, self.dropped = self._held.lstrip()[len(token) :], True
        start = self._held.lstrip()
        if self.dropped and start.startswith(":"):  # "<|assistant|>: "
            start = self._held = start[1:].lstrip()
        if not start or (len(start) < _LONGEST and any(token.startswith(start) for token in self._tokens)):
            return ""
        self.passes, text, self._held = True, self._without_blanks(start), ""
        return text

    def close(self) -> str:
        """The text that was held back."""
        rest, self._held = self._held, ""
        return rest

    def _without_blanks(self, start: str) -> str:
        """The text without the blank lines and spaces after a token, which belong to it."""
        blanks = self._held[: len(self._held) - len(start)]
        indent = blanks.rpartition("\n")[2] if "\n" in blanks else ""
        return (indent if self.dropped else blanks) + start

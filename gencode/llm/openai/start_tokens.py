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
        self._blanks: list[str] = []
        self._held = ""
        self._takes_colon = False
        self.passes = not self._tokens
        self.dropped = False

    def feed(self, text: str) -> str:
        """The text that is certain."""
        if self.passes:
            return text
        start = self._without_tokens(self._held + text)
        if not start or (len(start) < _LONGEST and any(token.startswith(start) for token in self._tokens)):
            self._held = start
            return ""
        self.passes, self._held = True, ""
        return self._kept_blanks() + start

    def close(self) -> str:
        """The text that was held back."""
        rest, self._blanks, self._held = "".join([*self._blanks, self._held]), [], ""
        return rest

    def _without_tokens(self, text: str) -> str:
        """The text from its first character that is no blank; the blanks before it are kept apart."""
        start = self._without_blanks(text)
        while token := next((token for token in self._tokens if start.startswith(token)), ""):
            self._drop(token)
            start = self._without_blanks(start[len(token) :])
        if self._takes_colon and start.startswith(":"):  # "<|assistant|>: "
            self._drop(":")
            start = self._without_blanks(start[1:])
        return start

    def _without_blanks(self, text: str) -> str:
        start = text.lstrip()
        if blanks := text[: len(text) - len(start)]:
            self._blanks.append(blanks)
            self._takes_colon = self._takes_colon and "\n" not in blanks
        return start

    def _drop(self, token: str) -> None:
        self._blanks, self.dropped = [], True
        self._takes_colon = token != ":" and not token.endswith("\n")

    def _kept_blanks(self) -> str:
        """The blanks before the text; after a token, only the indentation of its line: blank lines, and
        spaces after the token, belong to it."""
        blanks, self._blanks = "".join(self._blanks), []
        if not self.dropped:
            return blanks
        return blanks.rpartition("\n")[2] if "\n" in blanks else ""

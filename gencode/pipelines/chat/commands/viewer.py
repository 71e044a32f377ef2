"""The text that a viewer of an answer has, by the rules of docs/conversations.md, printed as it grows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Write = Callable[[str], None]


class AnswerViewer:
    """A terminal cannot take back what it has shown: a text that is replaced is printed again from its
    beginning, after a note."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._round = 1
        self._stored = 0
        self.text = ""
        self._printed = ""

    def show(self, kind: str, data: Mapping[str, Any]) -> None:
        """The next event, stored or live; others than those of the text change nothing."""
        if kind == "resumed":
            self.text = self.text[: self._stored]
        elif kind == "text":
            before = self.text[: data["offset"]] if data["round"] == self._round else ""
            self._round, self.text = data["round"], before + data["text"]
            self._stored = len(self.text)
            self._print()
        elif kind == "delta" and data["round"] == self._round and data["offset"] <= len(self.text):
            self.text += data["text"][len(self.text) - data["offset"] :]
            self._print()

    def _print(self) -> None:
        if self.text.startswith(self._printed):
            self._write(self.text[len(self._printed) :])
        elif not self._printed.startswith(self.text):
            self._write(f"\n(the answer begins again)\n{self.text}")
        else:
            return
        self._printed = self.text

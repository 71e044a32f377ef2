"""Recognises a gateway that goes on with another answer in the same stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gencode.llm.errors import LLMBadOutput

_MIN_EVENTS = 3
"""Events with text and one id, after which another id is that of another answer."""


class AnswerIdentity:
    """The `id` of the events with text. When the server behind a gateway breaks off, some gateways ask
    another one and send what it answers, from its beginning, into the same stream: with another id.

    Where each event has an id of its own, nothing is compared.
    """

    def __init__(self) -> None:
        self._id: object = None
        self._count = 0
        self._varies = False

    def add(self, event: Mapping[str, Any]) -> None:
        """An event with text. Raises LLMBadOutput if it belongs to another answer."""
        found = event.get("id")
        if not found or self._varies:
            return
        if found == self._id or not self._count:
            self._id = found
            self._count += 1
        elif self._count < _MIN_EVENTS:
            self._varies = True
        else:
            raise LLMBadOutput(
                "The server began another answer in the middle of this one, as gateways do that change to "
                "another provider. Try again, or switch that off."
            )

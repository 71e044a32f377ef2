"""Restores the index of choices where a server counts its events instead."""

from __future__ import annotations

from collections.abc import Sequence

from gencode.llm.openai.server_events import JsonObject


class ChoiceIndex:
    """Some servers number the events of the only choice 0, 1, 2, ... (or from 1) in its `index`.

    The event with index 1 may also be that of a second choice: it is held back until the next event decides.
    """

    def __init__(self) -> None:
        self._first: int | None = None
        self._count = 0
        self._held: list[JsonObject] = []
        self._decided = False
        self._counts_events = False

    def feed(self, events: Sequence[JsonObject]) -> Sequence[JsonObject]:
        """The events, with index 0 where it counts them."""
        if self._decided and not self._counts_events:
            return events
        return [ready for event in events for ready in self._next(event)]

    def close(self) -> list[JsonObject]:
        """What was held back: nothing showed a second choice."""
        held, self._held = self._held, []
        return [_as_first(event) for event in held]

    def _next(self, event: JsonObject) -> list[JsonObject]:
        index = _only_index(event)
        if index is None:
            return [event]
        if not self._decided:
            self._observe(index)
        if not self._decided and index == 1:
            self._held.append(event)
            return []
        held, self._held = self._held, []
        ready = [*held, event]
        return [_as_first(one) for one in ready] if self._counts_events else ready

    def _observe(self, index: int) -> None:
        if self._first is None:
            self._first = index
        self._decided = index != self._first + self._count or self._first > 1 or index > 1
        self._counts_events = self._decided and index == self._first + self._count and self._first <= 1
        self._count += 1


def _only_index(event: JsonObject) -> int | None:
    """The index of the only choice; None if there is none, or several."""
    choices = event.get("choices")
    if not (isinstance(choices, list) and len(choices) == 1 and isinstance(choices[0], dict)):
        return None
    index = choices[0].get("index", 0)
    return index if isinstance(index, int) and not isinstance(index, bool) else 0


def _as_first(event: JsonObject) -> JsonObject:
    return {**event, "choices": [{**event["choices"][0], "index": 0}]}

"""The model calls about groups of elements: a few at a time; each answer is stored."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import anyio

from gencode.blueprints.drafting import Entry, EntryKind
from gencode.blueprints.drafting.matching import key_of
from gencode.domain.errors import GencodeError
from gencode.engine.ports.pipeline import StageUpdate
from gencode.llm.errors import BudgetExceeded, LLMBadOutput, LLMRefused, LLMTooLarge, LLMTruncated
from gencode.llm.port import ChatRequest, Message
from gencode.model_tasks.calls import ModelCalls, stored_answer
from gencode.pipelines.blueprint.answers import MAX_TEXT, Said, read_said
from gencode.pipelines.blueprint.live_elements import LiveElements
from gencode.pipelines.blueprint.names import GROUP
from gencode.pipelines.blueprint.work import GroupLedger

OF_ONE_GROUP = (BudgetExceeded, LLMBadOutput, LLMRefused, LLMTooLarge, LLMTruncated)
"""Errors that leave the other groups as they are."""
SIZES = {EntryKind.ENTITY: 4, EntryKind.PAGE: 4, EntryKind.FLOW: 6, EntryKind.API: 6}
MAX_ATTEMPTS = 2
"""How often an element is asked about that an answer lacks."""
SPARE_ENTRIES = 20
"""Entries of an answer beyond four for each element that was asked about."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Elements that one call is about. `order`: where its answer stands among the others."""

    about: str
    elements: Sequence[Entry]
    order: tuple[int, ...]
    attempt: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupResult:
    group: Group
    entries: Sequence[Entry]
    ledger: GroupLedger


def groups_of(entries: Sequence[Entry], kinds: Sequence[EntryKind], first: int) -> list[Group]:
    """Groups of elements of each kind. `first`: the number of the first group."""
    groups: list[Group] = []
    for kind in kinds:
        of_kind = [entry for entry in entries if entry.kind is kind]
        for start in range(0, len(of_kind), SIZES[kind]):
            number = first + len(groups)
            elements = of_kind[start : start + SIZES[kind]]
            groups.append(Group(about=f"elements {number}", elements=elements, order=(number,)))
    return groups


class GroupCalls:
    """Errors about one group are in its ledger; any other ends the run once the calls under way have ended,
    because they are paid for.

    messages  makes the messages to the model
    """

    def __init__(
        self,
        calls: ModelCalls,
        live: LiveElements,
        checkpoints: Mapping[str, str],
        messages: Callable[[Group], tuple[Message, ...]],
        max_tokens: int,
    ) -> None:
        self._calls = calls
        self._live = live
        self._checkpoints = checkpoints
        self._messages = messages
        self._max_tokens = max_tokens
        self._waiting: deque[Group] = deque()
        self._results: list[GroupResult] = []
        self._fatal: GencodeError | None = None

    async def ask_all(self, groups: Sequence[Group], at_once: int) -> list[GroupResult]:
        """In the order of the groups. Raises the error of a call that concerns all."""
        self._waiting.extend(groups)
        async with anyio.create_task_group() as tasks:
            for _ in range(min(at_once, len(groups))):
                tasks.start_soon(self._work)
        if self._fatal:
            raise self._fatal
        return sorted(self._results, key=lambda result: result.group.order)

    async def _work(self) -> None:
        while self._waiting and not self._fatal:
            group = self._waiting.popleft()
            try:
                self._results.append(await self._result(group))
            except GencodeError as error:
                self._fatal = self._fatal or error

    async def _result(self, group: Group) -> GroupResult:
        asked = [entry.name for entry in group.elements]
        try:
            said = await self._ask(group)
        except OF_ONE_GROUP as error:
            ledger = GroupLedger(
                about=group.about, elements=asked, missing=asked, code=error.code, message=error.message
            )
            await self._calls.session.emit(_event(ledger))
            return GroupResult(group=group, entries=(), ledger=ledger)
        entries = said.entries[: 4 * len(group.elements) + SPARE_ENTRIES]
        missing = _missing(group.elements, entries)
        if missing and group.attempt < MAX_ATTEMPTS:
            self._waiting.extendleft(reversed(_smaller(group, missing, said)))
            missing = []
        ledger = GroupLedger(about=group.about, elements=asked, missing=[entry.name for entry in missing])
        return GroupResult(group=group, entries=entries, ledger=ledger)

    async def _ask(self, group: Group) -> Said:
        is_new = stored_answer(self._checkpoints, group.about, Said) is None
        request = ChatRequest(messages=self._messages(group), max_tokens=self._max_tokens, max_text=MAX_TEXT)
        names = [entry.name for entry in group.elements]

        def told(said: Said) -> StageUpdate:
            missing = [entry.name for entry in _missing(group.elements, said.entries)]
            return _event(GroupLedger(about=group.about, elements=names, missing=missing))

        said = await self._calls.ask(group.about, request, read_said, Said, told)
        if is_new:
            await self._live.tell(said.entries)
        return said


def _missing(asked: Sequence[Entry], said: Sequence[Entry]) -> list[Entry]:
    """Those that the answer says nothing about."""
    words = {key_of(word) for entry in said for word in (*_words(entry), entry.parent) if word}
    return [entry for entry in asked if words.isdisjoint(key_of(word) for word in _words(entry))]


def _words(entry: Entry) -> list[str]:
    return [str(word) for name in ("id", "name", "label") if (word := entry.values.get(name))]


def _smaller(group: Group, missing: Sequence[Entry], said: Said) -> list[Group]:
    """The missing elements again; one by one after an answer that was cut before it said anything useful."""
    size = max(1, len(missing) // 2) if said.is_cut else len(missing)
    return [
        Group(
            about=f"{group.about}.{number}",
            elements=missing[start : start + size],
            order=(*group.order, number),
            attempt=group.attempt + 1,
        )
        for number, start in enumerate(range(0, len(missing), size), 1)
    ]


def _event(ledger: GroupLedger) -> StageUpdate:
    return StageUpdate(kind=GROUP, data=ledger.model_dump(mode="json", exclude_none=True))

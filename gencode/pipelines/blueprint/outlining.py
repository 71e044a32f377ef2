"""The second stage: what the application consists of, from each part of the requirements in turn: each call
knows what was said before."""

from __future__ import annotations

from dataclasses import replace

from gencode.blueprints.drafting import Entry, EntryKind
from gencode.blueprints.drafting.matching import key_of
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.llm.port import ChatRequest
from gencode.llm.session import LLMSessionFactory
from gencode.model_tasks.calls import ModelCalls, stored_answer
from gencode.pipelines.blueprint.answers import MAX_TEXT, Said, read_said
from gencode.pipelines.blueprint.live_elements import LiveElements
from gencode.pipelines.blueprint.names import OUTLINE
from gencode.pipelines.blueprint.prompts import outline_messages
from gencode.pipelines.blueprint.source import Source
from gencode.pipelines.blueprint.summaries import blueprint_lines, outline_lines
from gencode.pipelines.blueprint.work import Outline, Work

MAX_OF_A_KIND = 200
"""Elements that a task describes; further ones are left out, and the result says so."""
MAX_SHOWN = 500


class Outlining:
    def __init__(self, sessions: LLMSessionFactory, max_tokens: int) -> None:
        self._sessions = sessions
        self._max_tokens = max_tokens

    async def run(self, work: Work, emit: Emit) -> Work:
        """Raises LLM* errors, BudgetExceeded."""
        assert work.source is not None  # noqa: S101 - the stage before made it
        live = LiveElements(emit, "outline")
        calls = await ModelCalls.open(self._sessions, work.run, live)
        collected = _Collected()
        for number in range(len(work.source.parts)):
            about = f"outline {number + 1}"
            is_new = stored_answer(work.run.checkpoints, about, Said) is None
            said = await self._ask(calls, about, work.source, number, collected)
            if is_new:
                await live.tell(said.entries)
            collected.add(said, number)
        outline = collected.outline()
        await emit(_event(outline))
        return replace(work, outline=outline)

    async def _ask(
        self, calls: ModelCalls, about: str, source: Source, number: int, collected: _Collected
    ) -> Said:
        sections = {
            "The application as it is": blueprint_lines(source.base.spec) if source.base else "",
            "Said already": outline_lines(collected.entries),
            "Requirements": source.parts[number],
        }
        messages = outline_messages(sections, is_change=source.base is not None)
        request = ChatRequest(messages=messages, max_tokens=self._max_tokens, max_text=MAX_TEXT)
        return await calls.ask(about, request, read_said, Said)


class _Collected:
    """The outline so far; what is said twice is one element, with what each said."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._parts: list[list[int]] = []
        self._known: dict[tuple[str, str], int] = {}
        self._by_rules = False
        self._left_out = 0

    def add(self, said: Said, part: int) -> None:
        self._by_rules = self._by_rules or said.by_rules
        for entry in said.entries:
            identity = (entry.kind.value, _identity(entry))
            if (at := self._known.get(identity)) is not None:
                merged = {**entry.values, **self.entries[at].values}
                self.entries[at] = self.entries[at].model_copy(update={"values": merged})
                self._parts[at].append(part)
            elif sum(1 for kind, _ in self._known if kind == entry.kind) >= MAX_OF_A_KIND:
                self._left_out += 1
            else:
                self._known[identity] = len(self.entries)
                self.entries.append(entry)
                self._parts.append([part])

    def outline(self) -> Outline:
        return Outline(
            entries=self.entries, parts=self._parts, by_rules=self._by_rules, left_out=self._left_out
        )


def _identity(entry: Entry) -> str:
    if entry.kind is EntryKind.APPLICATION:
        return ""
    return "/".join([entry.element or entry.parent, key_of(entry.name)])


def _event(outline: Outline) -> StageUpdate:
    shown = [
        {"kind": entry.kind.value, "name": entry.name or entry.element, "label": entry.label}
        for entry in outline.entries[:MAX_SHOWN]
    ]
    data = {"elements": shown, "count": len(outline.entries), "left_out": outline.left_out}
    return StageUpdate(kind="outline", data=data, checkpoints={OUTLINE: outline.model_dump_json()})

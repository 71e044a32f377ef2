"""The third stage: entities first, then pages, flows and apis, which are shown the fields of the entities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import anyio.to_thread

from gencode.blueprints import Blueprint, Element
from gencode.blueprints.drafting import Assembly, Entry, EntryKind
from gencode.blueprints.drafting.matching import matching
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.llm.port import Message
from gencode.llm.session import LLMSessionFactory
from gencode.model_tasks.calls import ModelCalls
from gencode.pipelines.blueprint.groups import Group, GroupCalls, GroupResult, groups_of
from gencode.pipelines.blueprint.live_elements import LiveElements
from gencode.pipelines.blueprint.names import DETAILS
from gencode.pipelines.blueprint.prompts import elements_messages
from gencode.pipelines.blueprint.source import PART, Source
from gencode.pipelines.blueprint.summaries import (
    asked_lines,
    element_line,
    entity_lines,
    outline_lines,
)
from gencode.pipelines.blueprint.work import Details, Outline, Work


class Detailing:
    def __init__(self, sessions: LLMSessionFactory, max_tokens: int, at_once: int) -> None:
        """`at_once`: calls about groups of elements."""
        self._sessions = sessions
        self._max_tokens = max_tokens
        self._at_once = at_once

    async def run(self, work: Work, emit: Emit) -> Work:
        """Raises LLM* errors that concern every call."""
        assert work.source is not None  # noqa: S101 - the stages before made them
        assert work.outline is not None  # noqa: S101
        live = LiveElements(emit, "details")
        calls = await ModelCalls.open(self._sessions, work.run, live)
        outline, source = work.outline, work.source

        async def ask(groups: Sequence[Group], entities: str) -> list[GroupResult]:
            messages = _messages(source, outline, entities)
            asker = GroupCalls(calls, live, work.run.checkpoints, messages, self._max_tokens)
            return await asker.ask_all(groups, self._at_once)

        first = groups_of(outline.entries, [EntryKind.ENTITY], 1)
        results = await ask(first, "")
        blueprint, _ = await anyio.to_thread.run_sync(assembled, source, outline, _entries(results))
        others = [EntryKind.PAGE, EntryKind.FLOW, EntryKind.API]
        second = groups_of(outline.entries, others, len(first) + 1)
        results += await ask(second, entity_lines(blueprint))
        details = Details(entries=_entries(results), groups=[result.ledger for result in results])
        await emit(StageUpdate(checkpoints={DETAILS: details.model_dump_json()}))
        return replace(work, details=details)


def assembled(source: Source, outline: Outline, entries: Sequence[Entry]) -> tuple[Blueprint, int]:
    """The blueprint, and how many entries had no place in it."""
    assembly = Assembly(source.blueprint)
    for entry in (*outline.entries, *entries):
        assembly.add(entry)
    blueprint = assembly.blueprint()
    return blueprint, assembly.left_out


def _entries(results: Sequence[GroupResult]) -> list[Entry]:
    return [entry for result in results for entry in result.entries]


def _messages(source: Source, outline: Outline, entities: str) -> Callable[[Group], tuple[Message, ...]]:
    listed = outline_lines(outline.entries)

    def messages(group: Group) -> tuple[Message, ...]:
        sections = {
            "Requirements": _requirements(source, outline, group.elements),
            "Outline of the application": listed,
            "Its entities": entities,
            "Elements as they are now": _present(source, group.elements),
            "Write these elements": asked_lines(group.elements),
        }
        return elements_messages(sections, is_change=source.base is not None)

    return messages


def _requirements(source: Source, outline: Outline, elements: Sequence[Entry]) -> str:
    """The parts of the requirements that name the elements, as far as one call has room for them."""
    positions = {id(entry): at for at, entry in enumerate(outline.entries)}
    named = [part for entry in elements for part in outline.parts[positions[id(entry)]]]
    text = "\n".join(source.parts[part] for part in dict.fromkeys(named))
    return text[: 2 * PART]


def _present(source: Source, elements: Sequence[Entry]) -> str:
    if source.base is None:
        return ""
    spec = source.base.spec
    lists: dict[Any, Sequence[Element]] = {
        EntryKind.ENTITY: spec.data_models,
        EntryKind.PAGE: spec.pages,
        EntryKind.API: spec.apis,
        EntryKind.FLOW: spec.business_flows,
    }
    lines = []
    for entry in elements:
        there = {one.id: one for one in lists[entry.kind]}
        known = [{"id": one.id, "name": one.name, "label": one.label} for one in there.values()]
        found = matching(known, dict(entry.values))
        if found is not None:
            lines.append(element_line(entry.kind.value, there[found["id"]]))
    return "\n".join(lines)

"""The fourth stage: what can be mended with certainty is, by code; other errors go back to the model, with
the element that has them only, a few rounds at most. What is still wrong then is in the draft's findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import anyio
import anyio.to_thread

from gencode.blueprints import Blueprint, Element, Finding, Severity, validate
from gencode.blueprints.drafting import Assembly, Entry, EntryKind, with_certain_fixes
from gencode.blueprints.drafting.matching import Names, matching
from gencode.domain.errors import GencodeError
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.llm.port import ChatRequest
from gencode.llm.session import LLMSessionFactory
from gencode.model_tasks.calls import ModelCalls
from gencode.pipelines.blueprint.answers import MAX_TEXT, Said, read_said
from gencode.pipelines.blueprint.detailing import assembled
from gencode.pipelines.blueprint.groups import OF_ONE_GROUP
from gencode.pipelines.blueprint.names import BLUEPRINT, FINDINGS, REPAIRED
from gencode.pipelines.blueprint.prompts import repair_messages
from gencode.pipelines.blueprint.summaries import element_line, entity_lines
from gencode.pipelines.blueprint.work import Made, Work

MAX_ROUNDS = 2
MAX_ELEMENTS = 20
"""Elements that go back to the model in a round."""
MAX_SHOWN = 50
_KINDS = {"dataModels": "entity", "pages": "page", "apis": "api", "businessFlows": "flow"}
_Ignored = frozenset[tuple[str, str]]


class Repairing:
    def __init__(self, sessions: LLMSessionFactory, max_tokens: int) -> None:
        self._sessions = sessions
        self._max_tokens = max_tokens

    async def run(self, work: Work, emit: Emit) -> Work:
        """Raises LLM* errors that concern every call."""
        assert work.source is not None  # noqa: S101 - the stages before made them
        assert work.outline is not None  # noqa: S101
        assert work.details is not None  # noqa: S101
        state = _State(emit, work.language, await anyio.to_thread.run_sync(_known, work))
        made_of = (work.source, work.outline, work.details.entries)
        spec, left_out = await anyio.to_thread.run_sync(assembled, *made_of)
        spec = await state.mend(spec)
        calls: ModelCalls | None = None
        rounds = 0
        while rounds < MAX_ROUNDS and (asked := state.asked_about()):
            rounds += 1
            calls = calls or await ModelCalls.open(self._sessions, work.run, emit)
            said = await self._ask_all(calls, rounds, spec, asked, state)
            if not said:
                break
            spec = await state.mend(await anyio.to_thread.run_sync(_with_answers, spec, said))
        spec = await state.mend(spec, removes=True)
        made = _made(work, spec, state, rounds, left_out)
        await emit(StageUpdate(checkpoints={BLUEPRINT: made.model_dump_json(by_alias=True)}))
        return replace(work, made=made)

    async def _ask_all(
        self, calls: ModelCalls, number: int, spec: Blueprint, asked: dict[str, list[Finding]], state: _State
    ) -> list[Said]:
        """Answers about the elements, one after another. An element whose call fails stays as it is."""
        answers: list[Said] = []
        for path, findings in asked.items():
            messages = repair_messages(
                {
                    "The entities of the application": entity_lines(spec),
                    "The element": _element(spec, path),
                    "Its errors": "\n".join(f"{one.element}: {one.message('en')}" for one in findings),
                }
            )
            request = ChatRequest(messages=messages, max_tokens=self._max_tokens, max_text=MAX_TEXT)
            try:
                said = await calls.ask(f"repair {number} {path}"[:300], request, read_said, Said)
                answers.append(about_element(said, spec, path))
            except OF_ONE_GROUP as error:
                await state.failed(path, error)
        return answers


class _State:
    """Findings as they are now, and what was mended.

    ignored  findings, by element and rule, that a draft had before it was changed: they are its author's
    """

    def __init__(self, emit: Emit, language: str, ignored: _Ignored) -> None:
        self._emit = emit
        self._language = language
        self._ignored = ignored
        self.findings: list[Finding] = []
        self.mended: list[Finding] = []

    async def mend(self, spec: Blueprint, *, removes: bool = False) -> Blueprint:
        def mended() -> tuple[Blueprint, list[Finding], list[Finding]]:
            return with_certain_fixes(spec, removes=removes, ignored=self._ignored)

        changed, findings, fixed = await anyio.to_thread.run_sync(mended)
        updates = [self._repaired(fixed)] if fixed else []
        if findings != self.findings or not removes:
            updates.append(self._found(findings))
        self.findings = findings
        self.mended.extend(fixed)
        await self._emit(*updates) if updates else None
        return changed

    def asked_about(self) -> dict[str, list[Finding]]:
        """Errors by the path of the element that has them, of few enough elements."""
        asked: dict[str, list[Finding]] = {}
        for one in self.findings:
            parts = one.element.split("/")
            is_new = (one.element, one.rule.value) not in self._ignored
            if one.severity is Severity.ERROR and is_new and len(parts) > 1:
                asked.setdefault("/".join(parts[:2]), []).append(one)
        return dict(list(asked.items())[:MAX_ELEMENTS])

    async def failed(self, path: str, error: GencodeError) -> None:
        data = {"element": path, "code": error.code, "message": error.message, "count": 0}
        await self._emit(StageUpdate(kind=REPAIRED, data=data))

    def _repaired(self, fixed: Sequence[Finding]) -> StageUpdate:
        shown = [{"element": one.element, "rule": one.rule.value} for one in fixed[:MAX_SHOWN]]
        return StageUpdate(kind=REPAIRED, data={"count": len(fixed), "elements": shown})

    def _found(self, findings: Sequence[Finding]) -> StageUpdate:
        errors = sum(one.severity is Severity.ERROR for one in findings)
        shown = [
            {"element": one.element, "rule": one.rule.value, "severity": one.severity.value}
            | {"message": one.message(self._language)}
            for one in findings[:MAX_SHOWN]
        ]
        data = {"errors": errors, "warnings": len(findings) - errors, "findings": shown}
        return StageUpdate(kind=FINDINGS, data=data)


def _known(work: Work) -> _Ignored:
    base = work.source.base if work.source else None
    return frozenset((one.element, one.rule.value) for one in validate(base.spec)) if base else frozenset()


def _element(spec: Blueprint, path: str) -> str:
    found = _found(spec, path)
    return element_line(_KINDS[path.partition("/")[0]], found) if found else ""


def _found(spec: Blueprint, path: str) -> Element | None:
    name, _, identity = path.partition("/")
    lists: dict[Any, Sequence[Element]] = {
        "dataModels": spec.data_models,
        "pages": spec.pages,
        "apis": spec.apis,
        "businessFlows": spec.business_flows,
    }
    return next((one for one in lists[name] if one.id == identity), None)


def about_element(said: Said, spec: Blueprint, path: str) -> Said:
    """What is said of the element that was asked about, and entities that are new: nothing else changes."""
    kind = EntryKind(_KINDS[path.partition("/")[0]])
    element = _named(_found(spec, path))
    entities = [_named(one) for one in spec.data_models]

    def is_meant(entry: Entry) -> bool:
        if entry.kind is kind and element and matching([element], dict(entry.values)):
            return True
        if entry.kind is EntryKind.ENTITY:
            return matching(entities, dict(entry.values)) is None
        if entry.kind in (EntryKind.FIELD, EntryKind.RELATION):
            return kind is EntryKind.ENTITY and Names([element]).find(entry.parent) is not None
        return entry.kind in (EntryKind.REMOVE, EntryKind.RENAME) and entry.element.startswith(f"{path}/")

    return said.model_copy(update={"entries": [entry for entry in said.entries if is_meant(entry)]})


def _named(element: Element | None) -> dict[str, Any]:
    """What an element is found by."""
    return {} if element is None else {"id": element.id, "name": element.name, "label": element.label}


def _with_answers(spec: Blueprint, answers: Sequence[Said]) -> Blueprint:
    assembly = Assembly(spec)
    for said in answers:
        for entry in said.entries:
            assembly.add(entry)
    return assembly.blueprint()


def _made(work: Work, spec: Blueprint, state: _State, rounds: int, without_place: int) -> Made:
    assert work.outline is not None  # noqa: S101 - the stages before made them
    assert work.details is not None  # noqa: S101
    left_out = work.outline.left_out + without_place
    missing = any(group.missing for group in work.details.groups)
    return Made(
        spec=spec,
        findings=state.findings,
        mended=state.mended[:1000],
        rounds=rounds,
        left_out=left_out,
        is_complete=not missing and not left_out,
        by_rules=work.outline.by_rules,
    )

"""The stage `writing_tests`: one call for each group, and the repairs that the validator asks for. Several
groups are written at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pydantic import BaseModel

from gencode.codegen.answer_checks import check_file, check_lines, check_not_blank
from gencode.codegen.file_extraction import read_answer
from gencode.codegen.plan import Plan, PlannedFile
from gencode.codegen.project_checker import ProjectChecker
from gencode.codegen.validation.findings import Rule
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.llm.errors import LLMTruncated
from gencode.llm.port import ChatRequest, Message
from gencode.llm.session import Answer, LLMSessionFactory
from gencode.model_tasks.calls import ModelCalls
from gencode.model_tasks.several import do_each
from gencode.pipelines.test_generation.artifacts import (
    Collected,
    Given,
    TargetGroup,
    Written,
    WrittenFile,
    WrittenFiles,
)
from gencode.pipelines.test_generation.names import WRITTEN
from gencode.pipelines.test_generation.prompts import messages, repair_messages

REPAIRS = 2
"""Rounds; each retry of the task has the same."""
MAX_CHARACTERS = 200_000
_RULES = (Rule.SYNTAX, Rule.RESIDUE, Rule.PLACEHOLDER, Rule.EMPTY, Rule.MISSING_NAME)
"""Rules that hold although only a part of the project is known: what it imports may be elsewhere."""


class TestFileText(BaseModel):
    """An answer."""

    __test__ = False

    text: str


class WritingTests:
    def __init__(
        self, sessions: LLMSessionFactory, checker: ProjectChecker, max_tokens: int, at_once: int
    ) -> None:
        self._sessions = sessions
        self._checker = checker
        self._max_tokens = max_tokens
        self._at_once = at_once

    async def __call__(self, work: Collected, emit: Emit) -> Written:
        """Raises the errors of models, CheckFailed."""
        calls = await ModelCalls.open(self._sessions, work.run, emit)
        groups = work.targets.groups if work.targets else ()
        files = await do_each(groups, lambda group: self._write(calls, group, work.given), self._at_once)
        stored = WrittenFiles(files=tuple(files))
        await emit(StageUpdate(checkpoints={WRITTEN: stored.model_dump_json()}))
        return Written(collected=work, files=files)

    async def _write(self, calls: ModelCalls, group: TargetGroup, given: Given) -> WrittenFile:
        text = await self._ask(calls, group, group.test_path, messages(group, given))
        for number in range(1, REPAIRS + 1):
            faults = await self._faults(group, given, text)
            if not faults:
                break
            about = f"{group.test_path} (repair {number})"
            text = await self._ask(calls, group, about, repair_messages(group, given, text, faults))
        return WrittenFile(group=group, text=text, faults=tuple(await self._faults(group, given, text)))

    async def _ask(
        self, calls: ModelCalls, group: TargetGroup, about: str, prompt: tuple[Message, ...]
    ) -> str:
        request = ChatRequest(messages=prompt, max_tokens=self._max_tokens, max_text=MAX_CHARACTERS)
        told = StageUpdate(kind="test_file", data={"path": group.test_path, "call": about})
        found = await calls.ask(about, request, partial(_parse, group), TestFileText, lambda _: told)
        return found.text

    async def _faults(self, group: TargetGroup, given: Given, text: str) -> Sequence[str]:
        """What makes the file unusable, for the model and for users."""
        near = {path: content for path, content in given.files.items() if path == group.source}
        plan = Plan(files=(PlannedFile(path=group.test_path),))
        findings = await self._checker.check({**near, group.test_path: text}, plan)
        faults = [one.for_model for one in findings if one.path == group.test_path and one.rule in _RULES]
        if not any(function.name.rpartition(".")[2] in text for function in group.functions):
            faults.append("It tests none of the functions")
        secrets = await self._checker.scan({group.test_path: text}, "")
        return [*faults, *(f"line {one.line}: it seems to contain a secret" for one in secrets)]


def _parse(group: TargetGroup, answer: Answer) -> TestFileText:
    """Raises LLMBadOutput, LLMTruncated."""
    path = group.test_path
    check_lines(path, answer.text)
    check_not_blank(path, answer.text, answer)
    if answer.truncated:
        raise LLMTruncated(f"{path} is longer than one answer of the model; name fewer functions")
    check_file(path, answer.text)
    return TestFileText(text=read_answer(answer.text, path).text)

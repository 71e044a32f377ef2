"""Programs of QuixBugs with a fault and without (tests/fixtures/quixbugs), and answers of a scripted model:
good tests, and one of each kind that is of no use."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gencode.codegen.test_code.python_tests import TestFunction
from gencode.codegen.test_code.reader import TestCodeReader
from gencode.pipelines.test_generation.artifacts import Given, TargetFunction, TargetGroup
from gencode.pipelines.test_generation.evidence import Evidence
from gencode.pipelines.test_generation.verification.sandbox_verifier import SandboxVerifier
from gencode.sandbox.port import Sandbox

FIXTURE = Path(__file__).parents[1] / "fixtures" / "quixbugs" / "programs.json"
GOOD = frozenset({"test_good", "test_victim"})
USELESS: Mapping[str, str] = {
    "test_failing": "it fails",
    "test_useless": "would notice none",
    "test_always_passing": "would notice none",
    "test_flaky": "not reliable",
    "test_replaces": "it replaces",
    "test_environment": "environment variable",
    "test_file": "it leaves the file",
    "test_hidden_polluter": "fails after it",
    "test_xfail": "expected to fail",
    "test_skipped": "skipped",
    "test_source": "written in another way",
    "test_dependent": "only after other tests",
}
"""By the name of the test: what its reason says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    name: str
    correct: str
    buggy: str
    cases: Sequence[tuple[Sequence[Any], Any]]

    @property
    def path(self) -> str:
        return f"{self.name}.py"

    @property
    def patch(self) -> str:
        """From the faulty version to the correct one."""
        lines = difflib.unified_diff(
            self.buggy.splitlines(keepends=True),
            self.correct.splitlines(keepends=True),
            f"a/{self.path}",
            f"b/{self.path}",
        )
        return "".join(lines)

    @property
    def answer(self) -> str:
        """A test file with all kinds of tests."""
        first, expected = self.cases[0]
        call = f"{self.name}(*{list(first)!r})"
        return _ANSWER.format(
            name=self.name, cases=list(self.cases), call=call, expected=expected, source=self.correct
        )


@cache
def programs() -> Mapping[str, Program]:
    stored = json.loads(FIXTURE.read_text(encoding="utf-8"))
    return {
        name: Program(
            name=name,
            correct=one["correct"],
            buggy=one["buggy"],
            cases=[(arguments, expected) for arguments, expected in one["cases"]],
        )
        for name, one in stored.items()
    }


async def verified(
    sandbox: Sandbox, reader: TestCodeReader, program: Program
) -> tuple[Evidence, Sequence[TestFunction]]:
    """What the verification says of the program's answer, and all tests of it."""
    functions = await reader.functions(program.path, program.correct)
    group = TargetGroup(
        source=program.path,
        language="python",
        framework="pytest",
        test_path=f"tests/test_{program.path}",
        module=program.name,
        functions=tuple(TargetFunction(name=one.name, first=one.first, last=one.last) for one in functions),
        before=program.buggy,
    )
    given = Given(files={program.path: program.correct})
    tests = await reader.tests(group.test_path, program.answer)
    return await SandboxVerifier(sandbox, reader)(given, group, program.answer, tests), tests


_ANSWER = '''\
import os

import pytest
import {name} as module
from {name} import {name}

CASES = {cases!r}
STATE = []


def check():
    for arguments, expected in CASES:
        assert {name}(*arguments) == expected


def test_good():
    check()


def test_failing():
    assert {call} != {expected!r}


def test_useless():
    assert callable({name})


def test_always_passing():
    try:
        assert {call} == {expected!r}
    except BaseException:
        pass


def test_flaky():
    """Strings have other hashes in each interpreter; with the seeds of the repetitions, 2 of 5 are even."""
    check()
    assert hash("alpha") % 2 == 0


def test_environment():
    check()
    os.environ["LEFT_BEHIND"] = "1"


def test_file():
    check()
    open("left.txt", "w").close()


def test_hidden_polluter():
    check()
    STATE.append(1)


def test_victim():
    """It is good, and the one before makes it fail."""
    check()
    assert STATE == []


@pytest.mark.xfail
def test_xfail():
    assert {call} != {expected!r}


@pytest.mark.skip
def test_skipped():
    check()


def test_source():
    check()
    assert open(module.__file__).read() == {source!r}


def test_dependent():
    check()
    assert STATE


def test_replaces():
    check()
    module.{name} = lambda *arguments: None
'''

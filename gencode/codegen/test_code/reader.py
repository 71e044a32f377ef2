"""Reads code and tests in the limited children of the project checker."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pydantic import BaseModel, ConfigDict, TypeAdapter

from gencode.codegen.project_checker import ProjectChecker
from gencode.codegen.test_code.functions import NamedFunction
from gencode.codegen.test_code.mutants import Mutant
from gencode.codegen.test_code.python_tests import TestFunction
from gencode.limited_child.protocol import ChildRequest

_NAMED = TypeAdapter(list[NamedFunction])
_TESTS = TypeAdapter(list[TestFunction])


class MutatedCode(BaseModel):
    """A module and its faulty twins; empty for a module that does not parse."""

    model_config = ConfigDict(frozen=True)

    control: str = ""
    mutants: list[Mutant] = []


_MUTATED = TypeAdapter(MutatedCode)
_TEXT = TypeAdapter(str)


class TestCodeReader:
    """Each method raises CheckFailed if the children fail."""

    __test__ = False

    def __init__(self, checker: ProjectChecker) -> None:
        self._checker = checker

    async def functions(self, path: str, text: str) -> list[NamedFunction]:
        return await self._checker.call(ChildRequest(function="named_functions", texts={path: text}), _NAMED)

    async def mutated(self, path: str, text: str, ranges: Sequence[tuple[int, int]]) -> MutatedCode:
        request = ChildRequest(function="mutants", texts={path: text}, arguments={"ranges": ranges})
        return await self._checker.call(request, _MUTATED)

    async def tests(self, path: str, text: str) -> list[TestFunction]:
        """Empty if it does not parse."""
        return await self._checker.call(ChildRequest(function="test_functions", texts={path: text}), _TESTS)

    async def without(self, path: str, text: str, names: Collection[str]) -> str:
        """The file without these tests."""
        arguments = {"names": sorted(names)}
        request = ChildRequest(function="without_tests", texts={path: text}, arguments=arguments)
        return await self._checker.call(request, _TEXT)

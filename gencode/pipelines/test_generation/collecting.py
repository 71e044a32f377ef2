"""The stage `collecting`: which functions are tested, and where their tests belong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import anyio.to_thread

from gencode.codegen.test_code.functions import NamedFunction
from gencode.codegen.test_code.reader import TestCodeReader
from gencode.domain.path_rules import is_workflow
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.model_tasks.calls import ModelRun
from gencode.pipelines.test_generation.artifacts import (
    Collected,
    Given,
    SkippedTarget,
    TargetFunction,
    TargetGroup,
    Targets,
)
from gencode.pipelines.test_generation.changes import ChangedFile, changed_files
from gencode.pipelines.test_generation.errors import NothingToTest
from gencode.pipelines.test_generation.frameworks import (
    OF_LANGUAGE,
    framework_of,
    is_test_file,
    language_of,
    module_name,
    test_path,
)
from gencode.pipelines.test_generation.names import SOURCES, TARGETS
from gencode.pipelines.test_generation.sources import Sources

FUNCTIONS_OF_GROUP = 8
MAX_GROUPS = 30
SHOWN = 20


ReadSources = Callable[[ModelRun, Given], Awaitable[Sources]]
"""See StoredSource."""


class Collecting:
    def __init__(self, reader: TestCodeReader, read_sources: ReadSources) -> None:
        self._reader = reader
        self._read_sources = read_sources

    async def __call__(self, work: Collected, emit: Emit) -> Collected:
        """Raises NothingToTest, CheckFailed, the errors of reading a repository."""
        if work.targets is None:
            work, stored = await self._with_sources(work)
            targets = await self._targets(work.given)
            groups = [
                {"path": one.source, "functions": [function.name for function in one.functions]}
                for one in targets.groups
            ]
            skipped = [one.model_dump() for one in targets.skipped[:SHOWN]]
            await emit(
                StageUpdate(
                    kind="targets",
                    data={"groups": groups, "skipped": skipped},
                    checkpoints={**stored, TARGETS: targets.model_dump_json()},
                )
            )
            work = replace(work, targets=targets)
        if not work.targets or not work.targets.groups:
            raise NothingToTest(_reason(work.targets.skipped if work.targets else ()))
        return work

    async def _with_sources(self, work: Collected) -> tuple[Collected, Mapping[str, str]]:
        """With what the request names in place of sending it, and the checkpoint that keeps it."""
        given = work.given
        if (given.place is None and given.code_diff_id is None) or given.changes is not None:
            return work, {}
        found = await self._read_sources(work.run, given)
        given = found.within(given)
        return replace(work, given=given), {SOURCES: found.model_dump_json()}

    async def _targets(self, given: Given) -> Targets:
        changes: Mapping[str, ChangedFile] = given.changes or {}
        if given.patch is not None:
            changes = await anyio.to_thread.run_sync(changed_files, given.patch, given.files)
        wanted = _Wanted(given.functions)
        skipped = [SkippedTarget(path=path, reason=one.reason) for path, one in changes.items() if one.reason]
        groups: list[TargetGroup] = []
        for path, text in given.files.items():
            change = changes.get(path, ChangedFile())
            if change.reason or is_test_file(path) or not (change.lines or wanted.may_be_in(path)):
                continue
            if language_of(path) is None:
                if change.lines:
                    skipped.append(SkippedTarget(path=path, reason="tests of this language are not written"))
                continue
            known = await self._reader.functions(path, text)
            chosen = [one for one in known if _is_changed(one, change) or wanted.takes(path, one.name)]
            if change.lines and not chosen:
                skipped.append(SkippedTarget(path=path, reason="no function in it is changed"))
            of_file = list(_groups(path, chosen, change, given, [group.test_path for group in groups]))
            if any(is_workflow(group.test_path) for group in of_file):
                skipped.append(
                    SkippedTarget(path=path, reason="the Git host would run its tests as workflows")
                )
                continue
            groups += of_file
        skipped += [_unknown(name, given) for name in wanted.left()]
        skipped += [SkippedTarget(path=g.source, reason="too many functions") for g in groups[MAX_GROUPS:]]
        return Targets(groups=tuple(groups[:MAX_GROUPS]), skipped=tuple(skipped))


class _Wanted:
    """The named functions; those without a path are looked for in all files."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = dict.fromkeys(names, False)

    def may_be_in(self, path: str) -> bool:
        return any(":" not in name or name.rpartition(":")[0] == path for name in self._names)

    def takes(self, path: str, function: str) -> bool:
        for name in (path, function, function.rpartition(".")[2], f"{path}:{function}"):
            if name in self._names:
                self._names[name] = True
                return True
        return False

    def left(self) -> Iterable[str]:
        return (name for name, is_found in self._names.items() if not is_found)


def _unknown(name: str, given: Given) -> SkippedTarget:
    is_file = name in given.files
    reason = "no function was found in it, or it does not parse" if is_file else "no function has this name"
    return SkippedTarget(path=name, reason=reason)


def _is_changed(function: NamedFunction, change: ChangedFile) -> bool:
    return any(function.first <= line <= function.last for line in change.lines)


def _groups(
    path: str, functions: Sequence[NamedFunction], change: ChangedFile, given: Given, taken: Sequence[str]
) -> Iterator[TargetGroup]:
    language = language_of(path)
    if language is None:
        return
    fits = given.framework in OF_LANGUAGE[language]
    framework = given.framework if given.framework and fits else framework_of(given.files, language)
    used = [*taken, *given.taken]
    for at in range(0, len(functions), FUNCTIONS_OF_GROUP):
        used.append(test_path(path, given.files, used, language))
        yield TargetGroup(
            source=path,
            language=language,
            framework=framework,
            test_path=used[-1],
            module=module_name(path, language),
            functions=tuple(
                TargetFunction(name=one.name, first=one.first, last=one.last)
                for one in functions[at : at + FUNCTIONS_OF_GROUP]
            ),
            before=change.before,
        )


def _reason(skipped: Sequence[SkippedTarget]) -> str:
    listed = "; ".join(f"{one.path}: {one.reason}" for one in skipped[:SHOWN])
    return "No function was found to write tests for" + (f" ({listed})" if listed else "")

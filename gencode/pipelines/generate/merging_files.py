"""The second stage: pieces become files, files become a tree that is proven safe and free of secrets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict

import anyio.to_thread

from gencode.codegen.continuation_merge import file_text
from gencode.codegen.repair_loop import Files, RepairLoop, ValidationResult
from gencode.codegen.secrets_scan import OWN, Finding, scan
from gencode.domain.errors import SecretFound
from gencode.engine.pipeline import Emit, StageUpdate
from gencode.llm.session import LLMSessionFactory
from gencode.pipelines.generate.artifacts import REPORT, Draft, GenerateInput, KeptSnapshot, Project
from gencode.pipelines.generate.committed_report import Reporter


class Merging:
    """Author and times go into the commit, so they are kept with it: every push makes the same SHA.

    secrets   returns the secrets of this service, which no project may hold whatever its request allows
    reporter  writes the report that a request may want to have in its commit
    """

    def __init__(
        self,
        sessions: LLMSessionFactory,
        gate: RepairLoop,
        author: str,
        reporter: Reporter,
        *,
        secrets: Callable[[], Sequence[str]] = tuple,
        workflows: bool = False,
    ) -> None:
        self._sessions = sessions
        self._gate = gate
        self._author = author
        self._reporter = reporter
        self._secrets = secrets
        self._workflows = workflows

    async def __call__(self, draft: Draft | Project, send: Emit) -> Project:
        if isinstance(draft, Project):
            return draft
        texts = {path: _scalar(file_text(pieces, path)) for path, pieces in draft.pieces.items()}
        session = self._sessions.of(draft.input, draft.spent, send)
        session.work.written()
        passed = await self._gate(draft, texts, session)
        checkpoints = self._commit(draft, passed)
        checkpoints.snapshot(workflows=self._workflows)  # nothing else is done with names that are not safe
        told = await self._look_for_secrets(checkpoints, draft.input, send)
        if draft.input.include_report:
            checkpoints, told = await self._with_report(checkpoints, told, draft.input, send)
        project = Project(
            input=draft.input, snapshot=checkpoints.snapshot(draft.ready, workflows=self._workflows)
        )
        size = sum(len(data) for data in project.snapshot.tree.files.values())
        await send(
            *told,
            StageUpdate(
                kind="merged",
                data={"files": len(checkpoints.files), "bytes": size, "findings": len(passed.findings)},
                checkpoints={"snapshot": checkpoints.model_dump_json()},
            ),
        )
        return project

    async def _with_report(
        self, checkpoints: KeptSnapshot, told: list[StageUpdate], input: GenerateInput, send: Emit
    ) -> tuple[KeptSnapshot, list[StageUpdate]]:
        """The commit with the report of it, and what is to be told then. Everything else in it has been
        looked through."""
        text = _scalar(await self._reporter(input.task_id, checkpoints, told))
        alone = checkpoints.model_copy(update={"files": {REPORT: text}, "message": ""})
        told = [*told, *await self._look_for_secrets(alone, input, send)]
        return checkpoints.model_copy(update={"files": {**checkpoints.files, REPORT: text}}), told

    async def _look_for_secrets(
        self, checkpoints: KeptSnapshot, input: GenerateInput, send: Emit
    ) -> list[StageUpdate]:
        """What to tell of findings that do not matter. Raises SecretFound for those that do."""
        found = await anyio.to_thread.run_sync(scan, checkpoints.files, checkpoints.message, self._secrets())
        if not found:
            return []
        findings = StageUpdate(
            kind="findings", data={"findings": [asdict(finding) for finding in found], "count": len(found)}
        )
        if found[0].rule == OWN or not input.allow_secrets:
            await send(findings)
            raise _refusal(found)
        return [findings]

    def _commit(self, draft: Draft, passed: ValidationResult) -> KeptSnapshot:
        return KeptSnapshot(
            files=with_warning(passed),
            message=_commit_message(draft),
            author=self._author,
            at=draft.input.at,
            branch="main",
        )


def with_warning(passed: ValidationResult) -> Files:
    """Best effort says in the README what is wrong with what it delivers."""
    if not passed.findings:
        return passed.files
    faults = [f"- `{fault.path}` line {fault.line}: {fault.message}" for fault in passed.findings]
    section = "\n".join(
        ["## Known faults", "", "gencode found these, and the model did not mend them:", "", *faults]
    )
    readme = next((path for path in passed.files if path.lower() == "readme.md"), "README.md")
    return {**passed.files, readme: f"{passed.files.get(readme, '').rstrip()}\n\n{section}\n".lstrip()}


def _scalar(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _refusal(found: Sequence[Finding]) -> SecretFound:
    first = found[0]
    where = f"{first.path[:200]} line {first.line}"
    others = f" ({len(found) - 1} more in the findings)" if len(found) > 1 else ""
    if first.rule == OWN:
        return SecretFound(f"{where} holds a secret of this service{others}; nothing was pushed, replace it")
    return SecretFound(
        f"{where} looks like a secret: {first.rule}{others}. Nothing was pushed; ask for placeholders in the "
        "prompt, or send allow_secrets if it is none"
    )


def _commit_message(draft: Draft) -> str:
    summary = " ".join(draft.plan.summary.split())[:72] or draft.input.name
    return f"{summary}\n\nGenerated by gencode with {draft.input.model}.\nTask: {draft.input.task_id}\n"

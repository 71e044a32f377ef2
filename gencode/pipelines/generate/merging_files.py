"""The second stage, named by its public status: merges answers into files, validates and repairs the files,
scans them for secrets, and makes the commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict

from gencode.codegen.continuation_merge import file_texts
from gencode.codegen.file_checkpoints import PIECE, StoredText, stored_text
from gencode.codegen.repair_loop import Files, RepairLoop, ValidationResult
from gencode.codegen.secrets_scan import OWN_SECRET, SecretFinding
from gencode.domain.errors import LikelySecretFound, SecretFound
from gencode.domain.phrase import Phrase
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.llm.session import LLMSessionFactory
from gencode.pipelines.generate.commit_checkpoint import SNAPSHOT, CommitContent, commit_checkpoint
from gencode.pipelines.generate.committed_report import REPORT, Reporter
from gencode.pipelines.generate.stage_artifacts import Draft, GenerateInput, Project

Scan = Callable[[Files, str, Sequence[str]], Awaitable[Sequence[SecretFinding]]]
"""Takes the files, the commit's message and this service's own secrets; returns findings."""


class Merging:
    """Author and time are stored with the commit, so that every push makes the same SHA.

    secrets   returns the secrets of this service, which no project may contain whatever its request allows
    reporter  makes the report that a request may include in its commit
    """

    def __init__(
        self,
        sessions: LLMSessionFactory,
        repair_loop: RepairLoop,
        scan: Scan,
        author: str,
        reporter: Reporter,
        *,
        secrets: Callable[[], Sequence[str]] = tuple,
        workflows: bool = False,
    ) -> None:
        self._sessions = sessions
        self._repair_loop = repair_loop
        self._scan = scan
        self._author = author
        self._reporter = reporter
        self._secrets = secrets
        self._workflows = workflows

    async def __call__(self, draft: Draft | Project, emit: Emit) -> Project:
        """Raises ValidationFailed, CheckFailed, SecretFound, UnsafePath, UnsafeTree, LLM* errors."""
        if isinstance(draft, Project):
            return draft
        result = await self._validated(draft, emit)
        commit = self._commit(draft, result)
        commit.snapshot(workflows=self._workflows)  # rejects unsafe paths first
        updates = await self._scan_for_secrets(commit, draft.request, emit)
        if draft.request.include_report:
            commit, updates = await self._with_report(commit, updates, draft.request, emit)
        snapshot = commit.snapshot(draft.deflated_blobs, workflows=self._workflows)
        size = sum(len(data) for data in snapshot.tree.files.values())
        merged = StageUpdate(
            kind="merged",
            data={"files": len(commit.files), "bytes": size, "findings": len(result.findings)},
            checkpoints={SNAPSHOT: commit_checkpoint(commit, _stored_texts(draft, result))},
        )
        await emit(*updates, merged)
        return Project(request=draft.request, snapshot=snapshot)

    async def _validated(self, draft: Draft, emit: Emit) -> ValidationResult:
        request = draft.request
        found = await file_texts(draft.pieces)
        texts = {path: _valid_utf8(text) for path, text in found.items()}
        session = await self._sessions.create(
            request.model,
            request.task_id,
            spent=draft.spent,
            budget=request.budget,
            emit=emit,
            client=request.client,
            kind="generate",
            failover=request.failover,
        )
        session.progress.writing_finished()
        return await self._repair_loop(request.job, draft.plan, texts, session)

    async def _with_report(
        self, commit: CommitContent, updates: list[StageUpdate], request: GenerateInput, emit: Emit
    ) -> tuple[CommitContent, list[StageUpdate]]:
        """The commit with its report, and the events to publish. Its other files are scanned already."""
        text = _valid_utf8(await self._reporter(request.task_id, commit, updates))
        report_only = commit.model_copy(update={"files": {REPORT: text}, "message": ""})
        updates = [*updates, *await self._scan_for_secrets(report_only, request, emit)]
        return commit.model_copy(update={"files": {**commit.files, REPORT: text}}), updates

    async def _scan_for_secrets(
        self, commit: CommitContent, request: GenerateInput, emit: Emit
    ) -> list[StageUpdate]:
        """The events of findings that the request allows. Raises SecretFound for other findings."""
        found = await self._scan(commit.files, commit.message, self._secrets())
        if not found:
            return []
        findings = StageUpdate(
            kind="findings", data={"findings": [asdict(finding) for finding in found], "count": len(found)}
        )
        if found[0].rule == OWN_SECRET or not request.allow_secrets:
            await emit(findings)
            raise _secret_found(found)
        return [findings]

    def _commit(self, draft: Draft, result: ValidationResult) -> CommitContent:
        return CommitContent(
            files=with_warning(result),
            message=_commit_message(draft),
            author=self._author,
            at=draft.request.at,
            branch="main",
        )


def with_warning(result: ValidationResult) -> Files:
    """The files, with a README section that lists the findings that a best-effort delivery contains."""
    if not result.findings:
        return result.files
    faults = [
        f"- `{fault.path}`{f' line {fault.line}' if fault.line else ''}: {fault.message}"
        for fault in result.findings
    ]
    section = "\n".join(
        ["## Known faults", "", "gencode found these, and the model did not fix them:", "", *faults]
    )
    readme = next((path for path in result.files if path.lower() == "readme.md"), "README.md")
    return {**result.files, readme: f"{result.files.get(readme, '').rstrip()}\n\n{section}\n".lstrip()}


def _stored_texts(draft: Draft, result: ValidationResult) -> Mapping[str, StoredText]:
    """The newest text of each file that one checkpoint contains completely, by path."""
    found = {path: stored_text(PIECE, path, pieces) for path, pieces in draft.pieces.items()}
    return {path: text for path, text in found.items() if text} | dict(result.stored)


def _valid_utf8(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _secret_found(found: Sequence[SecretFinding]) -> SecretFound:
    first = found[0]
    where = Phrase("{file} line {line}", file=first.path[:200], line=first.line)
    others = Phrase(" ({count} more in the findings)", count=len(found) - 1) if len(found) > 1 else ""
    if first.rule == OWN_SECRET:
        return SecretFound(
            Phrase(
                "{where} holds a secret of this service{others}; nothing was pushed, replace it",
                where=where,
                others=others,
            )
        )
    return LikelySecretFound(
        Phrase(
            "{where} looks like a secret: {rule}{others}. Nothing was pushed; ask for "
            "placeholders in the prompt, or allow secrets if it is none",
            where=where,
            rule=first.rule,
            others=others,
        )
    )


def _commit_message(draft: Draft) -> str:
    request = draft.request
    summary = " ".join(draft.plan.summary.split())[:72] or request.name
    return f"{summary}\n\nGenerated by gencode with {request.model}.\nTask: {request.task_id}\n"

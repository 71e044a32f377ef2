"""The last stage: a new draft, or a proposal. Each is stored once, however often the stage is repeated."""

from __future__ import annotations

from typing import Any

from gencode.blueprints import Severity
from gencode.blueprints.comparison import compare
from gencode.blueprints.comparison.compare import document
from gencode.domain.errors import Invalid, NotFound
from gencode.domain.phrase import Phrase
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.pipelines.blueprint.names import STORED
from gencode.pipelines.blueprint.work import Made, Work
from gencode.workspace.blueprints.task_results import BlueprintResults
from gencode.workspace.identity.actor import Actor
from gencode.workspace.workspace import Workspace

MAX_NAME = 100


class Delivering:
    def __init__(self, workspace: Workspace) -> None:
        self._results = BlueprintResults(workspace)

    async def run(self, work: Work, emit: Emit) -> Work:
        """Raises NotFound for a blueprint or project that was deleted meanwhile, Forbidden, ProjectArchived.
        The task keeps what it made: a retry delivers it."""
        assert work.made is not None  # noqa: S101 - the stage before made it
        stored = await (self._propose(work, work.made) if work.blueprint_id else self._draft(work, work.made))
        result = {**stored, **counts_of(work.made)}
        await emit(StageUpdate(kind=STORED, data=result, result=result))
        return work

    async def _draft(self, work: Work, made: Made) -> dict[str, Any]:
        values = {
            "name": str(work.request.get("name") or made.spec.label or made.spec.project_name or "Blueprint")[
                :MAX_NAME
            ],
            "project_id": work.request.get("project_id"),
            "version_tag": work.request.get("version_tag"),
            "spec": document(made.spec),
        }
        try:
            row = await self._results.create_draft(work.run.task_id, values, Actor(id=work.run.principal))
        except Invalid as error:
            raise NotFound(Phrase("the draft has no place: {message}", message=error.message)) from None
        return {"blueprint_id": row.id, "version_tag": row.version_tag}

    async def _propose(self, work: Work, made: Made) -> dict[str, Any]:
        assert work.source is not None  # noqa: S101 - an earlier stage made it
        base = work.source.base
        assert base is not None  # noqa: S101 - the task has a blueprint to change
        changes = len(compare(base.spec, made.spec))
        counts = counts_of(made)
        values = {
            "blueprint_id": work.blueprint_id,
            "name": base.name,
            "base_version": base.version,
            "base": document(base.spec),
            "spec": document(made.spec),
            "changes": changes,
            "entities": counts["entity_count"],
            "errors": counts["error_count"],
            "warnings": counts["warning_count"],
        }
        row = await self._results.propose(work.run.task_id, values, Actor(id=work.run.principal))
        return {"blueprint_id": work.blueprint_id, "proposal_id": row.id, "change_count": changes}


def counts_of(made: Made) -> dict[str, Any]:
    errors = sum(one.severity is Severity.ERROR for one in made.findings)
    return {
        "entity_count": len(made.spec.data_models),
        "page_count": len(made.spec.pages),
        "error_count": errors,
        "warning_count": len(made.findings) - errors,
        "is_complete": made.is_complete,
        "by_rules": made.by_rules,
    }

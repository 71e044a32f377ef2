"""From a valid request to what is stored, and the changes of a retry."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import anyio.to_thread

from gencode.blueprints import Severity, validate
from gencode.blueprints.identifiers import snake
from gencode.domain.errors import Invalid, NotFound
from gencode.domain.phrase import Phrase
from gencode.domain.task import Task
from gencode.engine.ports.store import Store
from gencode.http.checkpoint_reader import CheckpointReader
from gencode.http.generation_limits import GenerationLimits
from gencode.http.kind_dependencies import ChooseModel
from gencode.http.kinds import PreparedTask, Submitter
from gencode.model_tasks.request import (
    choose_model,
    stored_request,
)
from gencode.pipelines.build.api.request import BuildRequest
from gencode.pipelines.build.artifacts import UpdateTarget
from gencode.pipelines.build.messages import accepted
from gencode.pipelines.build.update_target import update_target
from gencode.security.secret_registry import SecretRegistry
from gencode.workspace.blueprints.predecessors import published_predecessors, usable
from gencode.workspace.blueprints.resource import BLUEPRINTS, blueprint_of
from gencode.workspace.blueprints.table import BlueprintRow
from gencode.workspace.builds.removal import project_scope
from gencode.workspace.builds.storage import BuildStorage
from gencode.workspace.builds.store import BuildStore
from gencode.workspace.projects.resource import PROJECTS
from gencode.workspace.templates.sets import usable_content
from gencode.workspace.workspace import Workspace

ChooseHost = Callable[[str | None, str | None, str], str]
"""See KindDependencies."""
_LONG_FIELDS = ("blueprint", "predecessors", "template_content")
MAX_PROBLEMS = 50
"""Findings that a refusal tells."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildServices:
    """What submissions and this kind's endpoints need. `is_off`: whether the sandbox is."""

    workspace: Workspace
    builds: BuildStore
    store: Store
    checkpoint_reader: CheckpointReader
    choose_model: ChooseModel
    storage: BuildStorage
    limits: GenerationLimits
    secrets: SecretRegistry
    choose_host: ChooseHost
    is_off: bool


async def prepare(services: BuildServices, request: BuildRequest, submitter: Submitter) -> PreparedTask:
    """Raises NotFound, Forbidden, ProjectArchived, Invalid, TemplateNotProven, PlanLimitReached."""
    principal = submitter.principal
    row = await services.workspace.resource(BLUEPRINTS).get_writable(request.blueprint_id, principal.id)
    await anyio.to_thread.run_sync(check_blueprint, row, submitter.language)
    model = await choose_model(request, submitter, services.choose_model)
    if request.regenerates:
        await _check_earlier(services, request.regenerates, principal.id)
    scope = project_scope(row.project_id) if row.project_id else principal.id
    templates = await _templates(services, request, row, principal.id)
    target = await _update_target(services, request, scope)
    await services.storage.check(row.project_id)
    predecessors = await _predecessors(services, row, principal.id)
    stored = {
        **stored_request(request),
        **model.parameters(),
        **templates,
        "asked_model": request.model,
        "host": _host(services, request, target),
        "update": target.model_dump() if target else None,
        "blueprint": row.spec,
        "predecessors": predecessors,
        "has_predecessors": bool(predecessors),
        "blueprint_digest": digest_of(row.spec),
        "blueprint_name": row.name,
        "version_tag": row.version_tag,
        "is_draft": row.is_draft,
        "project_name": snake(blueprint_of(row).project_name) or "application",
        "scope": scope,
    }
    return PreparedTask(
        request=stored,
        parameters={name: value for name, value in stored.items() if name not in _LONG_FIELDS},
        message=accepted(submitter.language, services.is_off),
        may_pause=bool(predecessors) and not request.allow_data_loss,
        reservation=await services.limits.reservation(principal, row.project_id),
    )


async def _check_earlier(services: BuildServices, task_id: str, principal: str) -> None:
    """Raises Invalid for what is no build, or one of a blueprint that the principal may not read."""
    try:
        if (row := await services.builds.get(task_id)) is None:
            raise NotFound("there is no such build, or it belongs to somebody else")
        await services.workspace.resource(BLUEPRINTS).get(row.blueprint_id, principal)
    except NotFound as error:
        raise Invalid.of("regenerates", "unknown", error.message) from None


async def _templates(
    services: BuildServices, request: BuildRequest, row: BlueprintRow, principal: str
) -> Mapping[str, Any]:
    """The chosen set, as it is stored with the task. Raises Invalid, TemplateNotProven."""
    chosen = request.template_set
    if "template_set" not in request.model_fields_set and row.project_id:
        project = await services.workspace.resource(PROJECTS).get(row.project_id, principal)
        chosen = project.tech_stack.get("template_set")
    if not chosen:
        return {"template_set": None}
    try:
        content = await usable_content(services.workspace, chosen, principal)
    except NotFound as error:
        raise Invalid.of("template_set", "unknown", error.message) from None
    manifest = content.manifest
    return {
        "template_set": chosen,
        "template_version": {"name": manifest.name, "version": manifest.version, "sha256": content.sha256},
        "template_content": content.document,
    }


async def _update_target(services: BuildServices, request: BuildRequest, scope: str) -> UpdateTarget | None:
    """None if no repository is to be updated. Raises Invalid."""
    if not request.update_repository:
        return None
    if request.deliver:
        raise Invalid.of(
            "update_repository", "conflict", "`deliver` makes a new repository: send one of both"
        )
    if not request.regenerates:
        raise Invalid.of("update_repository", "missing", "name the earlier build in `regenerates`, too")
    if target := await update_target(services.store, request.regenerates, scope):
        return target
    raise Invalid.of(
        "update_repository",
        "unknown",
        "neither this build nor those before it have delivered a repository for this project: use `deliver`",
    )


def _host(services: BuildServices, request: BuildRequest, target: UpdateTarget | None) -> str | None:
    if target:
        return target.repository.host
    wanted = request.deliver
    return services.choose_host(wanted.host, wanted.github_org, wanted.repo_name) if wanted else None


async def _predecessors(services: BuildServices, row: BlueprintRow, principal: str) -> list[Any]:
    """The documents of the versions whose migrations the project has, the oldest first."""
    older = await published_predecessors(services.workspace.resource(BLUEPRINTS), row, principal)
    count = len(await anyio.to_thread.run_sync(usable, older))
    return [one.spec for one in older[len(older) - count :]]


def may_pause(task: Task) -> bool:
    """Whether a person may be asked to approve the migration of a task that is retried."""
    return bool(task.parameters.get("has_predecessors")) and not task.parameters.get("allow_data_loss")


def check_blueprint(row: BlueprintRow, language: str) -> None:
    """Raises Invalid with the errors of the blueprint. Takes milliseconds for hundreds of data models."""
    errors = [one for one in validate(blueprint_of(row)) if one.severity is Severity.ERROR]
    if not errors:
        return
    problems = [
        {"field": one.element or "blueprint_id", "rule": one.rule.value, "message": one.message(language)}
        for one in errors[:MAX_PROBLEMS]
    ]
    first = f"{problems[0]['field']}: {problems[0]['message']}"
    raise Invalid(
        Phrase(
            "the blueprint has {errors} errors, so it is not built; the first: {first}",
            errors=len(errors),
            first=first,
        ),
        problems,
    )


def digest_of(spec: Mapping[str, Any]) -> str:
    """A digest of the document, whatever the order of its properties."""
    canonical = json.dumps(spec, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()

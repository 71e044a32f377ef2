"""From a valid request to what is stored, and the changes of a retry."""

from __future__ import annotations

from dataclasses import dataclass

import anyio.to_thread
from starlette.requests import Request

from gencode.domain.errors import Invalid, NotFound
from gencode.domain.phrase import Phrase
from gencode.domain.task import Task
from gencode.engine.ports.store import Store
from gencode.githosts.errors import GitError
from gencode.http.checkpoint_reader import CheckpointReader
from gencode.http.dependencies import own_task
from gencode.http.kind_dependencies import ChooseModel
from gencode.http.kinds import PreparedTask, Submitter
from gencode.model_tasks.request import (
    choose_model,
    stored_request,
)
from gencode.pipelines.test_generation.api.request import TestGenerationRequest, check_request
from gencode.pipelines.test_generation.messages import accepted
from gencode.pipelines.test_generation.names import NAME
from gencode.workspace.code_diffs.errors import DiffNotReady
from gencode.workspace.code_diffs.store import CodeDiffs
from gencode.workspace.repositories.errors import RepositoryUnusable
from gencode.workspace.repositories.push import RepositoryPush
from gencode.workspace.repositories.sync import RepositorySync

_LONG_FIELDS = ("files", "patch", "functions", "requirements")


@dataclass(frozen=True, kw_only=True, slots=True)
class TestGenerationServices:
    """What submissions and this kind's endpoints need. `is_off`: whether the sandbox is."""

    __test__ = False

    checkpoint_reader: CheckpointReader
    choose_model: ChooseModel
    store: Store
    sync: RepositorySync
    push: RepositoryPush
    diffs: CodeDiffs
    is_off: bool


async def prepare(
    services: TestGenerationServices, request: TestGenerationRequest, submitter: Submitter
) -> PreparedTask:
    """Raises Invalid."""
    await anyio.to_thread.run_sync(check_request, request)
    await _check_delivery(services, request, submitter, await _repository_of(services, request, submitter))
    model = await choose_model(request, submitter, services.choose_model)
    stored = {**stored_request(request), **model.parameters(), "asked_model": request.model}
    parameters = {name: value for name, value in stored.items() if name not in _LONG_FIELDS}
    return PreparedTask(
        request=stored,
        parameters={**parameters, "sources": len(request.files)},
        message=accepted(submitter.language, model.name, services.is_off),
    )


async def _repository_of(
    services: TestGenerationServices, request: TestGenerationRequest, submitter: Submitter
) -> str | None:
    """The id of the repository that the request names, itself or by its code diff. Raises Invalid for what
    the principal cannot use, and for files that are not known, or sent although they are."""
    if request.code_diff_id is None:
        await _check_repository(services, request.repository_id, submitter)
        return request.repository_id
    try:
        row = await services.diffs.completed(request.code_diff_id, submitter.principal.id)
    except (NotFound, DiffNotReady) as error:
        raise Invalid.of("code_diff_id", "usable", error.message) from None
    if row.repository_id is None and not request.files:
        raise Invalid.of("files", "missing", "the code diff is an uploaded patch: send the files it changes")
    if row.repository_id is not None and request.files:
        raise Invalid.of("files", "one_source", "the code diff has a repository with its files: send none")
    await _check_repository(services, row.repository_id, submitter, "code_diff_id")
    return row.repository_id


async def _check_repository(
    services: TestGenerationServices, row_id: str | None, submitter: Submitter, field: str = "repository_id"
) -> None:
    """Raises Invalid for a repository that the principal cannot use."""
    if row_id is None:
        return
    try:
        await services.sync.active(row_id, submitter.principal.id)
    except RepositoryUnusable as error:
        raise Invalid.of(field, "usable", error.message) from None


async def _check_delivery(
    services: TestGenerationServices,
    request: TestGenerationRequest,
    submitter: Submitter,
    repository_id: str | None,
) -> None:
    """Raises Invalid for a branch that could not be pushed: before a model is paid."""
    if request.deliver != "branch":
        return
    if repository_id is None:
        raise Invalid.of(
            "deliver", "repository", "a branch needs a repository: name one, or a code diff of one"
        )
    try:
        await services.push.check(repository_id, submitter.principal.id)
    except (RepositoryUnusable, GitError) as error:
        raise Invalid.of("deliver", "usable", error.message) from None


async def own_test_task(request: Request) -> Task:
    """The task of the path. Raises NotFound for another principal's, and for one of another kind."""
    task = await own_task(request)
    if task.kind != NAME:
        raise NotFound(Phrase("a task of kind {kind!r} has no tests", kind=task.kind[:100]))
    return task

"""Syncing a repository and reading its clone, beside the operations of every resource."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice

from sqlalchemy import select, update
from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.task import Task
from gencode.engine.ports.store import TaskQuery
from gencode.http.common_declarations import RATE_LIMITED
from gencode.http.dependencies import get_extension, get_principal, get_services
from gencode.http.operation import operation
from gencode.http.parameter_types import Integer, Parameter, Text
from gencode.http.response_specs import JsonResponseSpec
from gencode.http.submission import Submitted
from gencode.http.submit_operation import (
    ACCEPT_LANGUAGE,
    ACCEPTED,
    IDEMPOTENCY_KEY,
    SUBMISSION_ERRORS,
    accepted_response,
    submit_for,
)
from gencode.workspace.parameters import ONE, id_in_path
from gencode.workspace.repositories.clone import Clone
from gencode.workspace.repositories.clones import RepositoryClones
from gencode.workspace.repositories.errors import CloneMissing, PathUnknown, RefUnknown
from gencode.workspace.repositories.requests import SYNC_REPOSITORY, SyncRepositoryRequest
from gencode.workspace.repositories.resource import GIT_REPOSITORIES, MAX_REF
from gencode.workspace.repositories.table import SYNC_TASKS, GitRepository, SyncStatus
from gencode.workspace.repositories.views import (
    RepositoryBranches,
    RepositoryBranchView,
    RepositoryCommits,
    RepositoryCommitView,
    RepositoryEntryView,
    RepositoryFileView,
    RepositoryTreeView,
)
from gencode.workspace.resources.routes import operations_of
from gencode.workspace.settled_operation import settled
from gencode.workspace.task_rows import TaskVersion
from gencode.workspace.workspace import Workspace

MAX_PATH = 4096
MAX_ENTRIES = 1000
_BRANCHES = JsonResponseSpec(model=RepositoryBranches, description="The branches")
_COMMITS = JsonResponseSpec(model=RepositoryCommits, description="A page of commits")
_TREE = JsonResponseSpec(model=RepositoryTreeView, description="The directory")
_FILE = JsonResponseSpec(model=RepositoryFileView, description="The file")
REF = Parameter(
    name="ref",
    location="query",
    description="A branch, a tag, a commit's id or its beginning; by default the repository's branch",
    type=Text(
        pattern=rf"^[^\x00-\x1f\x7f]{{0,{MAX_REF}}}$",
        rule="ref",
        message=f"is none: it has at most {MAX_REF} printable characters",
    ),
    default="",
)
PATH = Parameter(
    name="path",
    location="query",
    description='From the root of the repository, with "/"',
    type=Text(
        pattern=rf"^[^\x00]{{0,{MAX_PATH}}}$",
        rule="path",
        message=f"is none: it has at most {MAX_PATH} characters",
    ),
    default="",
)
SKIP = Parameter(
    name="skip",
    location="query",
    description="Items before the page",
    type=Integer(maximum=10_000),
    default=0,
)
COMMITS = Parameter(
    name="limit",
    location="query",
    description="Commits on a page",
    type=Integer(minimum=1, maximum=100),
    default=20,
)
ENTRIES = Parameter(
    name="limit",
    location="query",
    description="Entries on a page",
    type=Integer(minimum=1, maximum=MAX_ENTRIES),
    default=MAX_ENTRIES,
)
OF_A_CLONE = (CloneMissing, RefUnknown)


@operation(
    "startRepositorySync",
    "POST /git/repositories/{id:uuid}/sync",
    "Sync a repository, as a task; if one is under way, that",
    traits=(ONE, RATE_LIMITED),
    parameters=(IDEMPOTENCY_KEY, ACCEPT_LANGUAGE),
    responses=(ACCEPTED,),
    errors=SUBMISSION_ERRORS,
)
async def start_sync(request: Request) -> Response:
    services, principal = get_services(request), get_principal(request)
    rate_headers = await services.rate.spend(principal.id)
    workspace = get_extension(request, Workspace)
    row = await workspace.resource(GIT_REPOSITORIES).get(id_in_path(request), principal.id)
    if task := await _under_way(request, row):
        return accepted_response(request, Submitted(task=task, is_replay=True), rate_headers)
    submitted = await submit_for(request, SYNC_REPOSITORY, SyncRepositoryRequest(repository_id=row.id))
    waits = update(GitRepository).where(
        GitRepository.id == row.id,
        GitRepository.sync_status != SyncStatus.SYNCING.value,
        SYNC_TASKS.may_be_assigned(submitted.task.id),
    )
    values = {"sync_status": SyncStatus.PENDING.value, **SYNC_TASKS.at(TaskVersion.of(submitted.task))}
    async with workspace.database.transaction() as session:
        await session.execute(waits.values(**values, updated_at=GitRepository.updated_at))
    return accepted_response(request, submitted, rate_headers)


async def _under_way(request: Request, row: GitRepository) -> Task | None:
    if row.sync_task_id is None or row.sync_status not in (SyncStatus.PENDING, SyncStatus.SYNCING):
        return None
    query = TaskQuery(id=row.sync_task_id, principal=row.owner, kind=SYNC_REPOSITORY, limit=1)
    tasks = await get_services(request).store.find(query)
    return next((task for task in tasks if not task.state.is_terminal), None)


@operation(
    "listRepositoryBranches",
    "GET /git/repositories/{id:uuid}/branches",
    "List the branches of a repository",
    traits=(ONE,),
    responses=(_BRANCHES,),
)
async def list_branches(request: Request) -> Response:
    workspace = get_extension(request, Workspace)
    row = await workspace.resource(GIT_REPOSITORIES).get(id_in_path(request), get_principal(request).id)
    async with workspace.database.transaction() as session:
        text = await session.scalar(select(GitRepository.branches).where(GitRepository.id == row.id))
    branches = [
        RepositoryBranchView(name=name, commit=commit, is_default=name == row.default_branch)
        for name, commit in json.loads(text or "[]")
    ]
    return _BRANCHES.make(RepositoryBranches(branches=branches))


@operation(
    "listRepositoryCommits",
    "GET /git/repositories/{id:uuid}/commits",
    "List the commits of a repository",
    traits=(ONE,),
    parameters=(REF, COMMITS, SKIP),
    responses=(_COMMITS,),
    errors=OF_A_CLONE,
)
async def list_commits(request: Request) -> Response:
    limit, skip = COMMITS.read(request), SKIP.read(request)
    async with _opened(request) as (clone, commit):
        found = await clone.call(clone.commits, commit, limit + 1, skip)
    views = [RepositoryCommitView.of(one) for one in found[:limit]]
    return _COMMITS.make(RepositoryCommits(commits=views, has_more=len(found) > limit))


@operation(
    "getRepositoryTree",
    "GET /git/repositories/{id:uuid}/tree",
    "List a directory of a repository",
    traits=(ONE,),
    parameters=(REF, PATH, ENTRIES, SKIP),
    responses=(_TREE,),
    errors=(*OF_A_CLONE, PathUnknown),
)
async def get_tree(request: Request) -> Response:
    limit, skip, path = ENTRIES.read(request), SKIP.read(request), PATH.read(request).strip("/")
    async with _opened(request) as (clone, commit):
        found = await clone.call(lambda: list(islice(clone.entries(commit, path), skip, skip + limit + 1)))
    entries = [RepositoryEntryView.of(entry) for entry in found[:limit]]
    return _TREE.make(
        RepositoryTreeView(commit=commit, path=path, entries=entries, has_more=len(found) > limit)
    )


@operation(
    "getRepositoryFile",
    "GET /git/repositories/{id:uuid}/file",
    "Show a file of a repository",
    traits=(ONE,),
    parameters=(REF, PATH),
    responses=(_FILE,),
    errors=(*OF_A_CLONE, PathUnknown),
)
async def get_file(request: Request) -> Response:
    path = PATH.read(request).strip("/")
    async with _opened(request) as (clone, commit):
        entry = await clone.call(clone.entry, commit, path)
        content = await clone.call(clone.blob, commit, path)
        return _FILE.make(RepositoryFileView.of(commit, entry, content))


@asynccontextmanager
async def _opened(request: Request) -> AsyncIterator[tuple[Clone, str]]:
    """The clone, and the commit that `ref` means."""
    row_id, principal = id_in_path(request), get_principal(request).id
    workspace, ref = get_extension(request, Workspace), REF.read(request)
    row = await workspace.resource(GIT_REPOSITORIES).get(row_id, principal)
    async with get_extension(request, RepositoryClones).open(row_id, principal) as clone:
        meant = ref or row.branch or await clone.call(clone.default_branch)
        if meant is None:
            raise RefUnknown("the repository has no default branch: name a ref")
        yield clone, await clone.call(clone.resolve, meant)


_list, _create, _get, _change, _delete = operations_of(GIT_REPOSITORIES)
REPOSITORY_OPERATIONS = (
    settled(_list, SYNC_TASKS),
    _create,
    settled(_get, SYNC_TASKS),
    _change,
    _delete,
    start_sync,
    list_branches,
    list_commits,
    get_tree,
    get_file,
)

"""Creating code diffs and reading their content, beside the operations of every resource."""

from __future__ import annotations

from uuid import uuid4

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from gencode.diffs import DiffError, PatchLimits, parse_patch, write_file
from gencode.diffs.patch_writer import MEDIA_TYPE
from gencode.domain.errors import Invalid, NotFound
from gencode.domain.task import Task
from gencode.engine.ports.store import IdempotencyKey
from gencode.http.body_specs import Body, JsonBody
from gencode.http.common_declarations import RATE_LIMITED
from gencode.http.dependencies import get_extension, get_principal, get_services
from gencode.http.operation import operation
from gencode.http.parameter_types import Integer, Parameter, Text
from gencode.http.response_specs import JsonResponseSpec, ResponseSpec
from gencode.http.submission import Submitted, request_digest, submit
from gencode.http.submit_operation import (
    ACCEPT_LANGUAGE,
    IDEMPOTENCY_KEY,
    REPLAYED,
    SUBMISSION_ERRORS,
    request_language,
)
from gencode.workspace.code_diffs.errors import DiffNotReady, DiffUnusable
from gencode.workspace.code_diffs.resource import (
    CODE_DIFF,
    CODE_DIFFS,
    CodeDiffCreation,
    CodeDiffRequest,
    CodeDiffView,
    view_of,
)
from gencode.workspace.code_diffs.store import CodeDiffs, DiffContent
from gencode.workspace.code_diffs.table import DIFF_TASKS, CodeDiff, CodeDiffFile, CompareType, DiffStatus
from gencode.workspace.code_diffs.views import CodeDiffContent, DiffFileView
from gencode.workspace.parameters import ONE, actor_of, id_in_path
from gencode.workspace.repositories.resource import GIT_REPOSITORIES
from gencode.workspace.resources.routes import operations_of
from gencode.workspace.settled_operation import settled
from gencode.workspace.task_rows import TaskVersion
from gencode.workspace.workspace import Workspace

MAX_PAGE_LINES = 20_000
"""Lines of a page, after which it ends with the file that it is at."""
PATCH_LIMITS = PatchLimits(max_files=5000, max_hunks=50_000, max_lines=500_000)
_CREATION = JsonBody(model=CodeDiffCreation)
_PATCH = Body(media_type=MEDIA_TYPE, schema={"type": "string", "format": "binary"}, is_file=True)
_CREATED = JsonResponseSpec(
    status=201, model=CodeDiffView, description="The new code diff", headers=(REPLAYED,)
)
_READ = JsonResponseSpec(status=201, model=CodeDiffView, description="The new code diff, completed")
_CONTENT = JsonResponseSpec(model=CodeDiffContent, description="A page of files")
_AS_PATCH = ResponseSpec(description="A patch in Git's format", media_type=MEDIA_TYPE)
NAME = Parameter(
    name="name",
    location="query",
    description="For people",
    type=Text(pattern=r"^[^\x00-\x1f\x7f]{1,100}$", message="1 to 100 printable characters"),
    default="Patch",
)
FILES = Parameter(
    name="limit",
    location="query",
    description="Files on a page",
    type=Integer(minimum=1, maximum=100),
    default=20,
)
POSITION = Parameter(
    name="cursor",
    location="query",
    description="`next_cursor` of the page before, or the position of a file",
    type=Integer(maximum=100_000),
    default=0,
)


@operation(
    "createCodeDiff",
    "POST /code-diffs",
    "Compare two branches or commits of a repository, as a task",
    traits=(RATE_LIMITED,),
    parameters=(IDEMPOTENCY_KEY, ACCEPT_LANGUAGE),
    body=_CREATION,
    responses=(_CREATED,),
    errors=(*SUBMISSION_ERRORS, NotFound),
)
async def create_code_diff(request: Request) -> Response:
    services, principal = get_services(request), get_principal(request)
    rate_headers = await services.rate.spend(principal.id)
    creation = await _CREATION.read(request)
    diffs = _diffs(request)
    key = _key(request, creation)
    if key and (known := await services.store.find_by_key(key)):
        row, is_replay = await _row_of(known, diffs), True
    else:
        row, is_replay = await _submitted(request, creation, key, diffs)
    headers = {**rate_headers, "Idempotency-Replayed": str(is_replay).lower()}
    return _CREATED.make(view_of(row), headers)


def _key(request: Request, creation: CodeDiffCreation) -> IdempotencyKey | None:
    if (value := IDEMPOTENCY_KEY.read(request)) is None:
        return None
    return IdempotencyKey(principal=get_principal(request).id, value=value, digest=request_digest(creation))


async def _submitted(
    request: Request, creation: CodeDiffCreation, key: IdempotencyKey | None, diffs: CodeDiffs
) -> tuple[CodeDiff, bool]:
    """The row, which goes again if the task is not accepted, and whether the key was used meanwhile. With a
    key, the row of a process that was killed before it stored the task is used again."""
    workspace, principal = get_extension(request, Workspace), get_principal(request)
    await _require_repository(workspace, creation.repository_id, principal.id)
    rows = workspace.resource(CODE_DIFFS)
    values = creation.model_dump(mode="json", exclude={"sync", "callback_url"}) | {"syncs": creation.sync}
    lost = await diffs.lost(principal.id, values) if key else None
    row = lost or await rows.create(values, actor_of(request))
    submission = CodeDiffRequest(code_diff_id=row.id, callback_url=creation.callback_url)
    try:
        done: Submitted = await submit(
            get_services(request), CODE_DIFF, submission, principal, request_language(request), key
        )
    except BaseException:
        if lost:
            raise
        with anyio.CancelScope(shield=True):
            await rows.delete(row.id, actor_of(request), None)
        raise
    if done.is_replay and done.task.parameters.get("code_diff_id") != row.id:
        await rows.delete(row.id, actor_of(request), None)
    return await _row_of(done.task, diffs), done.is_replay


async def _row_of(task: Task, diffs: CodeDiffs) -> CodeDiff:
    """The row of a task that was accepted, perhaps by a process that was killed before it told the row."""
    row_id = str(task.parameters.get("code_diff_id"))
    await diffs.assign(row_id, TaskVersion.of(task))
    return await diffs.get(row_id, task.principal.id)


async def _require_repository(workspace: Workspace, row_id: str, principal: str) -> None:
    """Raises Invalid."""
    try:
        repository = await workspace.resource(GIT_REPOSITORIES).get(row_id, principal)
    except NotFound:
        raise Invalid.of("repository_id", "unknown", "you have no such repository") from None
    if not repository.is_active:
        raise Invalid.of("repository_id", "inactive", "the repository is not active")


@operation(
    "createPatchDiff",
    "POST /code-diffs/patch",
    "Make a code diff from a patch: the output of git diff, git format-patch, diff -u",
    traits=(RATE_LIMITED,),
    parameters=(NAME,),
    body=_PATCH,
    responses=(_READ,),
    errors=(Invalid, DiffUnusable),
)
async def create_patch_diff(request: Request) -> Response:
    rate_headers = await get_services(request).rate.spend(get_principal(request).id)
    name = NAME.read(request)
    data = await _PATCH.read_bytes(request)
    content, commits = await anyio.to_thread.run_sync(_parsed, data)
    row_id = str(uuid4())
    values = {
        "id": row_id,
        "name": name,
        "compare_type": CompareType.PATCH.value,
        "commits": commits,
        "status": DiffStatus.COMPLETED.value,
        **content.stats,
    }
    files = [CodeDiffFile(**row) for row in content.rows(row_id)]
    rows = get_extension(request, Workspace).resource(CODE_DIFFS)
    row = await rows.create(values, actor_of(request), files)
    return _READ.make(view_of(row), rate_headers)


def _parsed(data: bytes) -> tuple[DiffContent, int]:
    """The content, and the number of commits. Raises Invalid, DiffUnusable."""
    try:
        patch = parse_patch(data, PATCH_LIMITS)
    except DiffError as error:
        raise Invalid.of("body", "patch", error.message) from None
    return DiffContent.of_patch(patch), len(patch.commits)


@operation(
    "getCodeDiffContent",
    "GET /code-diffs/{id:uuid}/content",
    "Show the files of a code diff",
    traits=(ONE,),
    parameters=(POSITION, FILES),
    responses=(_CONTENT,),
    errors=(DiffNotReady,),
)
async def get_content(request: Request) -> Response:
    first, limit = POSITION.read(request), FILES.read(request)
    diffs = _diffs(request)
    row = await diffs.completed(id_in_path(request), get_principal(request).id)
    stored = await diffs.files(row.id, first, limit)

    def page() -> list[DiffFileView]:
        views: list[DiffFileView] = []
        lines = 0
        for position, one in enumerate(stored, first):
            if lines >= MAX_PAGE_LINES:
                break
            views.append(DiffFileView.of(position, one))
            lines += sum(len(hunk.lines) for hunk in views[-1].hunks)
        return views

    files = await anyio.to_thread.run_sync(page)
    after = first + len(files)
    cursor = str(after) if files and after < row.files else None
    return _CONTENT.make(CodeDiffContent(files=files, next_cursor=cursor))


@operation(
    "getCodeDiffPatch",
    "GET /code-diffs/{id:uuid}/patch",
    "Download a code diff as a patch",
    traits=(ONE,),
    responses=(_AS_PATCH,),
    errors=(DiffNotReady,),
)
async def get_patch(request: Request) -> Response:
    diffs = _diffs(request)
    row = await diffs.completed(id_in_path(request), get_principal(request).id)
    pieces = bytearray()
    async for stored in diffs.all_files(row.id):
        for piece in write_file(stored.file):
            pieces += piece
    headers = {
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": f'attachment; filename="{row.id}.diff"',
    }
    return Response(bytes(pieces), 200, headers, MEDIA_TYPE)


def _diffs(request: Request) -> CodeDiffs:
    return CodeDiffs(get_extension(request, Workspace), get_services(request).store)


_list, _, _get, _change, _delete = operations_of(CODE_DIFFS)
CODE_DIFF_OPERATIONS = (
    settled(_list, DIFF_TASKS),
    create_code_diff,
    create_patch_diff,
    settled(_get, DIFF_TASKS),
    _change,
    _delete,
    get_content,
    get_patch,
)

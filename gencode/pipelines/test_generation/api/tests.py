"""The tests of a task: as JSON, as an archive, and as a patch. A model wrote them: no browser runs them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from gencode.diffs import diff_texts
from gencode.domain.errors import NotFound
from gencode.engine.ports.pipeline import Checkpoints
from gencode.http.common_declarations import DISPOSITION, OWN_TASK
from gencode.http.dependencies import get_extension
from gencode.http.downloads import GENERATED_CONTENT
from gencode.http.operation import operation
from gencode.http.response_specs import JsonResponseSpec, ResponseSpec
from gencode.pipelines.test_generation.api.preparation import TestGenerationServices, own_test_task
from gencode.pipelines.test_generation.names import SOURCES, TESTS
from gencode.pipelines.test_generation.results import TestsView
from gencode.pipelines.test_generation.sources import Sources

T = TypeVar("T")
VIEW = JsonResponseSpec(model=TestsView, description="The delivered tests, and what was discarded")
ARCHIVE = ResponseSpec(
    description="The test files",
    media_type="application/zip",
    schema={"type": "string", "format": "binary"},
    headers=(DISPOSITION,),
)
PATCH = ResponseSpec(description="A patch for `git apply`", media_type="text/x-diff", headers=(DISPOSITION,))
_EPOCH = (1980, 1, 1, 0, 0, 0)


@operation(
    "readTests",
    "GET /task/{task_id}/tests",
    "The tests of a task",
    traits=(OWN_TASK,),
    responses=(VIEW,),
)
async def read_tests(request: Request) -> Response:
    return VIEW.make(await _made(request, lambda view: view))


@operation(
    "archiveTests",
    "GET /task/{task_id}/tests.zip",
    "The test files of a task",
    traits=(OWN_TASK,),
    responses=(ARCHIVE,),
)
async def archive_tests(request: Request) -> Response:
    return _download(request, await _made(request, _archive), "tests.zip", "application/zip")


@operation(
    "patchTests",
    "GET /task/{task_id}/tests.patch",
    "The test files of a task as a patch",
    traits=(OWN_TASK,),
    responses=(PATCH,),
)
async def patch_tests(request: Request) -> Response:
    services, task = get_extension(request, TestGenerationServices), await own_test_task(request)
    stored = await services.store.request(task.id)
    given = {file["path"]: file["text"] for file in stored.get("files") or ()}
    make = partial(_patch_of, given)
    data = await services.checkpoint_reader.export(task, make)
    return _download(request, data, "tests.patch", "text/x-diff; charset=utf-8")


async def _made(request: Request, make: Callable[[TestsView], T]) -> T:
    services, task = get_extension(request, TestGenerationServices), await own_test_task(request)
    return await services.checkpoint_reader.export(task, lambda found: make(_view(found)))


def _download(request: Request, data: bytes, name: str, media_type: str) -> Response:
    disposition = f'attachment; filename="{request.path_params["task_id"]}-{name}"'
    return Response(
        data, headers={**GENERATED_CONTENT, "Content-Disposition": disposition}, media_type=media_type
    )


# --- called in a thread -----------------------------------------------------------------------------


def _view(checkpoints: Checkpoints) -> TestsView:
    if TESTS not in checkpoints:
        raise NotFound("this task has no tests, or not yet")
    return TestsView.model_validate_json(checkpoints[TESTS])


def _archive(view: TestsView) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in view.files:
            archive.writestr(zipfile.ZipInfo(file.path, _EPOCH), file.text.encode())
    return data.getvalue()


def _patch_of(given: Mapping[str, str], checkpoints: Checkpoints) -> bytes:
    """`given`: the files of the request; those of a repository are in a checkpoint."""
    sources = checkpoints.get(SOURCES)
    before = Sources.model_validate_json(sources).files if sources else given
    return _patch(before, _view(checkpoints))


def _patch(before: Mapping[str, str], view: TestsView) -> bytes:
    return b"".join(_file_patch(file.path, before.get(file.path), file.text) for file in view.files)


def _file_patch(path: str, before: str | None, after: str) -> bytes:
    """A generated file that is there already is changed, any other is new."""
    old = b"" if before is None else before.encode("utf-8", "surrogatepass")
    name = f"{path}\t" if " " in path else path  # Git ends a name with a space by a tab
    head = [f"diff --git a/{path} b/{path}", *([] if before is not None else ["new file mode 100644"])]
    head += [f"--- {'/dev/null' if before is None else f'a/{name}'}", f"+++ b/{name}"]
    hunks = [hunk.header.encode() + b"\n" + hunk.body for hunk in diff_texts(old, after.encode())]
    return "\n".join([*head, ""]).encode() + b"".join(hunks) if hunks else b""

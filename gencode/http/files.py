"""The files of a task: listed, read one by one, or all in one archive.

What is served was written by a model, and may be hostile: it is plain text or an archive to a browser, and
never a page of our own origin. Paths in addresses are looked up, never opened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from gencode.codegen.secrets_scan import paths_with_own_secrets
from gencode.domain.errors import NotFound, SecretFound
from gencode.domain.task import Task
from gencode.http.checkpoint_reading import read_checkpoints
from gencode.http.operation import operation
from gencode.http.responses import Header, JsonResponseSpec, ResponseSpec
from gencode.http.services import Services, get_services, own_task
from gencode.http.traits import DISPOSITION, IF_NONE_MATCH, OWN_TASK
from gencode.http.views import FileList, FileView
from gencode.pipelines.generate.files import Files, FileState
from gencode.pipelines.generate.files import archive as make_archive
from gencode.pipelines.generate.files import files as make_files

T = TypeVar("T")
_HARMLESS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "private, no-cache",
}
"""No page, whatever a browser thinks of it; kept by the client only, and asked for again by its ETag."""

ETAG = Header(name="ETag", description="Of these bytes")
LISTED = JsonResponseSpec(model=FileList, description="As of now")
TEXT = ResponseSpec(description="Its text", media_type="text/plain", headers=(ETAG, DISPOSITION))
ARCHIVE = ResponseSpec(
    description="The whole files, in one folder; the name says .partial while others are missing",
    media_type="application/zip",
    headers=(ETAG, DISPOSITION),
)
UNCHANGED = ResponseSpec(status=304, description="The client has it", headers=(ETAG,))


@operation(
    "listFiles", "GET /task/{task_id}/files", "The files of a task", traits=(OWN_TASK,), responses=(LISTED,)
)
async def listing(request: Request) -> Response:
    return LISTED.make(await list_files(get_services(request), await own_task(request)))


@operation(
    "readFile",
    "GET /task/{task_id}/files/{path:path}",
    "A file that is whole",
    traits=(OWN_TASK,),
    parameters=(IF_NONE_MATCH,),
    responses=(TEXT, UNCHANGED),
    errors=(SecretFound,),
)
async def show(request: Request) -> Response:
    """404 until the file is whole; 422 when it holds a secret of ours."""
    task = await own_task(request)
    return (await _show(get_services(request), task, request.path_params["path"])).response(request)


@operation(
    "archiveFiles",
    "GET /task/{task_id}/archive.zip",
    "All whole files",
    traits=(OWN_TASK,),
    parameters=(IF_NONE_MATCH,),
    responses=(ARCHIVE, UNCHANGED),
    errors=(SecretFound,),
)
async def archive(request: Request) -> Response:
    """Of what is whole by now."""
    services, task = get_services(request), await own_task(request)
    return (await _folded(services, task, partial(_pack, task, services.secrets.current()))).response(request)


async def list_files(services: Services, task: Task) -> FileList:
    return await _folded(
        services, task, partial(_list, task.id, services.progress_registry.active_calls(task.id))
    )


async def read_file(services: Services, task: Task, path: str) -> bytes:
    """UTF-8. Raises NotFound, SecretFound."""
    return (await _show(services, task, path)).data


async def _show(services: Services, task: Task, path: str) -> _Download:
    return await _folded(services, task, partial(_read, path, services.secrets.current()))


async def _folded(services: Services, task: Task, make: Callable[[Files], T]) -> T:
    return await read_checkpoints(services, task.id, lambda checkpoints: make(make_files(checkpoints)))


# --- in the thread ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class _Download:
    data: bytes
    media: str
    disposition: str
    etag: str

    def response(self, request: Request) -> Response:
        headers = {**_HARMLESS, "ETag": self.etag}
        if _has(IF_NONE_MATCH.read(request), self.etag):
            return Response(status_code=304, headers=headers)
        headers["Content-Disposition"] = self.disposition
        return Response(self.data, headers=headers, media_type=self.media)


def _list(task_id: str, begun: Collection[str], files: Files) -> FileList:
    """`begun`: what the model is writing now, of which nothing may be kept yet."""
    views = [
        FileView(
            path=path,
            bytes=len(file.text.encode()),
            state=FileState.WRITING if file.state is FileState.PLANNED and path in begun else file.state,
            purpose=file.purpose,
        )
        for path, file in files.by_path.items()
    ]
    return FileList(task_id=task_id, complete=files.complete, files=views)


def _read(path: str, secrets: Sequence[str], files: Files) -> _Download:
    if not (file := files.by_path.get(path)):
        raise NotFound("this task has no such file, or not yet: GET .../files lists those that it has")
    if not file.state.is_whole:
        raise NotFound(f"this file is {file.state}: it can be read once it is whole")
    _refuse_secrets({path: file.text}, secrets)
    disposition = _disposition("inline", path.rpartition("/")[2])
    return _download(file.text.encode(), "text/plain; charset=utf-8", disposition)


def _pack(task: Task, secrets: Sequence[str], files: Files) -> _Download:
    if not (whole := files.whole()):
        raise NotFound("no file of this task is whole yet")
    _refuse_secrets(whole, secrets)
    name = str(task.parameters["repo_name"])
    disposition = _disposition("attachment", f"{name}.zip" if files.complete else f"{name}.partial.zip")
    return _download(make_archive(whole, name, task.created_at), "application/zip", disposition)


def _refuse_secrets(files: Mapping[str, str], own: Sequence[str]) -> None:
    """A model may have echoed one of ours, and the look for secrets comes only before the push."""
    if found := paths_with_own_secrets(files, own):
        more = f" (and {len(found) - 1} more files)" if len(found) > 1 else ""
        raise SecretFound(f"{found[0][:200]!r}{more} holds a secret of this service, which is never served")


def _download(data: bytes, media: str, disposition: str) -> _Download:
    etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    return _Download(data=data, media=media, disposition=disposition, etag=etag)


def _disposition(how: str, name: str) -> str:
    """RFC 6266: percent-encoded, so that no name can write a header of its own."""
    return f"{how}; filename*=utf-8''{quote(name, safe='')}"


def _has(known: str, etag: str) -> bool:
    """RFC 9110, 13.1.2: compared weakly."""
    return known.strip() == "*" or etag in [one.strip().removeprefix("W/") for one in known.split(",")]

"""The files of a task: listed, read one by one, or all in one archive.

A model wrote them, and they may be hostile: a browser gets plain text or an archive, never a page of this
origin. Paths in URLs are looked up, never opened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from gencode.codegen.secrets_scan import paths_with_own_secrets
from gencode.domain.errors import NotFound, SecretFound
from gencode.domain.phrase import Phrase
from gencode.domain.principal import Principal
from gencode.domain.task import Task
from gencode.http.byte_range import ACCEPT_RANGES, BYTE_RANGES, CONTENT_RANGE, ranged_response
from gencode.http.common_declarations import DISPOSITION, IF_NONE_MATCH, OWN_TASK
from gencode.http.dependencies import get_extension, get_principal, read_own_task
from gencode.http.downloads import GENERATED_CONTENT
from gencode.http.operation import operation
from gencode.http.response_specs import Header, JsonResponseSpec, ResponseSpec
from gencode.pipelines.generate.api.services import GenerateServices, check_kind, own_generate_task
from gencode.pipelines.generate.api.views import FileList, FileView
from gencode.pipelines.generate.task_files import Files, FileState
from gencode.pipelines.generate.task_files import archive as make_archive
from gencode.pipelines.generate.task_files import files as make_files

T = TypeVar("T")

ETAG = Header(name="ETag", description="Of these bytes")
FILE_LIST = JsonResponseSpec(model=FileList, description="As of now")
DOWNLOAD_HEADERS = (ETAG, DISPOSITION, ACCEPT_RANGES)
TEXT = ResponseSpec(description="Its text", media_type="text/plain", headers=DOWNLOAD_HEADERS)
ARCHIVE = ResponseSpec(
    description="The whole files, in one folder; the name says .partial while others are missing",
    media_type="application/zip",
    schema={"type": "string", "format": "binary"},
    headers=DOWNLOAD_HEADERS,
)
TEXT_PART = replace(TEXT, status=206, description="The range", headers=(*DOWNLOAD_HEADERS, CONTENT_RANGE))
ARCHIVE_PART = replace(ARCHIVE, status=206, description="The range", headers=TEXT_PART.headers)
NOT_MODIFIED = ResponseSpec(status=304, description="The client has it", headers=(ETAG,))


@operation(
    "archiveFiles",
    "GET /task/{task_id}/archive.zip",
    "All whole files",
    traits=(OWN_TASK, BYTE_RANGES),
    parameters=(IF_NONE_MATCH,),
    responses=(ARCHIVE, ARCHIVE_PART, NOT_MODIFIED),
    errors=(SecretFound,),
)
async def get_archive(request: Request) -> Response:
    """An archive of the files that are complete now."""
    services, task = get_extension(request, GenerateServices), await own_generate_task(request)
    make = partial(_archive, task, services.secrets.current())
    download = await services.checkpoint_reader.export(task, lambda found: make(make_files(found)))
    return download.response(request)


@operation(
    "listFiles",
    "GET /task/{task_id}/files",
    "The files of a task",
    traits=(OWN_TASK,),
    responses=(FILE_LIST,),
)
async def get_file_list(request: Request) -> Response:
    services, principal = get_extension(request, GenerateServices), get_principal(request)
    return FILE_LIST.make(await list_files(services, principal, request.path_params["task_id"]))


@operation(
    "readFile",
    "GET /task/{task_id}/files/{path:path}",
    "A file that is whole",
    traits=(OWN_TASK, BYTE_RANGES),
    parameters=(IF_NONE_MATCH,),
    responses=(TEXT, TEXT_PART, NOT_MODIFIED),
    errors=(SecretFound,),
)
async def get_file(request: Request) -> Response:
    """404 until the file is whole; 422 when it contains a secret of this service."""
    services, task_id = get_extension(request, GenerateServices), request.path_params["task_id"]
    download = await _read_file(services, get_principal(request), task_id, request.path_params["path"])
    return download.response(request)


async def list_files(services: GenerateServices, principal: Principal, task_id: str) -> FileList:
    """Raises NotFound."""
    active = services.progress_registry.active_calls(task_id)
    return await _read(services, principal, task_id, partial(_file_list, active))


async def read_file(services: GenerateServices, principal: Principal, task_id: str, path: str) -> bytes:
    """UTF-8. Raises NotFound, SecretFound."""
    return (await _read_file(services, principal, task_id, path)).data


async def _read_file(services: GenerateServices, principal: Principal, task_id: str, path: str) -> _Download:
    return await _read(services, principal, task_id, partial(_file, path, services.secrets.current()))


async def _read(
    services: GenerateServices, principal: Principal, task_id: str, make: Callable[[Task, Files], T]
) -> T:
    return await read_own_task(
        services.store,
        services.checkpoint_reader,
        principal,
        task_id,
        check_kind,
        lambda task, checkpoints: make(task, make_files(checkpoints)),
    )


# --- called in a thread -----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class _Download:
    data: bytes
    media_type: str
    disposition: str
    etag: str

    def response(self, request: Request) -> Response:
        headers = {**GENERATED_CONTENT, "ETag": self.etag}
        if _matches(IF_NONE_MATCH.read(request), self.etag):
            return Response(status_code=304, headers=headers)
        headers["Content-Disposition"] = self.disposition
        return ranged_response(request, self.data, self.etag, headers, self.media_type)


def _file_list(active: Collection[str], task: Task, files: Files) -> FileList:
    """`active`: paths that the model is writing now, of which nothing may be stored yet."""
    views = [
        FileView(
            path=path,
            bytes=len(file.text.encode()),
            state=FileState.WRITING if file.state is FileState.PLANNED and path in active else file.state,
            purpose=file.purpose,
        )
        for path, file in files.by_path.items()
    ]
    return FileList(task_id=task.id, complete=files.complete, files=views)


def _file(path: str, secrets: Sequence[str], _task: Task, files: Files) -> _Download:
    if not (file := files.by_path.get(path)):
        raise NotFound("this task has no such file, or not yet: GET .../files lists those that it has")
    if not file.state.is_whole:
        raise NotFound(Phrase("this file is {state}: it can be read once it is whole", state=file.state))
    _check_secrets({path: file.text}, secrets)
    disposition = _disposition("inline", path.rpartition("/")[2])
    return _download(file.text.encode(), "text/plain; charset=utf-8", disposition)


def _archive(task: Task, secrets: Sequence[str], files: Files) -> _Download:
    if not (whole := files.whole()):
        raise NotFound("no file of this task is whole yet")
    _check_secrets(whole, secrets)
    name = str(task.parameters.get("repo_name"))
    disposition = _disposition("attachment", f"{name}.zip" if files.complete else f"{name}.partial.zip")
    return _download(make_archive(whole, name, task.created_at), "application/zip", disposition)


def _check_secrets(files: Mapping[str, str], own: Sequence[str]) -> None:
    """Raises SecretFound. A model may have repeated a secret, and the secrets scan runs only before the
    push."""
    if found := paths_with_own_secrets(files, own):
        more = Phrase(" (and {count} more files)", count=len(found) - 1) if len(found) > 1 else ""
        raise SecretFound(
            Phrase(
                "{found!r}{more} holds a secret of this service, which is never served",
                found=found[0][:200],
                more=more,
            )
        )


def _download(data: bytes, media_type: str, disposition: str) -> _Download:
    etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    return _Download(data=data, media_type=media_type, disposition=disposition, etag=etag)


def _disposition(how: str, name: str) -> str:
    """RFC 6266: percent-encoded, so that no name can write a header of its own."""
    return f"{how}; filename*=utf-8''{quote(name, safe='')}"


def _matches(if_none_match: str, etag: str) -> bool:
    """RFC 9110, 13.1.2: compared weakly."""
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return if_none_match.strip() == "*" or etag in tags

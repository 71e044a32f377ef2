"""Receives and reads uploaded files."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar
from uuid import uuid4

import anyio
import anyio.to_thread
from pydantic import BaseModel
from sqlalchemy import select
from starlette.requests import Request

from gencode.domain.errors import Invalid, NotFound
from gencode.http.file_body import FILE, FileBody
from gencode.http.per_client_semaphore import PerClientSemaphore
from gencode.workspace.database import Database
from gencode.workspace.uploads.names import MEDIA_TYPES, check_extension, extension_of, safe_name
from gencode.workspace.uploads.table import Upload

M = TypeVar("M", bound=BaseModel)
AT_ONCE_OF_CLIENT = 2
"""Files of a principal that are received at the same time; each may be on the disk meanwhile."""
IN_MEMORY = 4
"""Files that are in memory at the same time, to be stored."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UploadRules:
    """max_bytes   of a file
    extensions  that names of files may have, such as ".md"
    """

    max_bytes: int = 10 * 2**20
    extensions: Sequence[str] = field(default_factory=lambda: tuple(MEDIA_TYPES))


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceivedUpload(Generic[M]):
    """`row`: not stored yet. `fields`: the other fields of the form."""

    row: Upload
    fields: M


class Uploads:
    def __init__(self, database: Database, rules: UploadRules) -> None:
        self.rules = rules
        self._database = database
        self._receiving = PerClientSemaphore(AT_ONCE_OF_CLIENT)
        self._in_memory = anyio.Semaphore(IN_MEMORY)

    @asynccontextmanager
    async def receive(
        self, request: Request, body: FileBody[M], owner: str
    ) -> AsyncIterator[ReceivedUpload[M]]:
        """The file of the request's form; to be stored before the block ends. Raises the errors of
        FileBody.receive, and Invalid for a file that is empty or has another extension."""
        check_name = partial(check_extension, allowed=self.rules.extensions)
        async with (
            self._receiving.hold(owner),
            body.receive(request, self.rules.max_bytes, check_name) as form,
        ):
            if not form.file.size:
                raise Invalid.of(FILE, "empty", "the file is empty")
            async with self._in_memory:
                row = await _row(form.file.name, await form.file.content.read(), owner)
                yield ReceivedUpload(row=row, fields=form.fields)

    async def read(self, upload_id: str, owner: str) -> bytes:
        """The data of a file. Raises NotFound."""
        data = select(Upload.data).where(Upload.id == upload_id, Upload.owner == owner)
        async with self._database.transaction() as session:
            found = await session.scalar(data)
        if found is None:
            raise NotFound("there is no such file any more: upload it again")
        return found


async def _row(name: str, data: bytes, owner: str) -> Upload:
    safe = safe_name(name)
    digest = await anyio.to_thread.run_sync(hashlib.sha256, data)
    return Upload(
        id=str(uuid4()),
        owner=owner,
        name=safe,
        media_type=MEDIA_TYPES[extension_of(safe)],
        size=len(data),
        sha256=digest.hexdigest(),
        data=data,
    )

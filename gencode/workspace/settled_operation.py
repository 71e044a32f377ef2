"""An operation that reads rows whose tasks may have ended without telling them."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from gencode.http.dependencies import get_extension, get_principal, get_services
from gencode.http.operation import Operation
from gencode.workspace.task_rows import TaskRows
from gencode.workspace.workspace import Workspace


def settled(operation: Operation, rows: TaskRows) -> Operation:
    """The operation, which first ends the rows of its caller whose tasks are over."""

    async def settle_and_call(request: Request) -> Response:
        database, tasks = get_extension(request, Workspace).database, get_services(request).store
        await rows.settle(database, tasks, rows.owned(get_principal(request).id))
        return await operation.endpoint(request)

    return replace(operation, endpoint=settle_and_call)

from __future__ import annotations

import pytest
from starlette.types import Receive, Scope, Send

from gencode.http.root_path import RootPathMiddleware


@pytest.mark.parametrize(
    ("requested", "path"),
    [
        ("/", "/gen/"),
        ("/api/v1/tasks", "/gen/api/v1/tasks"),
        ("/gen/api/v1/tasks", "/gen/api/v1/tasks"),
        ("/gen", "/gen"),
        ("/gencode", "/gen/gencode"),
    ],
)
async def test_the_path_has_the_root_path_whether_a_proxy_removes_it_or_not(
    requested: str, path: str
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert (scope["path"], scope["root_path"]) == (path, "/gen")

    async def nothing() -> None: ...

    scope = {"type": "http", "path": requested, "root_path": ""}
    await RootPathMiddleware(app, "/gen")(scope, nothing, nothing)  # type: ignore[arg-type]  # neither is called

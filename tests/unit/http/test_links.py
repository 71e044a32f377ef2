from __future__ import annotations

import pytest
from starlette.types import Receive, Scope, Send

from gencode.http.links import UnderPath


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        ("/", "/gen/"),
        ("/api/v1/tasks", "/gen/api/v1/tasks"),
        ("/gen/api/v1/tasks", "/gen/api/v1/tasks"),
        ("/gen", "/gen"),
        ("/gencode", "/gen/gencode"),
    ],
)
async def test_the_path_is_there_whether_a_proxy_cut_it_off_or_not(asked: str, seen: str) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert (scope["path"], scope["root_path"]) == (seen, "/gen")

    async def nothing() -> None: ...

    scope = {"type": "http", "path": asked, "root_path": ""}
    await UnderPath(app, "/gen")(scope, nothing, nothing)  # type: ignore[arg-type]  # neither is called

"""An application that is imported for its first request."""

from __future__ import annotations

import sys
from pathlib import Path

import anyio
import httpx
import pytest

from gencode.embedded.lazy_app import LazyApp

MODULE = """
from starlette.responses import PlainTextResponse

made = []

def make_app(word):
    made.append(word)
    return PlainTextResponse(word)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = "module_of_a_lazy_app"
    (tmp_path / f"{name}.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, name, raising=False)
    return name


async def test_it_is_imported_for_the_first_request_and_made_once(module: str) -> None:
    app = LazyApp(module, "make_app", "hello")
    assert module not in sys.modules
    async with (
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://a") as client,
        anyio.create_task_group() as group,
    ):

        async def get() -> None:
            assert (await client.get("/")).text == "hello"

        for _ in range(5):
            group.start_soon(get)
    assert sys.modules.pop(module).made == ["hello"]

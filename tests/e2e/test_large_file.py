"""A file of 3,000 lines from a model whose answers end after 8,192 tokens, with kill -9 in its middle."""

from __future__ import annotations

from pathlib import Path

import anyio

from gencode.client import Client
from tests.e2e.cloning import cloned
from tests.servers.model import Body, Reply, model_server, text
from tests.servers.service import environment, service
from tests.servers.stream import events
from tests.unit.codegen.test_multipart_file_generator import PARTS, WHOLE, ScriptedModel, nth


async def test_it_is_complete_and_no_chunk_is_requested_twice(tmp_path: Path) -> None:
    asked, gate = anyio.Event(), anyio.Event()
    author = ScriptedModel(part4=text(nth(4), gate=gate, size=5000))

    def script(body: Body) -> Reply:
        reply = author(body)
        if author.asked[-1:] == ["part 4"]:
            asked.set()
        return reply

    async with (
        model_server(script) as model,
        service(tmp_path, environment(model)) as process,
    ):
        async with Client(process.url) as client:
            task_id = (await client.submit("something large", "large"))["task_id"]
        await asked.wait()
        await process.kill()
        gate.set()
        await process.start()
        heard = await events(process.url, task_id)
        assert heard[-1].data["status"] == "completed"
        clone = await cloned(heard[-1].data["repo_url"], tmp_path / "clone")
        assert (clone / "big.py").read_text(encoding="utf-8") == WHOLE
    assert sorted(author.asked) == sorted(["outline", *(f"part {n}" for n in range(1, PARTS + 1)), "part 4"])
    assert [event.data["part"] for event in heard if event.kind == "part"] == list(range(1, PARTS + 1))

"""`gencode chat` as people and scripts use it, in processes of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from gencode.llm.port import Usage
from tests.servers.command import run_gencode
from tests.servers.conversations import pieces
from tests.servers.model import Script, model_server, stream, text
from tests.servers.service import ROOT, running_app, settings

pytestmark = [
    pytest.mark.one_process("the settings of several processes have no workspace yet"),
    pytest.mark.campaign,
]


@asynccontextmanager
async def serving(folder: Path, script: Script) -> AsyncIterator[str]:
    async with (
        model_server(script) as model,
        running_app(settings(folder, model, workspace=True, default_model="scripted")) as app,
    ):
        yield app.url


async def chat(folder: Path, url: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    done = await run_gencode(["chat", "--url", url, *arguments], {}, folder)
    assert done.returncode == 0, done.stderr.decode()
    return done


async def test_a_question_is_answered_and_the_conversation_goes_on(tmp_path: Path) -> None:
    script = lambda body: text(f"Answer {len(body['messages'])}.", usage=Usage(prompt=9, completion=4))  # noqa: E731
    async with serving(tmp_path, script) as url:
        done = await chat(tmp_path, url, "One?")
        assert done.stdout.decode() == "Answer 2.\n"
        told = done.stderr.decode()
        assert "complete: 13 tokens" in told
        conversation = told.split()[-1]
        done = await chat(tmp_path, url, "--message", "Two?", "--conversation", conversation, "--json")
        message: dict[str, Any] = json.loads(done.stdout)
        assert (message["content"], message["conversation_id"]) == ("Answer 4.", conversation)
        listed = await chat(tmp_path, url, "--list")
        assert f"{conversation}     4 messages  One?" in listed.stdout.decode()


async def test_messages_are_read_from_the_input(tmp_path: Path) -> None:
    async with serving(tmp_path, lambda body: text(f"Answer {len(body['messages'])}.")) as url:
        done = await anyio.run_process(
            [sys.executable, "-m", "gencode", "chat", "--url", url],
            input=b"One?\n\nTwo?\n",
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            cwd=tmp_path,
        )
        assert done.stdout.decode() == "Answer 2.\nAnswer 4.\n"


async def test_an_interrupt_stops_the_answer_and_says_what_it_cost(tmp_path: Path) -> None:
    part, forever = "A beginning that is kept. " * 10, anyio.Event()
    async with serving(tmp_path, lambda body: stream(*pieces(part), forever)) as url:
        process = await anyio.open_process(
            [sys.executable, "-m", "gencode", "chat", "--url", url, "--message", "Why?"],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            cwd=tmp_path,
        )
        async with process:
            assert process.stdout
            assert process.stderr
            output = await process.stdout.receive()
            process.send_signal(signal.SIGINT)
            output += b"".join([more async for more in process.stdout])
            told = b"".join([more async for more in process.stderr]).decode()
        assert part.startswith(output.decode().rstrip("\n"))
        assert "stopped: about " in told
        assert process.returncode == 0

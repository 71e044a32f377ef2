"""Rows 141-142: answers of a model that are longer than anything that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gencode.codegen.answer_checks import MAX_LINES
from gencode.codegen.code_fences import MAX_FENCES
from gencode.codegen.plan_parser import MAX_ANSWER
from gencode.llm.port import MAX_TEXT
from tests.servers.calls import submit
from tests.servers.model import Body, Reply, call_of, chunk, json_answer, model_server, sse, text
from tests.servers.service import running_app, settings
from tests.servers.stream import events

PIECE = 16 * 1024
PLAN = '{"files": [{"path": "a.py", "lines": 10}]}'


def endless(begin: str, piece: str) -> Callable[[], Reply]:
    """A stream that only its reader ends."""

    def parts() -> Iterator[bytes]:
        yield sse(chunk({"content": begin}))
        event = sse(chunk({"content": piece * (PIECE // len(piece))}))
        while True:
            yield event

    return lambda: Reply(parts=parts())


def streamed(answer: str) -> Callable[[], Reply]:
    return lambda: text(answer, size=PIECE)


async def outcome(tmp_path: Path, purpose: str, reply: Callable[[], Reply]) -> tuple[str, str, int]:
    """Code and message of the task's error, and the calls of this purpose."""

    def script(body: Body) -> Reply:
        return reply() if call_of(body)[0] == purpose else text(PLAN)

    async with (
        model_server(script) as model,
        running_app(settings(tmp_path, model)) as app,
    ):
        task = await submit(app.url)
        log = await events(app.url, task)
        last = log[-1]
        charged = [event.data["tokens"]["completion"] for event in log if event.kind == "usage"]
        assert charged[-1] > 0, "what was received is charged"
        calls = [seen for seen in model.requests if seen.call[0] == purpose]
        return last.data["code"], last.data["message"], len(calls)


@pytest.mark.fault(141)
@pytest.mark.parametrize(
    ("purpose", "reply", "limit"),
    [
        ("plan", endless("", '{"files": [{"path": "a.py"'), f"{MAX_ANSWER} characters"),
        ("plan", endless('{"summary": "', "more "), f"{MAX_ANSWER} characters"),
        ("plan", endless("Okay, I think. ", "So. "), f"{MAX_ANSWER} characters"),
        ("plan", lambda: json_answer("[" * (MAX_ANSWER + 1)), f"{MAX_ANSWER} characters"),
        ("file", endless("", "x = 1; "), f"{MAX_TEXT} characters"),
        ("file", streamed("\n" * (MAX_LINES + 1) + "x = 1\n"), f"{MAX_LINES} lines"),
    ],
)
async def test_an_answer_is_left_at_its_limit(
    tmp_path: Path, purpose: str, reply: Callable[[], Reply], limit: str
) -> None:
    code, message, calls = await outcome(tmp_path, purpose, reply)
    assert (code, calls) == ("LLM_TOO_LARGE", 1)
    assert limit in message


@pytest.mark.fault(142)
async def test_a_file_of_very_many_fences_is_asked_for_again(tmp_path: Path) -> None:
    code, message, calls = await outcome(tmp_path, "file", streamed("~~~\n" * (MAX_FENCES + 1)))
    assert (code, calls) == ("LLM_BAD_OUTPUT", 3)
    assert f"more than {MAX_FENCES} code fences" in message

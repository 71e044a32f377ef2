"""A request leaves only while its permission is recent."""

from __future__ import annotations

import httpx
import pytest

from gencode.domain.errors import Conflict
from gencode.llm.http_client import BEFORE_SEND, model_client
from gencode.llm.send_permission import MAX_AGE, MAX_QUESTIONS, SendPermission
from tests.servers.model import model_server, text


class Question:
    """Each answer takes the next of these seconds; then they take none."""

    def __init__(self, *seconds: float) -> None:
        self.now = 100.0
        self.asked = 0
        self._seconds = list(seconds)

    async def __call__(self) -> None:
        self.asked += 1
        self.now += self._seconds.pop(0) if self._seconds else 0.0


@pytest.mark.parametrize(
    ("seconds", "asked"),
    [([], 1), ([MAX_AGE], 1), ([MAX_AGE * 2], 2), ([MAX_AGE * 2] * 9, MAX_QUESTIONS)],
)
async def test_an_answer_that_took_long_is_asked_for_again(seconds: list[float], asked: int) -> None:
    question = Question(*seconds)
    await SendPermission(question, lambda: question.now).check()
    assert question.asked == asked


@pytest.mark.parametrize(("later", "asked"), [(0.0, 1), (MAX_AGE, 1), (MAX_AGE * 2, 2)])
async def test_an_old_permission_is_asked_for_again(later: float, asked: int) -> None:
    question = Question()
    permission = SendPermission(question, lambda: question.now)
    await permission.check()
    question.now += later
    await permission.check()
    assert question.asked == asked


async def test_nothing_is_sent_over_a_new_or_a_used_connection_without_permission() -> None:
    async def refuse() -> None:
        raise Conflict("another worker has the task")

    async with model_server(text("hello")) as model, model_client() as client:
        request = ("POST", f"{model.base_url}/chat")
        for _ in range(2):
            refused = client.build_request(*request, json={"messages": []}, extensions={BEFORE_SEND: refuse})
            with pytest.raises(Conflict):
                await client.send(refused)
            sent = len(model.requests)
            allowed = await client.send(httpx.Request(*request, json={"messages": []}))
            assert (allowed.status_code, len(model.requests)) == (200, sent + 1)
        assert len(model.requests) == 2

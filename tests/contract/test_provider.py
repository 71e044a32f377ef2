"""The Provider port, for a scripted model with and without native prefix, the embedded one, and Claude."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import replace

import anyio
import httpx
import pytest

from gencode.codegen.plan import Plan
from gencode.codegen.plan_parser import parse_plan
from gencode.codegen.prompts import file_messages, plan_messages
from gencode.domain.errors import Invalid
from gencode.embedded.offline.app import offline_model_app
from gencode.embedded.server import address, listen, serve
from gencode.llm.errors import LLMBadRequest
from gencode.llm.openai.quirks import Quirks
from gencode.llm.port import ChatRequest, Provider, Providers
from gencode.llm.provider_catalog import ProviderConfig, ProviderFactory, catalog, offline
from gencode.observability.metrics import Metrics
from tests.servers.claude import claude
from tests.servers.model import Body, Reply, model_server, plan_and_files
from tests.servers.model_client import collect

PROMPT = "A small Flask web application with a page that says hello."
FILES = {"app.py": "print('你好')\n" * 40, "README.md": "# Hello\n\n```\nrun it\n```\n" * 20}
PLAN = ChatRequest(messages=plan_messages(PROMPT, 8192), max_tokens=8000, json=True)

Opened = Callable[[], AbstractAsyncContextManager[Providers]]


def _script(body: Body) -> Reply:
    """Truncates at the limit of the request, at four characters a token."""
    return plan_and_files(FILES, cut_at=4 * body["max_tokens"])(body)


@asynccontextmanager
async def _scripted(quirks: Quirks) -> AsyncIterator[Providers]:
    async with model_server(_script) as server, httpx.AsyncClient(trust_env=False) as client:
        config = ProviderConfig(name="offline", base_url=server.base_url, model="offline", quirks=quirks)
        yield catalog([config], "offline", ProviderFactory(client=client, metrics=Metrics()))


@asynccontextmanager
async def _native() -> AsyncIterator[Providers]:
    async with _scripted(Quirks(prefix="deepseek")) as providers:
        yield providers


@asynccontextmanager
async def _instructed() -> AsyncIterator[Providers]:
    async with _scripted(Quirks(prefix="none")) as providers:
        yield providers


@asynccontextmanager
async def _embedded() -> AsyncIterator[Providers]:
    sock = listen()
    async with serve(offline_model_app(), sock), httpx.AsyncClient(trust_env=False) as client:
        yield catalog(
            [offline(address(sock), concurrency=2)],
            "offline",
            ProviderFactory(client=client, metrics=Metrics()),
        )


@asynccontextmanager
async def _claude() -> AsyncIterator[Providers]:
    async with model_server(claude(_script)) as server, httpx.AsyncClient(trust_env=False) as client:
        config = ProviderConfig(name="offline", base_url=server.base_url, model="offline", api="anthropic")
        yield catalog([config], "offline", ProviderFactory(client=client, metrics=Metrics()))


@pytest.fixture(params=[_native, _instructed, _embedded, _claude])
def opened(request: pytest.FixtureRequest) -> Opened:
    made: Opened = request.param
    return made


async def test_a_complete_answer_ends_with_stop_and_reports_its_usage(opened: Opened) -> None:
    async with opened() as providers:
        answer = await collect(providers("offline"), PLAN)
    assert answer.finish == "stop"
    assert answer.chunks[-1].finish_reason == "stop"
    assert answer.usage
    assert answer.usage.prompt > 0
    assert answer.usage.completion > 0
    assert parse_plan(answer.text).files


async def test_a_truncated_answer_is_continued_exactly_from_its_prefix(opened: Opened) -> None:
    async with opened() as providers:
        provider = providers("offline")
        plan = parse_plan((await collect(provider, PLAN)).text)
        whole = await _write(provider, plan, max_tokens=8000)
        pieces = await _write(provider, plan, max_tokens=20)
    assert len(whole) == 1
    assert len(pieces) > 1
    assert "".join(pieces) == whole[0]


async def test_stopping_early_releases_the_slot(opened: Opened) -> None:
    async with opened() as providers:
        for _ in range(20):  # more often than any of them has slots
            async with aclosing(providers("offline").stream(PLAN)) as chunks:
                await anext(chunks)
        assert (await collect(providers("offline"), PLAN)).finish == "stop"


async def test_calls_may_be_concurrent(opened: Opened) -> None:
    answers: list[str] = []

    async def ask(provider: Provider) -> None:
        answers.append((await collect(provider, PLAN)).text)

    async with opened() as providers, anyio.create_task_group() as tg:
        for _ in range(20):
            tg.start_soon(ask, providers("offline"))
    assert len(answers) == 20
    assert len(set(answers)) == 1


async def test_the_name_of_a_provider_includes_its_model(opened: Opened) -> None:
    async with opened() as providers:
        assert providers("").name == providers("offline").name == "offline/offline"
        assert providers("offline/other/model").name == "offline/other/model"


async def test_a_name_that_is_not_configured_is_invalid(opened: Opened) -> None:
    async with opened() as providers:
        with pytest.raises(Invalid, match="offline") as caught:
            providers("nobody")
    assert caught.value.problems[0]["field"] == "model"


async def test_a_model_that_the_server_does_not_have_is_a_bad_request() -> None:
    async with _embedded() as providers:
        with pytest.raises(LLMBadRequest, match="no such model"):
            await collect(providers("offline/other"), PLAN)


async def _write(provider: Provider, plan: Plan, max_tokens: int) -> list[str]:
    """The answers for a file that every plan has."""
    file = next(file for file in plan.files if file.path == "README.md")
    request = ChatRequest(messages=file_messages(PROMPT, plan, file, {}), max_tokens=max_tokens)
    pieces: list[str] = []
    finish: str | None = "length"
    while finish == "length":
        answer = await collect(provider, replace(request, prefix="".join(pieces)))
        pieces.append(answer.text)
        finish = answer.finish
    return pieces

"""Results for the responses of a model API to its key."""

from __future__ import annotations

import json

import pytest
from starlette.responses import JSONResponse, Response

from gencode.bootstrap.doctor.check_result import CheckResult
from gencode.bootstrap.doctor.model_checks import check_model
from gencode.githosts.http_client import http_client
from gencode.llm.provider_catalog import provider_config
from tests.servers.fixed_reply import fixed_reply_server
from tests.servers.ports import closed_port

KEY = "key-a1B2c3D4"
LIST = JSONResponse({"data": [{"id": "m"}, {"id": "n"}]})


async def check(answer: Response, *, paid: bool = False, name: str = "m") -> CheckResult:
    async with fixed_reply_server(answer) as (url, seen), http_client() as client:
        config = provider_config("it", base_url=f"{url}/v1", model=name, api_key=KEY)
        found = await check_model(config, client, paid=paid)
        (request,) = seen
        assert request.headers["authorization"] == f"Bearer {KEY}"
        assert request.url.path == ("/v1/chat/completions" if paid else "/v1/models")
    assert KEY not in str(found)
    return found


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (LIST, "ok", "costs nothing"),
        (JSONResponse({"data": [{"id": "other"}]}), "note", "not in the list"),
        (JSONResponse({"error": {"message": f"wrong key {KEY}"}}, 401), "fault", "refused"),
        (JSONResponse({}, 402), "fault", "empty"),
        (JSONResponse({"error": "slow"}, 429), "note", "too often"),
        (Response("no", 404), "note", "for free"),
        (Response("no", 500), "note", "500"),
        (Response("no", 418), "fault", "418"),
        (Response("<html>"), "note", "cannot be read"),
        (JSONResponse({"data": "x"}), "note", "cannot be read"),
    ],
)
async def test_each_response_gets_its_own_result(answer: Response, state: str, words: str) -> None:
    found = await check(answer)
    assert found.state == state
    assert words in found.message
    assert found.advice or state == "ok"


async def test_a_paid_check_requests_one_token() -> None:
    found = await check(JSONResponse({"choices": []}), paid=True)
    assert found.state == "ok"
    assert "one token" in found.message
    assert (await check(Response("", 404), paid=True)).state == "fault"


async def test_an_unreachable_api_is_a_fault() -> None:
    config = provider_config("it", base_url=f"http://127.0.0.1:{closed_port()}", model="m", api_key=KEY)
    async with http_client() as client:
        found = await check_model(config, client, paid=False)
    assert found.state == "fault"
    assert json.dumps(found.message)

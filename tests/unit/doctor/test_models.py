"""What a model API's answer says of a key."""

from __future__ import annotations

import json

import pytest
from starlette.responses import JSONResponse, Response

from gencode.doctor.finding import Finding
from gencode.doctor.models import model
from gencode.githosts.http_client import http_client
from gencode.llm.catalog import configured
from tests.servers.peer import closed_port
from tests.unit.doctor.answering import answering

KEY = "key-a1B2c3D4"
LIST = JSONResponse({"data": [{"id": "m"}, {"id": "n"}]})


async def looked_at(answer: Response, *, paid: bool = False, name: str = "m") -> Finding:
    async with answering(answer) as (url, seen), http_client() as client:
        config = configured("it", base_url=f"{url}/v1", model=name, api_key=KEY)
        found = await model(config, client, paid=paid)
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
async def test_each_answer_is_told_apart(answer: Response, state: str, words: str) -> None:
    found = await looked_at(answer)
    assert found.state == state
    assert words in found.message
    assert found.advice or state == "ok"


async def test_on_wish_the_model_itself_is_asked_for_one_token() -> None:
    found = await looked_at(JSONResponse({"choices": []}), paid=True)
    assert found.state == "ok"
    assert "one token" in found.message
    assert (await looked_at(Response("", 404), paid=True)).state == "fault"


async def test_an_api_that_is_not_there_is_told() -> None:
    config = configured("it", base_url=f"http://127.0.0.1:{closed_port()}", model="m", api_key=KEY)
    async with http_client() as client:
        found = await model(config, client, paid=False)
    assert found.state == "fault"
    assert json.dumps(found.message)

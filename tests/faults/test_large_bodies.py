"""Large bodies, and estimates, which read bodies without storing anything."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr

from gencode.mcp.runtime import MCPRuntime
from tests.faults.test_input import check_problem
from tests.servers.calls import client
from tests.servers.service import running_app, settings
from tests.unit.http.test_strict_json import HOSTILE

JSON = {"Content-Type": "application/json"}
LARGE = 2**21


@pytest.mark.parametrize("path", ["/api/v1/generate", "/api/v1/estimate"])
async def test_a_megabyte_of_wrong_json_is_refused_with_a_short_response(tmp_path: Path, path: str) -> None:
    """See tests/unit/http/test_validation.py for the time that it takes."""
    async with running_app(settings(tmp_path, max_body_bytes=LARGE)) as app, client(app.url) as http:
        for name, body in HOSTILE.items():
            answer = await http.post(path, content=body(), headers=JSON)
            assert answer.status_code in (400, 422), name
            assert len(answer.content) < 2000, name


async def test_estimates_have_a_rate_limit_of_their_own(tmp_path: Path) -> None:
    """Before, anybody could have any number of large bodies parsed, and histories read."""
    body = {"prompt": "x", "repo_name": "x"}
    async with running_app(settings(tmp_path, rate_limit="2/minute")) as app, client(app.url) as http:
        answers = [await http.post("/api/v1/estimate", json=body) for _ in range(3)]
        assert [answer.status_code for answer in answers[:2]] == [200, 200]
        check_problem(answers[2], 429, "RATE_LIMITED")
        assert answers[0].headers["ratelimit-remaining"] == "1"
        assert (await http.post("/api/v1/generate", json=body)).status_code == 202


@pytest.mark.fault(144)
@pytest.mark.parametrize("path", ["/api/v1/generate", "/api/v1/estimate", "/mcp"])
@pytest.mark.parametrize(
    ("body", "status"),
    [(b'{"a": [' + b"{}," * 100_000 + b"{}]}", 422), (b"[" * 300_000, 400), (b'{"a": ' * 100_000, 400)],
)
async def test_json_of_very_many_values_is_not_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, body: bytes, status: int
) -> None:
    """The library behind /mcp parses on the event loop: it is not even asked."""

    async def handle(*_arguments: object) -> None:
        pytest.fail("it was handed to the library")

    monkeypatch.setattr(MCPRuntime, "handle", handle)
    async with running_app(settings(tmp_path, max_body_bytes=LARGE)) as app, client(app.url) as http:
        answer = await http.post(path, content=body, headers=JSON)
        check_problem(answer, status, "VALIDATION" if status == 422 else "MALFORMED")


@pytest.mark.fault(144)
async def test_a_long_command_of_a_chat_is_not_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gencode.chatops.routes._parse_form", lambda _body: pytest.fail("it was parsed"))
    chosen = settings(tmp_path, slack_signing_secret=SecretStr("slack-signing-secret-1"))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with running_app(chosen) as app, client(app.url) as http:
        form = urlencode({"text": "ä" * 20_000}).encode()
        check_problem(
            await http.post("/integrations/slack", content=form, headers=headers), 413, "BODY_TOO_LARGE"
        )

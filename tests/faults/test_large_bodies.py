"""Large bodies, and estimates, which read bodies without storing anything."""

from __future__ import annotations

from pathlib import Path

import pytest

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

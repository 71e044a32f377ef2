"""Request bodies and headers: rows 74 to 76, 79 and 80."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import SecretStr

from gencode.engine.ports.store import TaskQuery
from gencode.model_tasks import request as model_request
from tests.servers.calls import BODY, client, get, post
from tests.servers.github import github_server
from tests.servers.model import model_server, plan_and_files
from tests.servers.raw import Answer, Raw, raw
from tests.servers.service import App, running_app, service, settings

JSON = {"Content-Type": "application/json"}
HEAD = "POST /api/v1/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def port(app: App) -> int:
    return int(app.url.rpartition(":")[2])


def check_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert (problem["status"], problem["code"], problem["type"]) == (
        status,
        code,
        f"urn:gencode:error:{code}",
    )
    return problem


# --- row 74 -----------------------------------------------------------------------------------------

MALFORMED = {
    "nothing": b"",
    "no JSON": b"prompt=x",
    "cut": b'{"prompt": "x", "repo_name": "y"',
    "two documents": b"{}{}",
    "a byte order mark alone": b"\xef\xbb\xbf",
    "no UTF-8": b'{"prompt": "\xff", "repo_name": "y"}',
    "UTF-16": json.dumps(BODY).encode("utf-16"),
    "deep arrays": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "a key twice": b'{"prompt": "x", "repo_name": "y", "repo_name": "z"}',
    "a key twice, further in": b'{"prompt": {"a": 1, "a": 2}, "repo_name": "y"}',
    "NaN": b'{"prompt": NaN, "repo_name": "y"}',
    "Infinity": b'{"prompt": "x", "repo_name": -Infinity}',
    "an endless number": b'{"prompt": ' + b"9" * 5000 + b', "repo_name": "y"}',
}
INVALID = {
    "an array": b"[]",
    "null": b"null",
    "an overflowing number": b'{"prompt": 1e999, "repo_name": "y"}',
    "a lone surrogate": rb'{"prompt": "\ud800", "repo_name": "y"}',
    "a lone surrogate as a key": rb'{"\udfff": 1, "prompt": "x", "repo_name": "y"}',
    "a NUL": rb'{"prompt": "a\u0000b", "repo_name": "y"}',
    "blank": b'{"prompt": " \\u3000\\n", "repo_name": "y"}',
    "a number for a text": b'{"prompt": 7, "repo_name": "y"}',
    "a text for a boolean": b'{"prompt": "x", "repo_name": "y", "private": "false"}',
    "too long": json.dumps({"prompt": "x" * 100_001, "repo_name": "y"}).encode(),
    "a foreign key": b'{"prompt": "x", "repo_name": "y", "__proto__": {}}',
}


@pytest.mark.fault(74)
async def test_invalid_json_and_invalid_values_are_refused_with_the_reason(tmp_path: Path) -> None:
    """Row 74: 400 for bodies that cannot be parsed, 422 for invalid values; nothing is stored."""
    async with running_app(settings(tmp_path)) as app, client(app.url) as http:
        for name, body in MALFORMED.items():
            answer = await http.post("/api/v1/generate", content=body, headers=JSON)
            assert check_problem(answer, 400, "MALFORMED")["detail"].startswith("the body is not JSON"), name
        for name, body in INVALID.items():
            answer = await http.post("/api/v1/generate", content=body, headers=JSON)
            errors = check_problem(answer, 422, "VALIDATION")["errors"]
            assert all(set(error) == {"field", "rule", "message"} for error in errors), name
        assert await app.services.store.find(TaskQuery()) == []


@pytest.mark.fault(74)
async def test_fuzzed_bodies_never_make_the_service_fail(tmp_path: Path) -> None:
    """Row 74: any bytes get 400 or 422 (or 202 for the rare valid body)."""
    names = st.sampled_from(["prompt", "repo_name", "model", "github_org", "private", "x"]) | st.text()
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(alphabet=st.characters())
    trees = st.recursive(leaves, lambda tree: st.lists(tree) | st.dictionaries(names, tree), max_leaves=8)
    bodies = st.binary() | st.dictionaries(names, trees).map(lambda tree: json.dumps(tree).encode())

    @examples(max_examples=200, deadline=None, derandomize=True, database=None)
    @given(body=bodies, cut=st.integers(0, 400))
    def check(body: bytes, cut: int) -> None:
        for content in (body, body[:cut]):
            answer = http.post("/api/v1/generate", content=content, headers=JSON)
            assert answer.status_code in (202, 400, 422)

    gate = anyio.Event()  # never opened: what is accepted by chance costs nothing
    async with model_server(plan_and_files({"a.py": ""}, gates={"": gate})) as model:
        chosen = settings(tmp_path, model, rate_limit="1000000/minute", max_concurrent_tasks=1)
        async with running_app(chosen) as app:
            with httpx.Client(base_url=app.url, trust_env=False, verify=False) as http:
                await anyio.to_thread.run_sync(check)


@pytest.mark.fault(74)
async def test_a_body_of_another_type_is_refused(tmp_path: Path) -> None:
    """Row 74: browsers send these types across sites without a preflight request, JSON they do not."""
    async with running_app(settings(tmp_path)) as app, client(app.url) as http:
        for media in (
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "",
        ):
            headers = {"Content-Type": media}
            answer = await http.post("/api/v1/generate", content=json.dumps(BODY), headers=headers)
            check_problem(answer, 415, "UNSUPPORTED_MEDIA")


# --- row 75 -----------------------------------------------------------------------------------------


def check_too_large(answer: Answer) -> None:
    assert (answer.status, answer.headers["content-type"]) == (413, "application/problem+json")
    assert json.loads(answer.body)["code"] == "BODY_TOO_LARGE"


@pytest.mark.fault(75)
@pytest.mark.parametrize("path", ["generate", "task/x/cancel", "nowhere"])
async def test_a_body_announced_as_too_large_is_refused_before_it_comes(tmp_path: Path, path: str) -> None:
    """Row 75: the answer comes before any byte of the body, also on routes that read none."""
    async with running_app(settings(tmp_path, max_body_bytes=1000)) as app, raw(port(app)) as peer:
        await peer.send(HEAD.replace("generate", path) + "Content-Length: 1001\r\n\r\n")
        check_too_large(await peer.answer())
        await peer.send("G" * 1001 + "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await peer.answer()).body == b'{"status":"ok"}'  # the body was skipped, all of it


@pytest.mark.fault(75)
async def test_a_chunked_body_is_refused_as_soon_as_it_is_too_large(tmp_path: Path) -> None:
    """Row 75, chunked: the body never ends, and it is answered."""
    async with running_app(settings(tmp_path, max_body_bytes=1000)) as app, raw(port(app)) as peer:
        await peer.send(HEAD + "Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(2):
            await peer.send("1f4\r\n" + " " * 500 + "\r\n")
        await peer.send("1\r\n \r\n")
        check_too_large(await peer.answer())


@pytest.mark.fault(75)
async def test_a_body_of_exactly_the_limit_is_read(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, max_body_bytes=1000)) as app, client(app.url) as http:
        body = json.dumps(BODY).ljust(1000).encode()
        assert (await http.post("/api/v1/generate", content=body, headers=JSON)).status_code == 202


# --- row 76 -----------------------------------------------------------------------------------------


async def trickle(peer: Raw, begin: str) -> bytes:
    """Send single bytes without end; returns the answer when the server disconnects."""
    await peer.send(begin)
    async with anyio.create_task_group() as tg:
        tg.start_soon(_drip, peer)
        said = await peer.rest()
        tg.cancel_scope.cancel()
    return said


async def _drip(peer: Raw) -> None:
    try:
        while True:
            await peer.send("1")
            await anyio.sleep(0.02)
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        return


@pytest.mark.fault(76)
async def test_only_requests_that_arrive_too_slowly_are_cut_off(tmp_path: Path) -> None:
    """Row 76: heads and bodies that never end, however active the sender; an idle keep-alive connection
    stays."""
    slow = [
        "",
        "GET /livez HTTP/1.1\r\nX: ",
        f"{HEAD}Content-Length: 1000\r\n\r\n",
        "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\nGET /livez?",
        f"{HEAD.replace('generate', 'task/x/cancel')}Content-Length: 1000\r\n\r\n",
    ]
    variables = {"HEADER_TIMEOUT": "1", "BODY_TIMEOUT": "1"}
    async with service(tmp_path, variables) as process, raw(process.port) as idle:
        await idle.send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await idle.answer()).status == 200
        said = await asyncio.gather(*(_cut_off(process.port, begin) for begin in slow))
        assert [text.partition(b"\r\n")[0] for text in said] == [
            b"",
            b"",
            b"",
            b"HTTP/1.1 200 OK",
            b"HTTP/1.1 404 Not Found",
        ]
        async with raw(process.port) as silent:
            assert await silent.rest() == b""
        await idle.send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await idle.answer()).status == 200
        assert '"error"' not in process.log.read_text()


async def _cut_off(port: int, begin: str) -> bytes:
    async with raw(port) as peer:
        return await trickle(peer, begin)


@pytest.mark.fault(76)
async def test_malformed_http_gets_400_and_is_not_logged(tmp_path: Path) -> None:
    """Row 76: a TLS hello, an endless head, two lengths, an invalid chunk: 400 as a problem, and the
    connection is closed."""
    length = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    bad = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
        f"GET /{'x' * 70_000}".encode(),
        (HEAD + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef").encode(),
        (HEAD + "Content-Length: " + "9" * 5000 + "\r\n\r\n").encode(),
        (HEAD + "Transfer-Encoding: chunked\r\n\r\nZZ\r\n").encode(),
        (HEAD + length + "0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").encode(),
        b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: localhost\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
    ]
    async with service(tmp_path, {"LOG_LEVEL": "DEBUG"}) as process:
        log = process.log.read_text()
        for request in bad:
            async with raw(process.port) as peer:
                await peer.send(request)
                said = await peer.rest()
                assert said.startswith(b"HTTP/1.1 400 Bad Request\r\n"), request[:80]
                assert said.count(b"HTTP/1.1 ") == 1, "what followed was taken for a request"
                assert b"content-type: application/problem+json" in said
        assert await get(process.url, "/livez") == {"status": "ok"}
        assert process.log.read_text() == log


# --- row 79 -----------------------------------------------------------------------------------------

BAD_FIELDS: list[dict[str, Any]] = [
    *(
        {"repo_name": name}
        for name in ("", ".", "..", "a/b", "../a", "a b", "é", "a\n", "x.git", "X.Wiki", "a" * 101)
    ),
    *({"repo_name": name} for name in (None, 1, ["a"], "-\u202e", "a\0")),
    *(
        {"model": name}
        for name in ("", "nobody", "nobody/m", "http://169.254.169.254/v1", "//evil", "m\r\nX: y")
    ),
    *({"model": name} for name in ("scripted" + "x" * 200, 5, {"base_url": "http://127.0.0.1"})),
    *({"github_org": name} for name in ("", "-a", "a--b", "a/b", "a" * 40, "../x", 1)),
    {"base_url": "http://127.0.0.1:1/v1"},
    {"api_key": "sk-theirs"},
]


@pytest.mark.fault(79)
async def test_invalid_names_and_urls_are_refused_and_no_server_is_called(tmp_path: Path) -> None:
    """Row 79: 422 that names the field; neither the model nor GitHub is called."""
    async with model_server(plan_and_files({"a.py": ""})) as model, github_server(tmp_path) as github:
        chosen = settings(tmp_path, model, github, rate_limit="1000/minute")
        async with running_app(chosen) as app, client(app.url) as http:
            for fields in BAD_FIELDS:
                answer = await http.post("/api/v1/generate", json=BODY | fields)
                problem = check_problem(answer, 422, "VALIDATION")
                assert [error["field"] for error in problem["errors"]] == list(fields), fields
            assert await app.services.store.find(TaskQuery()) == []
        assert (model.requests, github.requests) == ([], [])


# --- row 80 -----------------------------------------------------------------------------------------


@pytest.mark.fault(80)
async def test_an_idempotency_key_names_one_task(tmp_path: Path) -> None:
    """Row 80: the same body gets the first answer, another body 422, and nothing new is stored."""
    async with running_app(settings(tmp_path)) as app:
        key = {"Idempotency-Key": "order 4711"}
        first = await post(app.url, "/generate", BODY, **key)
        again = await post(app.url, "/generate", dict(reversed(BODY.items())), **key)
        assert (again.status_code, again.json()) == (202, first.json())
        assert again.headers["location"] == first.headers["location"]
        replayed = [answer.headers["idempotency-replayed"] for answer in (first, again)]
        assert replayed == ["false", "true"]
        other = await post(app.url, "/generate", BODY | {"prompt": "another"}, **key)
        check_problem(other, 422, "IDEMPOTENCY_KEY_REUSED")
        for bad in ("", "x" * 256, "tab\there"):
            answer = await post(app.url, "/generate", BODY, **{"Idempotency-Key": bad})
            assert check_problem(answer, 422, "VALIDATION")["errors"][0]["field"] == "Idempotency-Key"
        assert len(await app.services.store.find(TaskQuery())) == 1


@pytest.mark.fault(80)
async def test_one_key_used_concurrently_makes_one_task(tmp_path: Path) -> None:
    """Row 80: two or more at once get the same task."""
    async with running_app(settings(tmp_path)) as app:
        answers = await asyncio.gather(
            *(post(app.url, "/generate", BODY, **{"Idempotency-Key": "k"}) for _ in range(20))
        )
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["task_id"] for answer in answers}) == 1
        assert [answer.headers["idempotency-replayed"] for answer in answers].count("false") == 1
        assert len(await app.services.store.find(TaskQuery())) == 1


@pytest.mark.fault(80)
async def test_a_repeated_submission_is_answered_after_its_deadline_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, key = BODY | {"deadline": "2099-01-01T00:00:00Z"}, {"Idempotency-Key": "k"}
    async with running_app(settings(tmp_path)) as app:
        first = await post(app.url, "/generate", body, **key)
        monkeypatch.setattr(model_request, "now", lambda: datetime(2099, 1, 2, tzinfo=UTC))
        again = await post(app.url, "/generate", body, **key)
        assert (again.status_code, again.json()) == (202, first.json())
        check_problem(await post(app.url, "/generate", body), 422, "VALIDATION")
        check_problem(await post(app.url, "/estimate", body), 422, "VALIDATION")


@pytest.mark.fault(80)
async def test_idempotency_keys_belong_to_their_client(tmp_path: Path) -> None:
    """Row 80: the same key of another client names another task."""
    keys = SecretStr("alice=alices-key,bob=bobs-key")
    async with running_app(settings(tmp_path, api_keys=keys)) as app:
        answers = [
            await post(
                app.url, "/generate", BODY | {"prompt": key}, **{"X-API-Key": key, "Idempotency-Key": "k"}
            )
            for key in ("alices-key", "bobs-key")
        ]
        assert [answer.status_code for answer in answers] == [202, 202]
        assert len({answer.json()["task_id"] for answer in answers}) == 2

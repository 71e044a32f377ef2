"""Attacks by a web page in a user's browser, and by any client with a socket."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from gencode.auth.key_store import key_store
from gencode.domain.errors import StartError
from gencode.engine.ports.store import TaskQuery
from gencode.settings import load
from tests.faults.test_input import check_problem
from tests.servers.calls import BODY, client, submit
from tests.servers.raw import Answer, raw
from tests.servers.service import App, running_app, settings

EVIL = "https://evil.example"
PATHS = ["/", "/livez", "/metrics", "/openapi.json", "/api/v1/tasks", "/nowhere"]


async def ask(app: App, head: str) -> Answer:
    """By raw TCP: no library corrects the request."""
    async with raw(int(app.url.rpartition(":")[2])) as peer:
        await peer.send(head.replace("\n", "\r\n") + "\r\n\r\n")
        return await peer.answer()


# --- a web page in a user's browser -----------------------------------------------------------------


FOREIGN = [
    "evil.example",
    "evil.example:8080",
    "localhost.evil.example",
    "127.0.0.1.nip.io",
    "",
    "10.0.0.1",
    "[",
    "localhost:x",
]


async def test_dns_rebinding_is_refused(tmp_path: Path) -> None:
    """The page's own name resolves to the service, so the browser takes the service for the page's server."""
    async with running_app(settings(tmp_path)) as app:
        for host, path in product(FOREIGN, PATHS):
            answer = await ask(app, f"GET {path} HTTP/1.1\nHost: {host}")
            assert (answer.status, b"MISDIRECTED" in answer.body) == (421, True), (host, path)
        for host in ("localhost", "LOCALHOST:8080", "127.0.0.1:1", "127.9.9.9", "[::1]:8080"):
            assert (await ask(app, f"GET /api/v1/tasks HTTP/1.1\nHost: {host}")).status == 200, host


async def test_with_keys_or_auth_none_any_host_name_is_accepted(tmp_path: Path) -> None:
    for fields in ({"api_keys": SecretStr("me=key")}, {"auth": "none"}):
        async with running_app(settings(tmp_path, **fields)) as app:
            assert (await ask(app, "GET /livez HTTP/1.1\nHost: gencode.example")).status == 200


async def test_the_first_key_of_a_running_service_opens_it_to_any_host_name(tmp_path: Path) -> None:
    """As for a service with keys at its start: the key protects it. Revoking the key does not go back."""
    head = "GET /api/v1/tasks HTTP/1.1\nHost: gencode.example"
    store = key_store(tmp_path / "data")
    async with running_app(settings(tmp_path)) as app:
        assert (await ask(app, head)).status == 421
        key, _ = store.create("alice")
        assert (await ask(app, head)).status == 401
        assert (await ask(app, f"{head}\nX-API-Key: {key}")).status == 200
        submission = f"POST /api/v1/generate HTTP/1.1\nHost: gencode.example\nOrigin: {EVIL}"
        answer = await ask(app, f"{submission}\nX-API-Key: {key}\nContent-Length: 0")
        assert answer.status == 415, "it reaches the operation: a page does not have the key"
        store.revoke("alice")
        assert (await ask(app, head)).status == 401


CROSS_SITE = [
    {"Origin": EVIL},
    {"Origin": "null"},
    {"Origin": "http://["},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": EVIL, "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


async def test_cross_site_requests_to_a_keyless_service_are_refused(tmp_path: Path) -> None:
    """Cross-site request forgery: a form or a fetch needs no leave of ours to be sent."""
    async with running_app(settings(tmp_path)) as app, client(app.url) as http:
        task_id = await submit(app.url)
        mine = f"task/{task_id}"
        for headers, path in product(CROSS_SITE, ("generate", f"{mine}/cancel", f"{mine}/ticket")):
            check_problem(await http.post(f"/api/v1/{path}", json=BODY, headers=headers), 403, "CROSS_SITE")
        assert len(await app.services.store.find(TaskQuery())) == 1


async def test_the_own_page_and_other_programs_are_accepted(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, client(app.url) as http:
        for headers in (
            {},
            {"Origin": app.url},
            {"Origin": EVIL, "Sec-Fetch-Site": "same-origin"},
            {"Sec-Fetch-Site": "none"},
        ):
            answer = await http.post("/api/v1/generate", json=BODY, headers=headers)
            assert answer.status_code == 202, headers


async def test_with_keys_cross_site_requests_have_no_authority(tmp_path: Path) -> None:
    """Keys are sent by whoever has them, never by the browser itself; who asks from where is no matter."""
    async with running_app(settings(tmp_path, api_keys=SecretStr("me=key"))) as app, client(app.url) as http:
        headers = {"Origin": EVIL, "X-API-Key": "key"}
        answer = await http.post("/api/v1/generate", json=BODY, headers=headers)
        assert answer.status_code == 202
        assert "access-control-allow-origin" not in answer.headers


# --- CORS -------------------------------------------------------------------------------------------

FRIEND = "https://app.example"


async def preflight(http: httpx.AsyncClient, origin: str, method: str, headers: str) -> httpx.Response:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }
    return await http.options("/api/v1/generate", headers=asked)


async def test_configured_origins_may_use_the_whole_api(tmp_path: Path) -> None:
    needed = "authorization, content-type, idempotency-key, last-event-id, x-api-key"
    exposed = {"location", "retry-after", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"}
    chosen = settings(tmp_path, cors_origins=f"{FRIEND}, http://localhost:5173", api_keys=SecretStr("me=key"))
    async with running_app(chosen) as app, client(app.url) as http:
        allowed = await preflight(http, FRIEND, "POST", needed)
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, FRIEND)
        assert "access-control-allow-credentials" not in allowed.headers
        for headers, status in (({"X-API-Key": "key"}, 202), ({}, 401)):
            answer = await http.post("/api/v1/generate", json=BODY, headers=headers | {"Origin": FRIEND})
            assert answer.status_code == status
            assert answer.headers["access-control-allow-origin"] == FRIEND
            assert answer.headers["vary"] == "Origin"
            assert exposed <= set(answer.headers["access-control-expose-headers"].lower().split(", "))


async def test_other_origins_may_not_use_the_api(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, cors_origins=FRIEND)) as app, client(app.url) as http:
        for origin in (EVIL, "null", "http://app.example", f"{FRIEND}:444", f"{FRIEND}.evil.example"):
            refused = await preflight(http, origin, "POST", "content-type")
            assert refused.status_code == 400
            answer = await http.get("/api/v1/tasks", headers={"Origin": origin})
            for told in (refused, answer):
                assert "access-control-allow-origin" not in told.headers
            acted = await http.post("/api/v1/generate", json=BODY, headers={"Origin": origin})
            check_problem(acted, 403, "CROSS_SITE")


async def test_a_configured_origin_may_use_a_keyless_service(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, cors_origins=FRIEND)) as app, client(app.url) as http:
        headers = {"Origin": FRIEND, "Sec-Fetch-Site": "cross-site"}
        assert (await http.post("/api/v1/generate", json=BODY, headers=headers)).status_code == 202


@pytest.mark.parametrize(
    "origins", ["*", "app.example", f"{FRIEND}/", f"{FRIEND}/path", "https://*.example", "null", "file://"]
)
def test_an_invalid_origin_is_refused_at_start(origins: str) -> None:
    with pytest.raises(StartError, match="CORS_ORIGINS"):
        load({"cors_origins": f"{FRIEND},{origins}"})


# --- anybody with a socket --------------------------------------------------------------------------


ODD = [
    ("GET //api/v1/tasks", 404),
    ("GET /api/v1/tasks/", 404),
    ("GET /livez/", 404),
    ("GET /api/v1/../../livez", 404),
    ("GET /api/v1/task/%2e%2e/tasks", 404),
    ("GET /api/v1/task/..%2ftasks", 404),
    ("GET /api/v1/task/%00%ff%0d%0aX:%20y", 404),
    ("GET http://evil.example/livez", 421),
    ("GET livez", 404),
    ("OPTIONS *", 404),
    ("CONNECT evil.example:443", 404),
    ("PUT /api/v1/generate", 405),
    ("GET /api/v1/generate", 405),
    ("DELETE /api/v1/tasks", 405),
    ("TRACE /livez", 405),
    ("OPTIONS /api/v1/tasks", 405),
    ("POST /metrics", 405),
    ("BREW /", 405),
]


async def test_odd_paths_and_methods_are_refused_without_an_error(tmp_path: Path) -> None:
    """Never a redirect: it would be built from the Host header."""
    async with running_app(settings(tmp_path)) as app:
        for line, status in ODD:
            answer = await ask(app, f"{line} HTTP/1.1\nHost: localhost\nConnection: close")
            media = answer.headers["content-type"]
            assert (answer.status, media) == (status, "application/problem+json"), line
            assert "location" not in answer.headers
            assert ("allow" in answer.headers) == (status == 405)


async def test_every_response_has_security_headers(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, client(app.url) as http:
        for path in PATHS:
            for method in ("GET", "HEAD", "PUT"):
                headers = (await http.request(method, path)).headers
                assert headers["x-content-type-options"] == "nosniff"
                assert headers["x-frame-options"] == "DENY"
                assert headers["referrer-policy"] == "no-referrer"
                assert headers["cross-origin-resource-policy"] == "same-origin"
                assert headers["content-security-policy"].startswith("default-src 'none'")


async def test_a_bug_is_answered_as_a_problem_with_security_headers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_app(settings(tmp_path)) as app, client(app.url) as http:
        monkeypatch.setattr(type(app.services.store), "find", None)
        answer = await http.get("/api/v1/tasks")
        problem = check_problem(answer, 500, "INTERNAL")
        assert "NoneType" not in problem["detail"]
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_head_is_get_without_a_body(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, client(app.url) as http:
        for path in PATHS:
            answers = [await http.request(method, path) for method in ("GET", "HEAD")]
            assert answers[0].status_code == answers[1].status_code
            assert answers[1].content == b""

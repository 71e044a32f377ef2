"""Access: rows 81 to 83."""

from __future__ import annotations

import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from pydantic import SecretStr

from gencode.settings import Settings
from tests.faults.test_input import check_problem
from tests.servers.calls import BODY, client, post
from tests.servers.raw import raw
from tests.servers.service import running_app, service, settings, signing_key

ALICE = {"X-API-Key": "alices-key"}
BOB = {"Authorization": "Bearer bobs-kéy"}
KEYS = f"alice=alices-key, bob=sha256:{sha256('bobs-kéy'.encode()).hexdigest()}"
NOBODY = "0191d0c0-0000-7000-8000-000000000000"


def with_keys(folder: Path, **fields: Any) -> Settings:
    return settings(folder, api_keys=SecretStr(KEYS), **fields)


def encoded(headers: dict[str, str]) -> dict[str, bytes]:
    """Encoded as UTF-8, which HTTP does not define for headers, and which clients send."""
    return {name: value.encode() for name, value in headers.items()}


async def task_of_alice(url: str) -> str:
    return str((await post(url, "/generate", BODY, **ALICE)).json()["task_id"])


# --- row 81 -----------------------------------------------------------------------------------------

NO_KEYS: list[dict[str, bytes]] = [
    {},
    {"Authorization": b""},
    {"Authorization": b"Bearer"},
    {"Authorization": b"Bearer wrong"},
    {"Authorization": b"Bearer alices-key x"},
    {"Authorization": b"Basic YWxpY2U6YWxpY2VzLWtleQ=="},
    {"Authorization": b"alices-key"},
    {"X-API-Key": b""},
    {"X-API-Key": b"ALICES-KEY"},
    {"X-API-Key": b"alices-ke"},
    {"X-API-Key": "ключ 密钥".encode()},
    {"Authorization": b"Bearer \xff\xfe\x80"},
    {"X-API-Key": KEYS.encode()},
    {"X-API-Key": sha256("bobs-kéy".encode()).hexdigest().encode()},
    {"Authorization": b"Bearer wrong", "X-API-Key": b"alices-key"},
]


@pytest.mark.fault(81)
async def test_without_a_valid_key_every_path_under_api_is_refused(tmp_path: Path) -> None:
    """Row 81: missing, wrong and non-ASCII keys get 401 as a problem, on every path, known or not."""
    async with running_app(with_keys(tmp_path)) as app, client(app.url) as http:
        task_id = await task_of_alice(app.url)
        for headers in NO_KEYS:
            check_refused(await http.get("/api/v1/tasks", headers=headers))
        for method, path in [*routes(task_id), ("POST", "/generate"), ("GET", "/"), ("GET", "/nowhere")]:
            check_refused(await http.request(method, f"/api/v1{path}"))
        for path in ("/", "/livez", "/readyz", "/health", "/metrics", "/openapi.json"):
            assert (await http.get(path)).status_code == 200


def check_refused(answer: httpx.Response) -> None:
    assert answer.status_code == 401, answer.request.url
    if answer.request.method != "HEAD":
        check_problem(answer, 401, "UNAUTHORIZED")
    assert answer.headers["www-authenticate"] == 'Bearer realm="gencode"'


def routes(task_id: str) -> list[tuple[str, str]]:
    """Every request that a task has."""
    return [
        ("GET", f"/task/{task_id}"),
        ("HEAD", f"/task/{task_id}"),
        ("GET", f"/status/{task_id}"),
        ("GET", f"/status/{task_id}?after=99"),
        ("HEAD", f"/status/{task_id}"),
        ("POST", f"/task/{task_id}/cancel"),
        ("POST", f"/task/{task_id}/ticket"),
    ]


@pytest.mark.fault(81)
async def test_each_way_to_send_a_key_works(tmp_path: Path) -> None:
    """Row 81, the positive side: both headers, any case of the scheme, and a non-ASCII key."""
    good = [
        ALICE,
        {"Authorization": "Bearer alices-key"},
        {"Authorization": "bEARER   alices-key"},
        BOB,
        {"Authorization": "Basic eDp5", "X-API-Key": "alices-key"},
    ]
    async with running_app(with_keys(tmp_path)) as app, client(app.url) as http:
        for headers in good:
            answer = await http.get("/api/v1/tasks", headers=encoded(headers))
            assert answer.status_code == 200, headers


# --- row 82 -----------------------------------------------------------------------------------------


@pytest.mark.fault(82)
async def test_the_task_of_another_client_looks_like_none(tmp_path: Path) -> None:
    """Row 82: on every route the answer equals, byte for byte, that for a task that never existed."""
    async with running_app(with_keys(tmp_path)) as app, client(app.url) as http:
        task_id = await task_of_alice(app.url)
        http.headers.update(encoded(BOB))
        for (method, theirs), (_, none) in zip(routes(task_id), routes(NOBODY), strict=True):
            answers = [await http.request(method, f"/api/v1{path}") for path in (theirs, none)]
            assert [answer.status_code for answer in answers] == [404, 404], theirs
            assert answers[0].content == answers[1].content
        for query in ("", "?limit=100", "?status=pending,completed", f"?cursor={task_id[:-1]}f"):
            assert (await http.get(f"/api/v1/tasks{query}")).json()["tasks"] == []
        (task,) = await tasks_of_alice(http)
        assert task["status"] != "cancelled"


async def tasks_of_alice(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    answer = await http.get("/api/v1/tasks", headers={**ALICE, "Authorization": ""})
    found: list[dict[str, Any]] = answer.json()["tasks"]
    return found


# --- row 83 -----------------------------------------------------------------------------------------


async def ticket_for(url: str, task_id: str, headers: dict[str, str] = ALICE) -> str:
    answer = await post(url, f"/task/{task_id}/ticket", **headers)
    assert answer.status_code == 201
    return str(answer.json()["ticket"])


class SignedInThePast(TimestampSigner):
    """Signs with the time of 16 minutes ago."""

    def get_timestamp(self) -> int:
        return int(time.time()) - 16 * 60


async def old_ticket(data_dir: Path, task_id: str) -> str:
    """A ticket that the service issued 16 minutes ago."""
    key = await signing_key(data_dir, "ticket")
    options = {"digest_method": sha256, "key_derivation": "hmac"}
    serializer = URLSafeTimedSerializer(
        key, salt="gencode.tickets", signer=SignedInThePast, signer_kwargs=options
    )
    return str(serializer.dumps(["alice", task_id]))


@pytest.mark.fault(83)
async def test_a_ticket_opens_its_tasks_stream_again_and_again(tmp_path: Path) -> None:
    """Row 83, the positive side: EventSource reconnects to the same URL; only the id differs."""
    async with running_app(with_keys(tmp_path)) as app, client(app.url) as http:
        task_id = await task_of_alice(app.url)
        where = f"/api/v1/status/{task_id}?ticket={await ticket_for(app.url, task_id)}"
        whole = await http.get(where)
        assert (whole.status_code, whole.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        rest = await http.get(where, headers={"Last-Event-ID": "2"})
        assert whole.text.endswith(rest.text)
        assert rest.text.startswith("event: ")
        last = whole.text.rpartition("\nid: ")[2].partition("\n")[0]
        assert (await http.get(where, headers={"Last-Event-ID": last})).status_code == 204
        assert (await http.head(where)).status_code == 200


@pytest.mark.fault(83)
async def test_a_ticket_that_is_expired_forged_or_for_another_task_opens_nothing(tmp_path: Path) -> None:
    """Row 83: 401 for each kind of invalid ticket."""
    async with running_app(with_keys(tmp_path)) as app, client(app.url) as http:
        task_id, other = await task_of_alice(app.url), await task_of_alice(app.url)
        good = await ticket_for(app.url, task_id)
        claim, _, rest = good.partition(".")
        bad = [
            "",
            "x",
            "é",
            await ticket_for(app.url, other),
            f"{await claim_of(app.url, other)}.{rest}",
            f"{claim}.{rest[:-4]}AAAA",
            f"{claim}.",
            good * 50,
            await old_ticket(tmp_path / "data", task_id),
        ]
        for ticket in bad:
            check_refused(await http.get(f"/api/v1/status/{task_id}", params={"ticket": ticket}))


async def claim_of(url: str, task_id: str) -> str:
    return (await ticket_for(url, task_id)).partition(".")[0]


@pytest.mark.fault(83)
async def test_a_ticket_opens_nothing_but_the_stream(tmp_path: Path) -> None:
    """Row 83: no other path and no other method; and no list contains it."""
    async with running_app(with_keys(tmp_path)) as app, client(app.url) as http:
        task_id = await task_of_alice(app.url)
        ticket = await ticket_for(app.url, task_id)
        others = [("GET", f"/task/{task_id}"), ("POST", f"/task/{task_id}/cancel"), ("GET", "/tasks")]
        others += [("POST", f"/task/{task_id}/ticket"), ("POST", "/generate"), ("GET", "/status")]
        others += [("GET", f"/status/{task_id}/"), ("GET", f"//status/{task_id}")]
        for method, path in others:
            check_refused(await http.request(method, f"/api/v1{path}", params={"ticket": ticket}))
        post_it = await http.post(f"/api/v1/status/{task_id}", params={"ticket": ticket})
        check_problem(post_it, 405, "METHOD_NOT_ALLOWED")


@pytest.mark.fault(83)
async def test_a_ticket_is_void_without_its_clients_key_and_survives_a_restart(tmp_path: Path) -> None:
    """Row 83: the key that signs tickets is stored with the data; the client's own key is checked on each
    use."""
    async with running_app(with_keys(tmp_path)) as app:
        task_id = await task_of_alice(app.url)
        where = f"/api/v1/status/{task_id}?ticket={await ticket_for(app.url, task_id)}"
    async with running_app(with_keys(tmp_path)) as app, client(app.url) as http:
        assert (await http.get(where)).status_code == 200
    only_bob = settings(tmp_path, api_keys=SecretStr("bob=bobs-key"))
    async with running_app(only_bob) as app, client(app.url) as http:
        check_refused(await http.get(where))


@pytest.mark.one_process("its DATA_DIR is looked at")
@pytest.mark.fault(83)
async def test_the_key_that_signs_tickets_is_readable_by_the_service_only(tmp_path: Path) -> None:
    async with running_app(with_keys(tmp_path)):
        assert (tmp_path / "data" / "ticket.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.fault(83)
async def test_tickets_and_keys_are_never_logged(tmp_path: Path) -> None:
    """Row 83: at DEBUG, valid and invalid ones, also in requests that cannot be parsed."""
    async with service(tmp_path, {"API_KEYS": KEYS, "LOG_LEVEL": "DEBUG"}) as process:
        async with client(process.url) as http:
            task_id = await task_of_alice(process.url)
            ticket = await ticket_for(process.url, task_id)
            for text in (ticket, ticket[:-3] + "xyz"):
                await http.get(f"/api/v1/status/{task_id}?ticket={text}")
            await http.get("/api/v1/tasks", headers={"X-API-Key": "wrong-key-of-somebody"})
        async with raw(process.port) as peer:
            await peer.send(f"GET /api/v1/status/{task_id}?ticket={ticket} HTTP/1.1\r\nno header\r\n\r\n")
            assert b" 400 " in await peer.rest()
        assert await process.terminate() == 0
        log = process.log.read_text()
        assert "task over" in log
        for secret in (ticket, ticket[:20], ticket[-20:], "alices-key", "wrong-key-of-somebody"):
            assert secret not in log

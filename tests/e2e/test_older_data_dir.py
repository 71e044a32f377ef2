"""A DATA_DIR that release 0.1.0 left is opened, and its tasks continue.

tests/fixtures/make_data_dir.py made it, and its .json describes the content. These tests use only HTTP and
the command line, as clients of that release do. The ports stored in the folder may be in use now, so they are
replaced before it is opened, and replaced back in the answers.
"""

from __future__ import annotations

import json
import sqlite3
import tarfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from standardwebhooks import Webhook

from tests.e2e.cloning import cloned, files, git
from tests.servers.command import run_gencode
from tests.servers.history import StoredEvent, api_client, digests, get_json, history, record
from tests.servers.model import ModelServer, Reply, model_server
from tests.servers.ports import reserve_port
from tests.servers.projects import Projects
from tests.servers.receiver import Seen, receiver
from tests.servers.service import ROOT, Service, environment, service

pytestmark = pytest.mark.one_process("it has a DATA_DIR of an older version")

FIXTURES = ROOT / "tests" / "fixtures"
KNOWN: dict[str, Any] = json.loads((FIXTURES / "data_dir_0_1_0.json").read_text(encoding="utf-8"))
TASKS: dict[str, dict[str, Any]] = KNOWN["tasks"]
FOREIGN: dict[str, Any] = KNOWN["foreign"]
STRANGERS: dict[str, str] = FOREIGN["strangers"]
OVER = ("completed", "failed", "cancelled")
STEPS = ["pending", "generating", "merging_files", "creating_repo", "pushing", "completed"]
CALLBACKS = {"WEBHOOK_ALLOW_NETWORKS": "127.0.0.1/32", "WEBHOOK_ALLOW_HTTP": "true"}


# --- the folder -------------------------------------------------------------------------------------

ADDRESSES = {
    "tasks": ("message", "request", "result"),
    "events": ("data",),
    "parts": ("data",),
    "callbacks": ("url", "host"),
}
"""The columns in which release 0.1.0 stores the URL of its forge, or of a receiver."""


@dataclass(frozen=True)
class Moved:
    """The folder with new ports. `moves`: new addresses by old address."""

    data_dir: Path
    moves: dict[str, str]

    @property
    def forge(self) -> str:
        return f"http://127.0.0.1:{(self.data_dir / 'forge.port').read_text()}"

    def with_old_addresses(self, text: str) -> str:
        """The text with the addresses of before."""
        for before, now in self.moves.items():
            text = text.replace(now, before)
        return text


def unpacked(folder: Path, name: str = "data_dir_0_1_0", receiver: str = "") -> Moved:
    """Unpack it to `folder`/data, where a test's service has its data."""
    with tarfile.open(FIXTURES / f"{name}.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    port = reserve_port()
    known = FOREIGN if name.startswith("foreign") else KNOWN
    moves = {f"127.0.0.1:{known['forge_port']}": f"127.0.0.1:{port}"}
    if receiver:
        moves[KNOWN["receiver"]] = receiver.removeprefix("http://")
    (folder / "data" / "forge.port").write_text(str(port))
    _move(folder / "data" / "gencode.db", moves)
    return Moved(folder / "data", moves)


def _move(database: Path, moves: dict[str, str]) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        for table, columns in ADDRESSES.items():
            for column in columns:
                for addresses in moves.items():
                    update = f"UPDATE {table} SET {column} = replace({column}, ?, ?)"
                    connection.execute(update, addresses)


@asynccontextmanager
async def busy_model() -> AsyncIterator[ModelServer]:
    """A model that never answers, so that unfinished tasks stay unfinished."""
    async with model_server(lambda body: Reply(parts=[anyio.Event()])) as model:
        yield model


def tasks_of(client: str, *later: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The tasks of a client, or those of them with this outcome after the upgrade."""
    for name, task in TASKS.items():
        if task["client"] == client and (not later or task["later"] in later):
            yield name, task


@asynccontextmanager
async def client_of(process: Service, client: str) -> AsyncIterator[httpx.AsyncClient]:
    async with api_client(process.url, KNOWN["keys"][client]) as http:
        yield http


def differences(before: Any, now: Any, where: str = "") -> list[str]:
    """Where `now` differs from `before`. Objects may have additional fields."""
    if isinstance(before, dict) and isinstance(now, dict):
        pairs = [(before[name], now.get(name, "is missing"), f"{where}.{name}") for name in before]
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = [(one, now[n], f"{where}[{n}]") for n, one in enumerate(before)]
    else:
        return [] if before == now else [f"{where}: {str(before)[:200]} is now {str(now)[:200]}"]
    return [found for pair in pairs for found in differences(*pair)]


async def gencode(data_dir: Path, *words: str | Path, **variables: str) -> str:
    """The output of the command, which must succeed."""
    done = await run_gencode(words, {"DATA_DIR": str(data_dir)} | variables, data_dir.parent)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


# --- what is over -----------------------------------------------------------------------------------


@pytest.mark.parametrize("client", KNOWN["keys"])
async def test_finished_tasks_are_shown_as_before(tmp_path: Path, client: str) -> None:
    """Answers, the bytes of each event, files, reports and bundles."""
    moved = unpacked(tmp_path)
    async with (
        busy_model() as model,
        service(tmp_path, environment(model)) as process,
        client_of(process, client) as http,
    ):
        for name, task in tasks_of(client):
            if task["status"] in OVER:
                found = await record(http, task["id"], moved.with_old_addresses)
                assert not differences(recorded_before(task), found), name


def recorded_before(task: dict[str, Any]) -> dict[str, Any]:
    """The recorded answers, without the state of the callback, which continues."""
    kept = {part: task[part] for part in ("log", "report", "files", "texts", "bundle") if part in task}
    return kept | {"view": {name: value for name, value in task["view"].items() if name != "callback"}}


async def test_lists_show_each_client_its_own(tmp_path: Path) -> None:
    unpacked(tmp_path)
    async with busy_model() as model, service(tmp_path, environment(model)) as process:
        for client in KNOWN["keys"]:
            async with client_of(process, client) as http:
                await check_list(http, client)
                await check_filter(http, client)
                strange = next(task for task in TASKS.values() if task["client"] != client)
                assert (await http.get(f"/task/{strange['id']}")).status_code == 404
        async with api_client(process.url) as nobody:
            assert (await nobody.get("/tasks")).status_code == 401


async def check_list(http: httpx.AsyncClient, client: str) -> None:
    """All tasks, newest first, over several pages; those that resume have no outcome of their own yet."""
    listed = await pages(http)
    assert [task["task_id"] for task in listed] == sorted(
        (task["id"] for _, task in tasks_of(client)), reverse=True
    )
    status = {task["task_id"]: task["status"] for task in listed}
    for name, task in tasks_of(client):
        expected = [task["status"]] if task["later"] != "completes" else STEPS
        assert status[task["id"]] in expected, name


async def pages(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    found, cursor = [], ""
    while cursor is not None:
        page = await get_json(http, f"/tasks?limit=4&cursor={cursor}")
        found += page["tasks"]
        cursor = page["next_cursor"]
    return found


async def check_filter(http: httpx.AsyncClient, client: str) -> None:
    for status in ("failed", "cancelled"):
        listed = await get_json(http, f"/tasks?limit=100&status={status}")
        ids = {task["task_id"] for task in listed["tasks"]}
        assert ids == {task["id"] for _, task in tasks_of(client) if task["status"] == status}


async def test_repositories_can_be_cloned_from_their_old_urls(tmp_path: Path) -> None:
    moved = unpacked(tmp_path)
    async with busy_model() as model, service(tmp_path, environment(model)):
        assert moved.forge.removeprefix("http://") in moved.moves.values()  # the port that it remembered
        for name, head in KNOWN["heads"].items():
            folder = await cloned(f"{moved.forge}/local/{name}", tmp_path / name)
            assert await git(folder, "rev-parse", "HEAD") == head


# --- tasks that resume ------------------------------------------------------------------------------


def statuses(log: list[StoredEvent]) -> list[str]:
    return [json.loads(data)["status"] for _, kind, data in log if kind == "status"]


async def run_to_completion(http: httpx.AsyncClient, task: dict[str, Any], moved: Moved) -> list[StoredEvent]:
    """The log, which begins as before, has no gap, and ends with completed."""
    log = await history(http, task["id"])
    assert digests(log[: task["last_event_id"]], moved.with_old_addresses) == task["log"]
    assert [id_ for id_, _, _ in log] == list(range(1, len(log) + 1))
    assert statuses(log)[-1] == "completed"
    return log


def check_paid_once(projects: Projects, name: str) -> None:
    """Model calls that were answered before are not made again."""
    if TASKS[name]["unpaid"] is not None:
        assert projects.asked_of(name) == dict.fromkeys(TASKS[name]["unpaid"], 1), name


async def check_repository(http: httpx.AsyncClient, task: dict[str, Any], folder: Path) -> None:
    view = await get_json(http, f"/task/{task['id']}")
    planned = await get_json(http, f"/task/{task['id']}/files")
    clone = await cloned(view["clone_url"], folder)
    assert await git(clone, "rev-parse", "HEAD") == view["commit"]
    assert await files(clone) == {file["path"] for file in planned["files"]}


@pytest.mark.parametrize("workers", [1, 5])
async def test_interrupted_and_queued_tasks_complete(tmp_path: Path, workers: int) -> None:
    moved, projects = unpacked(tmp_path), Projects(KNOWN["projects"])
    async with (
        model_server(projects) as model,
        service(tmp_path, environment(model, MAX_CONCURRENT_TASKS=str(workers))) as process,
    ):
        for client in KNOWN["keys"]:
            async with client_of(process, client) as http:
                for name, task in tasks_of(client, "completes"):
                    log = await run_to_completion(http, task, moved)
                    assert statuses(log) == STEPS, name
                    assert count(log, "resumed") == (task["status"] != "pending"), name
                    check_paid_once(projects, name)
                    await check_repository(http, task, tmp_path / name)
    assert await git(tmp_path / "pushing", "rev-parse", "HEAD") == KNOWN["heads"]["pushing"]


def count(log: list[StoredEvent], kind: str) -> int:
    return sum(found == kind for _, found, _ in log)


async def test_the_paused_task_can_be_approved(tmp_path: Path) -> None:
    moved, projects = unpacked(tmp_path), Projects(KNOWN["projects"])
    task = TASKS["planned"]
    async with (
        model_server(projects) as model,
        service(tmp_path, environment(model)) as process,
        client_of(process, "alice") as http,
    ):
        assert not differences(
            task["view"], await get_json(http, f"/task/{task['id']}", moved.with_old_addresses)
        )
        plan = await get_json(http, f"/task/{task['id']}/plan")
        assert [file["path"] for file in plan["files"]] == task["unpaid"]
        assert (await http.post(f"/task/{task['id']}/approve")).status_code == 202
        log = await run_to_completion(http, task, moved)
        assert (statuses(log), count(log, "approved")) == (STEPS, 1)
        check_paid_once(projects, "planned")
        await check_repository(http, task, tmp_path / "planned")


async def test_failed_tasks_can_be_retried(tmp_path: Path) -> None:
    moved, projects = unpacked(tmp_path), Projects(KNOWN["projects"])
    async with model_server(projects) as model, service(tmp_path, environment(model)) as process:
        for name in ("moneyless", "faulty"):
            task = TASKS[name]
            async with client_of(process, task["client"]) as http:
                assert (await http.post(f"/task/{task['id']}/retry")).status_code == 202
                await run_to_completion(http, task, moved)
                check_paid_once(projects, name)
                await check_repository(http, task, tmp_path / name)


async def test_the_repository_of_another_task_is_still_left_alone(tmp_path: Path) -> None:
    moved, task = unpacked(tmp_path), TASKS["taken"]
    async with (
        busy_model() as model,
        service(tmp_path, environment(model)) as process,
        client_of(process, "local") as http,
    ):
        assert (await http.post(f"/task/{task['id']}/retry")).status_code == 202
        *_, (_, kind, data) = await history(http, task["id"])
        assert (kind, json.loads(data)["code"]) == ("error", "REPO_EXISTS")
        clone = await cloned(f"{moved.forge}/local/english", tmp_path / "english")
        assert await git(clone, "rev-parse", "HEAD") == KNOWN["heads"]["english"]


@pytest.mark.campaign
async def test_callbacks_resume_where_they_were(tmp_path: Path) -> None:
    """Callbacks that were delivered completely, or given up, get nothing more."""
    whole = {"failing": STEPS, "unanswered": STEPS, "queued": STEPS[1:]}
    async with receiver() as its, model_server(Projects(KNOWN["projects"])) as model:
        moved = unpacked(tmp_path, receiver=its.url)
        async with (
            service(tmp_path, environment(model, **CALLBACKS)) as process,
            client_of(process, "alice") as http,
        ):
            await its.until(lambda seen: {name: delivered_statuses(seen, name) for name in whole} == whole)
            for name in ("told", "gone"):
                view = await get_json(http, f"/task/{TASKS[name]['id']}", moved.with_old_addresses)
                assert not differences(TASKS[name]["view"], view)
            assert await process.terminate() == 0
        assert {seen.path for seen in its.seen} == {f"/{name}?token=of-alice" for name in whole}


def delivered_statuses(seen: list[Seen], name: str) -> list[str]:
    """The statuses that a receiver got for a task; each message is verified with the secret of before."""
    mine = [one for one in seen if one.path.startswith(f"/{name}?")]
    secret = Webhook(KNOWN["webhook_secrets"]["alice"])
    bodies = [secret.verify(one.body, dict(one.headers))["data"] for one in mine]
    assert {body["task_id"] for body in bodies} <= {TASKS[name]["id"]}
    return [body["status"] for body in bodies]


# --- keys, tickets, secrets ---------------------------------------------------------------------------


async def test_idempotency_keys_find_their_tasks(tmp_path: Path) -> None:
    unpacked(tmp_path)
    async with busy_model() as model, service(tmp_path, environment(model, **CALLBACKS)) as process:
        for known in KNOWN["idempotency"]:
            async with client_of(process, known["client"]) as http:
                headers = {"Idempotency-Key": known["key"]}
                again = await http.post("/generate", json=known["body"], headers=headers)
                assert (again.status_code, again.headers["Idempotency-Replayed"]) == (202, "true")
                assert again.json()["task_id"] == TASKS[known["task"]]["id"]
                other = await http.post("/generate", json=known["body"] | {"prompt": "x"}, headers=headers)
                assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


async def test_keys_and_secrets_are_unchanged(tmp_path: Path) -> None:
    """The command line lists the keys too, and a key that it creates is accepted."""
    moved = unpacked(tmp_path)
    held = {
        name: (moved.data_dir / name).read_bytes() for name in ("ticket.key", "webhook.key", "forge.token")
    }
    async with busy_model() as model, service(tmp_path, environment(model)) as process:
        for client, secret in KNOWN["webhook_secrets"].items():
            async with client_of(process, client) as http:
                assert await get_json(http, "/webhook-secret") == {"secret": secret}
                await check_ticket(process, http, next(tasks_of(client))[1])
        listed = json.loads(await gencode(moved.data_dir, "keys", "list", "--json"))
        assert {key["name"] for key in listed["keys"]} == set(KNOWN["keys"])
        made = json.loads(await gencode(moved.data_dir, "keys", "make", "carol", "--json"))
        async with api_client(process.url, made["key"]) as carol:
            assert (await get_json(carol, "/tasks"))["tasks"] == []
    assert held == {name: (moved.data_dir / name).read_bytes() for name in held}


async def check_ticket(process: Service, http: httpx.AsyncClient, task: dict[str, Any]) -> None:
    """It opens the stream without a key."""
    made = (await http.post(f"/task/{task['id']}/ticket")).json()
    async with api_client(process.url) as nobody:
        nobody.params = nobody.params.set("ticket", made["ticket"])
        assert len(await history(nobody, task["id"], up_to=1)) == 1


async def test_the_command_line_lists_and_replays(tmp_path: Path) -> None:
    moved, task, bundle = unpacked(tmp_path), TASKS["reported"], tmp_path / "bundle.json"
    async with busy_model() as model, service(tmp_path, environment(model)) as process:
        who = {"GENCODE_URL": process.url, "GENCODE_API_KEY": KNOWN["keys"]["local"]}
        listed = await gencode(moved.data_dir, "tasks", "--limit", "0", "--json", **who)
        ids = [task["task_id"] for task in json.loads(listed)["tasks"]]
        assert sorted(ids) == sorted(task["id"] for _, task in tasks_of("local"))
        await gencode(moved.data_dir, "download", task["id"], "--bundle", bundle, **who)
    await gencode(moved.data_dir, "replay", bundle, "--into", tmp_path / "again.git")
    assert await git(tmp_path / "again.git", "rev-parse", "main") == KNOWN["heads"]["reported"]


async def test_the_cache_answers_from_older_tasks(tmp_path: Path) -> None:
    """Its prompts were others, and so are its cache keys: only tasks of this version answer."""
    unpacked(tmp_path)
    (known,) = (one for one in KNOWN["idempotency"] if one["task"] == "english")
    async with (
        service(tmp_path, {"PROMPT_CACHE": "identical"}) as process,
        client_of(process, "local") as http,
    ):
        first = await complete_task(http, known["body"] | {"repo_name": "first"})
        second = await complete_task(http, known["body"] | {"repo_name": "second"})
    assert first["cached_from"] is None
    assert second["cached_from"] == first["task_id"]


async def complete_task(http: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    """A new task, once it is completed."""
    answer = await http.post("/generate", json=body)
    assert answer.status_code == 202, answer.text
    task_id = answer.json()["task_id"]
    assert statuses(await history(http, task_id)) == STEPS
    view: dict[str, Any] = await get_json(http, f"/task/{task_id}")
    return view


async def test_new_tasks_come_after_the_old_ones(tmp_path: Path) -> None:
    unpacked(tmp_path)
    async with (
        busy_model() as model,
        service(tmp_path, environment(model)) as process,
        client_of(process, "bob") as http,
    ):
        new = await complete_task(http, {"prompt": "A static page", "repo_name": "new", "model": "offline"})
        await check_repository(http, {"id": new["task_id"]}, tmp_path / "new")
        assert new["task_id"] > max(task["id"] for task in TASKS.values())
        assert (await pages(http))[0]["task_id"] == new["task_id"]


async def test_a_backup_of_it_can_be_restored(tmp_path: Path) -> None:
    moved = unpacked(tmp_path)
    (tmp_path / "new").mkdir()
    await gencode(moved.data_dir, "backup", tmp_path / "backup.zip")
    await gencode(tmp_path / "new" / "data", "restore", tmp_path / "backup.zip")
    task = TASKS["english"]
    async with (
        busy_model() as model,
        service(tmp_path / "new", environment(model)) as process,
        client_of(process, "local") as http,
    ):
        assert not differences(
            recorded_before(task), await record(http, task["id"], moved.with_old_addresses)
        )


# --- rows that only a later version knows -----------------------------------------------------------


@asynccontextmanager
async def with_foreign_rows(folder: Path) -> AsyncIterator[tuple[Service, httpx.AsyncClient]]:
    async with service(folder, {}) as process, api_client(process.url) as http:
        yield process, http


async def test_foreign_rows_are_shown_unchanged(tmp_path: Path) -> None:
    unpacked(tmp_path, "foreign_rows_0_1_0")
    known = {task["id"]: task["view"] for task in FOREIGN["tasks"].values()}
    async with with_foreign_rows(tmp_path) as (process, http):
        await check_health(process)
        listed = {task["task_id"]: task for task in await pages(http)}
        assert listed.keys() == {*known, *STRANGERS.values()}
        assert listed[STRANGERS["unknown_kind"]]["kind"] == "teleport"
        for name, status in (("unknown_kind", "pending"), ("unknown_status", "dreaming")):
            view = await get_json(http, f"/task/{STRANGERS[name]}")
            assert (view["status"], view["message"]) == (status, "as a later version left it")
            assert not differences(view, listed[STRANGERS[name]])
            assert len(await history(http, STRANGERS[name], up_to=1)) == 1
        done = await get_json(http, "/tasks?status=completed")
        assert [task["task_id"] for task in done["tasks"]] == [FOREIGN["tasks"]["known"]["id"]]


async def check_health(process: Service) -> None:
    async with httpx.AsyncClient(base_url=process.url, trust_env=False) as http:
        for path in ("/livez", "/readyz", "/health", "/metrics"):
            assert (await http.get(path)).status_code == 200, path


async def test_requests_cannot_change_foreign_rows(tmp_path: Path) -> None:
    """They are refused without an internal error, and nothing is written; each can be read."""
    moved = unpacked(tmp_path, "foreign_rows_0_1_0")
    before = rows(moved.data_dir / "gencode.db")
    async with with_foreign_rows(tmp_path) as (process, http):
        for name, task_id in STRANGERS.items():
            for what in ("cancel", "retry", "approve"):
                answer = await http.post(f"/task/{task_id}/{what}")
                assert 400 <= answer.status_code < 500, (name, what, answer.text)
            for what in ("", "/report", "/plan", "/files", "/bundle", "/archive.zip"):
                answer = await http.get(f"/task/{task_id}{what}")
                assert answer.status_code < 500, (name, what, answer.text)
        assert await process.terminate() == 0
    assert not differences(before, rows(moved.data_dir / "gencode.db"))


@pytest.mark.campaign
async def test_foreign_rows_are_left_alone_and_break_nothing_else(tmp_path: Path) -> None:
    moved = unpacked(tmp_path, "foreign_rows_0_1_0")
    before = rows(moved.data_dir / "gencode.db")
    for name in ("first", "second"):
        async with with_foreign_rows(tmp_path) as (process, http):
            await complete_task(http, {"prompt": "A static page", "repo_name": name})
            for task in FOREIGN["tasks"].values():
                found = await record(http, task["id"], moved.with_old_addresses)
                assert not differences(recorded_before(task), found)
            assert await process.terminate() == 0
    after = rows(moved.data_dir / "gencode.db")
    assert not differences(before, after)
    assert len(before) == len(after) == len(STRANGERS)


AS_BEFORE = """(
    SELECT id, kind, principal AS client, language, created_at, trace,
           CASE WHEN state = 'succeeded' THEN 'completed'
                WHEN state IN ('failed', 'cancelled') THEN state
                WHEN stage = '' THEN 'pending'
                ELSE stage END AS status,
           message, attempts, sequence, updated_at, paused_until AS held_until,
           CASE WHEN json_extract(failure, '$.stage') = '' THEN json_set(failure, '$.stage', 'pending')
                ELSE failure END AS failure,
           result, requests.data AS request, retries, cache_key AS digest
    FROM tasks JOIN requests ON task_id = id
)"""
"""The tasks of schema 6 in the columns of release 0.1.0."""


def _tasks(connection: sqlite3.Connection) -> str:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return AS_BEFORE if version >= 6 else "tasks"


def rows(database: Path) -> dict[str, dict[str, Any]]:
    """The foreign rows and their events, as they are in the tables."""
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        found = {}
        for task_id in STRANGERS.values():
            (task,) = connection.execute(f"SELECT * FROM {_tasks(connection)} WHERE id = ?", (task_id,))
            events = connection.execute("SELECT * FROM events WHERE task_id = ?", (task_id,)).fetchall()
            failure = json.loads(task["failure"] or "null")
            found[task_id] = {**task, "failure": failure, "events": [dict(event) for event in events]}
    return found

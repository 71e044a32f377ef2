"""Row 84: a distinct secret in every input; then every output is searched for them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from base64 import b64encode
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from anyio.abc import Process

from tests.servers.command import run_gencode
from tests.servers.github import Fault, ScriptedGitHub, github_server
from tests.servers.model import ModelServer, call_of, http_error, model_server, plan_and_files, text
from tests.servers.ports import closed_port, reserve_port
from tests.servers.receiver import receiver

ROOT = Path(__file__).parents[2]
START_SECONDS = 60

# None of them looks like a secret: only by their values can they be redacted.
API_KEY = "purple-walrus-of-alice"
HASHED_KEY = "orange-walrus-of-bob"
WRONG_KEY = "yellow-walrus-of-nobody"
GITHUB_TOKEN = "purple-octopus-token"
DEEPSEEK_KEY = "purple-whale-of-deepseek"
PROVIDER_KEY = "purple-heron-of-another"
HEADER_KEY = "orange-heron-in-a-header"
PROMPT = "purple-prompt-of-alice"
IDEMPOTENCY = "purple-idempotency-key"
QUERY = "purple-query-parameter"
AFTER = "purple-after-parameter"
CALLBACK = "purple-crow-in-a-callback"
WEBHOOK_SECRET = f"whsec_{b64encode(b'purple-swan-that-signs-callbacks').decode()}"
SLACK_SECRET = "purple-raven-of-slack"
MATTERMOST_TOKEN = "purple-raven-of-mattermost"
GIT_CREDENTIALS = b64encode(f"x-access-token:{GITHUB_TOKEN}".encode()).decode()

MAY_BE: Mapping[str, set[str]] = {
    API_KEY: set(),
    HASHED_KEY: set(),
    WRONG_KEY: set(),
    GITHUB_TOKEN: {"authorization at github"},
    GIT_CREDENTIALS: {"authorization at github"},
    DEEPSEEK_KEY: {"authorization at deepseek"},
    PROVIDER_KEY: {"authorization at another"},
    HEADER_KEY: {"headers at another"},
    PROMPT: {"database", "bodies at deepseek", "bodies at another"},
    IDEMPOTENCY: {"database"},
    CALLBACK: {"database", "bodies at receiver"},
    WEBHOOK_SECRET: set(),
    SLACK_SECRET: set(),
    MATTERMOST_TOKEN: set(),
    QUERY: set(),
    AFTER: set(),
}
"""Where each is, and must be; no other place may have it."""


@dataclass
class Outputs:
    """All outputs of the service, by name."""

    texts: defaultdict[str, bytes] = field(default_factory=lambda: defaultdict(bytes))

    def add(self, place: str, text: bytes | str) -> None:
        self.texts[place] += (text if isinstance(text, bytes) else text.encode()) + b"\n"

    def answer(self, answer: httpx.Response) -> httpx.Response:
        self.add("answers", f"{answer.status_code} {answer.headers.raw} {answer.text}")
        return answer

    def folder(self, place: str, paths: Iterable[Path]) -> None:
        for path in paths:
            self.add(place, str(path))
            if path.is_file():
                self.add(place, path.read_bytes())

    def request(self, where: str, headers: Mapping[str, str], rest: bytes) -> None:
        headers = {name.lower(): value for name, value in headers.items()}
        self.add(f"authorization at {where}", headers.pop("authorization", ""))
        self.add(f"headers at {where}", str(headers))
        self.add(f"bodies at {where}", rest)

    def holding(self, secret: str) -> set[str]:
        return {place for place, text in self.texts.items() if secret.encode() in text}


# --- the service ------------------------------------------------------------------------------------


def environment(folder: Path, deepseek: ModelServer, another: ModelServer, github: ScriptedGitHub) -> Any:
    quirks = {"headers": {"X-Extra-Key": HEADER_KEY}}
    entry = {"base_url": another.base_url, "model": "m", "api_key": PROVIDER_KEY, "quirks": quirks}
    return {
        "API_KEYS": f"alice={API_KEY},bob=sha256:{hashlib.sha256(HASHED_KEY.encode()).hexdigest()}",
        "GITHUB_TOKEN": github.token,
        "GITHUB_API_URL": github.api_url,
        "DEEPSEEK_API_KEY": DEEPSEEK_KEY,
        "DEEPSEEK_BASE_URL": deepseek.base_url,
        "PROVIDERS": json.dumps({"another": entry}),
        "WEBHOOK_SECRET": WEBHOOK_SECRET,
        "WEBHOOK_ALLOW_NETWORKS": "127.0.0.1/32",
        "WEBHOOK_ALLOW_HTTP": "true",
        "SLACK_SIGNING_SECRET": SLACK_SECRET,
        "MATTERMOST_TOKEN": MATTERMOST_TOKEN,
        "MATTERMOST_URL": f"http://127.0.0.1:{closed_port()}",
        "SERVER_PORT": str(reserve_port()),
        "DATA_DIR": str(folder / "data"),
        "LOG_LEVEL": "DEBUG",
    }


@asynccontextmanager
async def child(folder: Path, variables: Mapping[str, str], outputs: Outputs) -> AsyncIterator[Process]:
    """`gencode serve`, ready; its output and its logs go to `outputs`."""
    (folder / "tmp").mkdir()
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TMPDIR": str(folder / "tmp")}
    async with await anyio.open_process(
        [sys.executable, "-m", "gencode", "serve"],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env={**env, "HOME": str(folder), **variables},
    ) as process:
        ready = anyio.Event()
        async with anyio.create_task_group() as tg:
            tg.start_soon(_read_output, process, outputs, ready)
            try:
                with anyio.fail_after(START_SECONDS):
                    await ready.wait()
                assert b"gencode is ready" in outputs.texts["output"], outputs.texts["output"].decode()
                yield process
            finally:
                if process.returncode is None:
                    process.terminate()


async def _read_output(process: Process, outputs: Outputs, ready: anyio.Event) -> None:
    assert process.stdout
    async for block in process.stdout:
        outputs.texts["output"] += block
        if b"gencode is ready" in outputs.texts["output"]:
            ready.set()
    ready.set()


# --- what clients do --------------------------------------------------------------------------------


async def run(http: httpx.AsyncClient, outputs: Outputs, name: str, **asked: Any) -> dict[str, Any]:
    """A task from its submission to the end of its stream, with secrets in every input of a client."""
    body = {"prompt": f"say {PROMPT}", "repo_name": name, **asked}
    headers = {"Idempotency-Key": f"{IDEMPOTENCY}-{name}", "Cookie": f"session={QUERY}"}
    posted = await http.post("/api/v1/generate", params={"unknown": QUERY}, json=body, headers=headers)
    task_id = outputs.answer(posted).json()["task_id"]
    params = {"include": "delta", "unknown": QUERY}
    async with http.stream("GET", f"/api/v1/status/{task_id}", params=params) as stream:
        outputs.add("streams", await stream.aread())
    shown: dict[str, Any] = outputs.answer(await http.get(f"/api/v1/task/{task_id}")).json()
    return shown


async def ticket_of(http: httpx.AsyncClient, outputs: Outputs, task_id: str) -> str:
    """A ticket for the stream of the task, used once in place of the key."""
    given = outputs.answer(await http.post(f"/api/v1/task/{task_id}/ticket"))
    ticket: str = given.json()["ticket"]
    url = http.base_url.join(f"/api/v1/status/{task_id}")
    async with httpx.AsyncClient(trust_env=False) as browser:
        opened = await browser.get(url, params={"ticket": ticket})
    assert opened.status_code == 200
    outputs.add("streams", opened.content)
    return ticket


async def send_refused_requests(http: httpx.AsyncClient, outputs: Outputs, task_id: str) -> None:
    """Every other way to send a secret."""
    wrong = {"Authorization": f"Bearer {WRONG_KEY}"}
    basic = {"Authorization": f"Basic {b64encode(WRONG_KEY.encode()).decode()}", "X-API-Key": WRONG_KEY}
    path = f"/api/v1/status/{task_id}"
    for answer in (
        await http.get(path, headers=wrong),
        await http.get(path, headers=basic),
        await http.post("/api/v1/generate", headers=wrong, json={"prompt": WRONG_KEY, "repo_name": "x"}),
        await http.get(path, params={"after": AFTER}),
        await http.get(path, headers={"Last-Event-ID": AFTER}),
        await http.get("/api/v1/nothing", params={"key": QUERY}),
        await http.post("/api/v1/generate", params={"key": QUERY}, content=b"{}"),
        await http.post("/api/v1/generate", json={"prompt": WRONG_KEY, "repo_name": "no name"}),
        await http.post(
            "/api/v1/generate",
            json={"prompt": "x", "repo_name": "x", "callback_url": f"https://10.0.0.1/{CALLBACK}"},
        ),
        await http.post("/integrations/slack", data={"token": WRONG_KEY, "text": WRONG_KEY}),
        await http.post("/integrations/mattermost", data={"token": WRONG_KEY, "text": WRONG_KEY}),
        await http.post("/mcp", headers=wrong, json={"prompt": WRONG_KEY}),
    ):
        assert 400 <= answer.status_code < 500
        outputs.answer(answer)


async def request_every_page(http: httpx.AsyncClient, outputs: Outputs) -> None:
    bob = {"X-API-Key": HASHED_KEY, "Authorization": ""}
    for path in ("/", "/health", "/livez", "/readyz", "/metrics", "/api/v1/tasks"):
        assert outputs.answer(await http.get(path, headers=bob)).status_code == 200


def collect(outputs: Outputs, folder: Path, process: Process) -> None:
    """The files on disk while the service runs: the write-ahead log is not merged into the database yet."""
    data = folder / "data"
    database = list(data.glob("gencode.db*"))
    assert len(database) > 1
    outputs.folder("database", database)
    outputs.folder("data", (path for path in data.rglob("*") if path not in database))
    outputs.folder("temporary files", (folder / "tmp").rglob("*"))
    outputs.add("command line", Path(f"/proc/{process.pid}/cmdline").read_bytes())


async def collect_remote(outputs: Outputs, github: ScriptedGitHub, models: Mapping[str, ModelServer]) -> None:
    for where, model in models.items():
        for seen in model.requests:
            outputs.request(where, seen.headers, f"{seen.path} {json.dumps(seen.body)}".encode())
    for request in github.requests:
        outputs.request("github", request.headers, request.path.encode() + request.body)
    for repository in github.git.root.glob("*/*.git"):
        everything = ("log", "--all", "--patch", "--format=raw")
        outputs.add("git objects", await github.git.git(repository, *everything))


@pytest.mark.fault(84)
async def test_every_secret_is_only_where_it_belongs(tmp_path: Path) -> None:
    """Row 84: secrets in every input are in no log, event, database, temporary file or URL."""
    outputs = Outputs()
    echo = f"Incorrect API key {PROVIDER_KEY}, header Bearer {PROVIDER_KEY} and {HEADER_KEY}"
    async with (
        model_server(plan_and_files({"app.py": "print('hello')\n"})) as deepseek,
        model_server(http_error(401, {"message": echo})) as another,
        github_server(tmp_path / "github", GITHUB_TOKEN) as github,
        receiver() as told,
    ):
        variables = environment(tmp_path, deepseek, another, github)
        url = f"http://127.0.0.1:{variables['SERVER_PORT']}"
        async with (
            child(tmp_path, variables, outputs) as process,
            httpx.AsyncClient(base_url=url, trust_env=False, timeout=120) as http,
        ):
            http.headers["Authorization"] = f"Bearer {API_KEY}"
            done = await run(http, outputs, "hello", callback_url=f"{told.url}/{CALLBACK}?token={CALLBACK}")
            nowhere = f"http://127.0.0.1:{closed_port()}/{CALLBACK}"
            denied = await run(http, outputs, "denied", model="another", callback_url=nowhere)
            said = f"{GITHUB_TOKEN} (Basic {GIT_CREDENTIALS}) may not"
            github.fail("create", Fault(status=403, body={"message": said}))
            forbidden = await run(http, outputs, "forbidden")
            plain = {"content-type": "text/plain"}
            github.fail("receive_pack", Fault(status=403, headers=plain, body=said.encode()))
            unpushed = await run(http, outputs, "unpushed")
            ticket = await ticket_of(http, outputs, done["task_id"])
            await send_refused_requests(http, outputs, done["task_id"])
            await request_every_page(http, outputs)
            collect(outputs, tmp_path, process)
        outputs.folder("data", (tmp_path / "data").rglob("*.lock"))
        outputs.folder("database", (tmp_path / "data").glob("gencode.db*"))
        for seen in told.seen:
            outputs.request("receiver", seen.headers, seen.path.encode() + seen.body)
        await collect_remote(outputs, github, {"deepseek": deepseek, "another": another})
    codes = [task["error"] and task["error"]["code"] for task in (done, denied, forbidden, unpushed)]
    assert codes == [None, "LLM_AUTH", "GITHUB_FORBIDDEN", "GIT_AUTH"]
    assert all("[redacted]" in task["error"]["message"] for task in (denied, forbidden, unpushed))
    logged = [json.loads(line) for line in outputs.texts["output"].splitlines() if line.startswith(b"{")]
    assert sum(line["event"] == "task over" for line in logged) == 4
    assert {line["logger"].partition(".")[0] for line in logged} == {"gencode"}
    assert b"print('hello')" in outputs.texts["git objects"]
    assert {secret: outputs.holding(secret) for secret in MAY_BE} == MAY_BE
    assert outputs.holding(ticket) == {"answers"}


def _escaped(secret: str) -> str:
    """In JSON escapes: the text of the answer does not show it."""
    return "".join(f"\\u{ord(character):04x}" for character in secret)


ANSWERS: Mapping[str, tuple[str, str]] = {
    "summary": (f'{{"summary": "{GITHUB_TOKEN}", "files": [{{"path": "app.py"}}]}}', "x = 1\n"),
    "purpose": (
        f'{{"summary": "s", "files": [{{"path": "app.py", "purpose": "{PROVIDER_KEY}"}}]}}',
        "x = 1\n",
    ),
    "path": (f'{{"summary": "s", "files": [{{"path": "{DEEPSEEK_KEY}.py"}}]}}', "x = 1\n"),
    "escaped": (
        f'{{"summary": "s", "files": [{{"path": "{_escaped(DEEPSEEK_KEY)}.py"}}, {{"path": "b.py"}}]}}',
        "x = 1\n",
    ),
    "escaped-unsafe": (f'{{"summary": "s", "files": [{{"path": "../{_escaped(DEEPSEEK_KEY)}"}}]}}', ""),
    "not-json": (f"I do not plan, but the key is {DEEPSEEK_KEY}", ""),
    "file": ('{"summary": "s", "files": [{"path": "app.py"}]}', f"TOKEN = '{API_KEY}'\nx = 1\n"),
}
"""By where the model repeats a secret of the service: its plan, and each file."""


@pytest.mark.fault(84)
@pytest.mark.parametrize("where", ANSWERS)
async def test_a_secret_that_the_model_repeats_is_nowhere(tmp_path: Path, where: str) -> None:
    """Row 84: cut into chunks of three characters; nothing is delivered."""
    plan, content = ANSWERS[where]
    outputs = Outputs()
    async with (
        model_server(lambda body: text(plan if call_of(body)[0] == "plan" else content, size=3)) as deepseek,
        model_server(http_error(401, {})) as another,
        github_server(tmp_path / "github", GITHUB_TOKEN) as github,
    ):
        variables = environment(tmp_path, deepseek, another, github)
        url = f"http://127.0.0.1:{variables['SERVER_PORT']}"
        async with (
            child(tmp_path, variables, outputs) as process,
            httpx.AsyncClient(base_url=url, trust_env=False, timeout=120) as http,
        ):
            http.headers["Authorization"] = f"Bearer {API_KEY}"
            failed = await run(http, outputs, "hello", allow_secrets=True)
            task = f"/api/v1/task/{failed['task_id']}"
            for part in ("files", "report", "plan", "archive.zip", "bundle"):
                outputs.answer(await http.get(f"{task}/{part}"))
            collect(outputs, tmp_path, process)
    assert failed["error"]["code"] == "SECRET_FOUND"
    assert "secret of this service" in failed["error"]["message"]
    assert not github.effects
    for secret in (GITHUB_TOKEN, PROVIDER_KEY, DEEPSEEK_KEY, API_KEY):
        assert outputs.holding(secret) == set()


@pytest.mark.fault(84)
@pytest.mark.parametrize(
    "variables",
    [
        {"DEEPSEEK_API_KEY": "k", "DEEPSEEK_BASE_URL": f"http://me:{QUERY}@127.0.0.1/v1"},
        {"GITHUB_TOKEN": "t", "GITHUB_API_URL": f"http://{QUERY}@127.0.0.1/api/v3"},
        {"GITHUB_TOKEN": f"{QUERY}\nX: y"},
        {"DEEPSEEK_API_KEY": f"{QUERY}\nX: y"},
        {"API_KEYS": f"{QUERY}=="},
        {"PROVIDERS": '{"x": {"api_key": "' + QUERY},
        {"MATTERMOST_TOKEN": QUERY, "MATTERMOST_URL": "http://127.0.0.1:1"},
        {"WEBHOOK_SECRET": QUERY},
        {"PROVIDERS": json.dumps({"x": {"base_url": 1, "model": "m", "api_key": QUERY}})},
        {"PROVIDERS": json.dumps({"x": {"base_url": "http://h", "model": "m", "quirks": {"prefix": QUERY}}})},
    ],
)
async def test_a_refusal_to_start_contains_no_secret(tmp_path: Path, variables: Mapping[str, str]) -> None:
    """Row 84: with secrets where none may be, the service refuses to start and does not print them."""
    own = {"HOME": str(tmp_path), "LOG_LEVEL": "DEBUG", "SERVER_PORT": "0"}
    done = await run_gencode(["serve"], own | variables, tmp_path)
    assert done.returncode == 2
    assert b"gencode cannot start" in done.stderr
    assert QUERY.encode() not in done.stdout + done.stderr

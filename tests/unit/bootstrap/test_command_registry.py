"""Every command against a running service: what it prints, and its exit status."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import SecretStr
from starlette.responses import Response

from gencode.auth.key_store import key_store
from gencode.bootstrap.command_registry import REGISTRY, main
from tests.servers.calls import FILES
from tests.servers.github import github_server
from tests.servers.model import http_error, model_server, plan_and_files
from tests.servers.ports import closed_port
from tests.servers.scripted import Scripted, problem
from tests.servers.service import App, running_app, settings

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GENCODE_URL", "GENCODE_API_KEY", "GENCODE_API_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)


async def gencode(*arguments: str) -> int:
    """Run a command in a thread, since it runs an event loop of its own."""
    return await anyio.to_thread.run_sync(main, arguments)


async def document(capsys: Capture, app: App, *arguments: str) -> Any:
    """The document that a command prints with --json. It must succeed."""
    assert await gencode(*arguments, "--json", "--url", app.url) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    (line,) = documents(shown.out)
    return line


def documents(shown: str) -> list[Any]:
    """The lines that are JSON: the service runs in this process and logs to the same stream."""
    return [json.loads(line) for line in shown.splitlines() if line.startswith("{")]


def task_in(shown: str) -> str:
    found = re.search(r"^task (\S+)$", shown, re.MULTILINE)
    assert found
    return found[1]


async def test_following_a_task_ends_with_the_clone_command_and_status_0(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("say hello\nin two lines\n"))
    async with (
        model_server(plan_and_files(FILES)) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github)) as app,
    ):
        assert await gencode("generate", "-", "--repo", "hello", "--follow", "--url", app.url) == 0
        shown = capsys.readouterr().out
        assert f"git clone {github.url}/octo/hello" in shown
        assert "planned 2 files" in shown
        task_id = task_in(shown)
        assert await gencode("watch", task_id, "--url", app.url) == 0
        assert f"git clone {github.url}/octo/hello" in capsys.readouterr().out
        assert "say hello\\nin two lines" in repr(model.requests[0].body)


async def test_without_follow_the_watch_command_is_printed(tmp_path: Path, capsys: Capture) -> None:
    async with model_server(plan_and_files(FILES)) as model, running_app(settings(tmp_path, model)) as app:
        assert await gencode("generate", "say hello", "--repo", "hello", "--url", app.url) == 0
        shown = capsys.readouterr().out
        assert f"gencode watch {task_in(shown)}" in shown


async def test_every_command_prints_json_for_scripts(tmp_path: Path, capsys: Capture) -> None:
    async with model_server(plan_and_files(FILES)) as model, running_app(settings(tmp_path, model)) as app:
        made = await document(capsys, app, "estimate", "say hello", "--repo", "hello")
        assert made["basis"]
        accepted = await document(capsys, app, "generate", "say hello", "--repo", "hello")
        task_id = accepted["task_id"]
        assert await gencode("watch", task_id, "--json", "--url", app.url) == 0
        lines = documents(capsys.readouterr().out)
        ids = [line["id"] for line in lines if line["id"]]
        assert ids == list(range(1, len(ids) + 1))
        assert (lines[-1]["event"], lines[-1]["data"]["status"]) == ("task", "completed")
        assert (await document(capsys, app, "tasks"))["tasks"][0]["task_id"] == task_id
        assert (await document(capsys, app, "tasks", "--status", "failed"))["tasks"] == []
        assert (await document(capsys, app, "show", task_id))["status"] == "completed"
        files = (await document(capsys, app, "show", task_id, "--files"))["files"]
        assert {"app.py", "README.md"} <= {file["path"] for file in files}
        assert (await document(capsys, app, "show", task_id, "--file", "app.py"))["text"] == FILES["app.py"]
        assert (await document(capsys, app, "show", task_id, "--report"))["task_id"] == task_id
        bundle, copy = tmp_path / "b.json", tmp_path / "copy"
        await document(capsys, app, "download", task_id, "--bundle", str(bundle))
        assert await gencode("replay", str(bundle), "--into", str(copy), "--json") == 0
        assert documents(capsys.readouterr().out)[0]["commit"] == json.loads(bundle.read_text())["sha"]


async def test_a_download_overwrites_nothing(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with model_server(plan_and_files(FILES)) as model, running_app(settings(tmp_path, model)) as app:
        url = ("--url", app.url)
        assert await gencode("generate", "say hello", "--repo", "hello", "--follow", *url) == 0
        task_id = task_in(capsys.readouterr().out)
        assert await gencode("download", task_id, *url) == 0
        assert capsys.readouterr().out.endswith("hello.zip\n")
        assert await gencode("download", task_id, *url) == 2
        assert "hello.zip exists" in capsys.readouterr().err
        assert await gencode("download", task_id, "--into", "new", *url) == 0
        assert Path("new/app.py").read_text() == FILES["app.py"]
        assert await gencode("download", task_id, "--into", "new", *url) == 2
        assert "not empty" in capsys.readouterr().err


async def test_a_failed_task_exits_with_1_and_can_be_retried(tmp_path: Path, capsys: Capture) -> None:
    async with (
        model_server(http_error(401, {"message": "bad key"})) as model,
        running_app(settings(tmp_path, model)) as app,
    ):
        url = ("--url", app.url)
        assert await gencode("generate", "p", "--repo", "r", "--follow", *url) == 1
        shown = capsys.readouterr().out
        assert "LLM_AUTH" in shown
        task_id = task_in(shown)
        assert f"gencode retry {task_id}" in shown
        assert await gencode("show", task_id, *url) == 0
        assert "LLM_AUTH while generating" in capsys.readouterr().out
        assert await gencode("tasks", *url) == 0
        assert "LLM_AUTH" in capsys.readouterr().out
        assert await gencode("retry", task_id, "--max-tokens", "100000", "--follow", *url) == 1
        assert "goes on where it stopped" in capsys.readouterr().out


async def test_cancel_ends_the_task(tmp_path: Path, capsys: Capture) -> None:
    gates = {path: anyio.Event() for path in FILES}
    async with (
        model_server(plan_and_files(FILES, gates=gates)) as model,
        running_app(settings(tmp_path, model)) as app,
    ):
        accepted = await document(capsys, app, "generate", "say hello", "--repo", "hello")
        assert await gencode("cancel", accepted["task_id"], "--url", app.url) == 0
        assert "\ncancelled: " in capsys.readouterr().out
        assert await gencode("watch", accepted["task_id"], "--url", app.url) == 1


async def test_a_refusal_exits_with_3_and_its_code(tmp_path: Path, capsys: Capture) -> None:
    async with running_app(settings(tmp_path)) as app:
        assert await gencode("generate", "p", "--repo", "no/name", "--url", app.url) == 3
        assert "[VALIDATION]" in capsys.readouterr().err
        assert await gencode("watch", "unknown", "--url", app.url) == 3
        assert "[NOT_FOUND]" in capsys.readouterr().err
        assert await gencode("show", "unknown", "--json", "--url", app.url) == 3
        shown = capsys.readouterr()
        assert shown.out == ""
        assert json.loads(shown.err)["code"] == "NOT_FOUND"


EVIL = "\x1b[2J\x9b2J\x07\u202e\ud800"
"""The 7-bit and the 8-bit control sequence introducer, a bell, a bidirectional override, a lone surrogate."""


def answering(document: dict[str, Any]) -> Response:
    answer = problem(200, "x")
    answer.body = json.dumps(document).encode()
    answer.headers["content-length"] = str(len(answer.body))
    return answer


@pytest.mark.parametrize("json_too", [False, True])
@pytest.mark.parametrize("command", ["show", "retry", "retry --follow"])
async def test_text_of_a_server_cannot_control_the_terminal(
    command: str, json_too: bool, capsys: Capture
) -> None:
    task = {"message": EVIL, "task_id": f"t{EVIL}", "status": "failed", "error": None, "last_event_id": 1}
    shown_task = answering(task)
    routes: dict[str, Sequence[Response]] = {
        "GET /task/t": [shown_task, shown_task, shown_task],
        "POST /task/t/retry": [shown_task],
        "GET /status/t": [shown_task],
    }
    async with Scripted(routes).served() as url:
        await gencode(*command.split(), "t", "--url", url, *(["--json"] if json_too else []))
    shown = capsys.readouterr()
    assert "2J" in shown.out
    assert all(line.isprintable() for line in (shown.out + shown.err).splitlines())
    if json_too:
        first = json.loads(shown.out.splitlines()[0])
        assert first.get("data", first)["message"] == EVIL


async def test_an_archive_is_written_to_the_current_folder_whatever_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    task = answering({"task_id": "t", "repo_name": "../out"})
    archive = answering({"any": "bytes"})
    async with Scripted({"GET /task/t": [task], "GET /task/t/archive.zip": [archive]}).served() as url:
        assert await gencode("download", "t", "--url", url) == 0
    assert [path.relative_to(tmp_path) for path in tmp_path.rglob("*.zip")] == [Path("here/out.zip")]


# --- the key ----------------------------------------------------------------------------------------


async def test_the_api_key_is_read_from_a_file_or_the_environment(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key"
    file.write_text("alices-key\n")
    async with running_app(settings(tmp_path, api_keys=SecretStr("alice=alices-key"))) as app:
        assert await gencode("tasks", "--url", app.url) == 3
        assert "[UNAUTHORIZED]" in capsys.readouterr().err
        assert await gencode("tasks", "--url", app.url, "--key-file", str(file)) == 0
        assert await gencode("tasks", "--url", app.url, "--key-file", str(tmp_path / "none")) == 2
        assert "cannot be read" in capsys.readouterr().err
        monkeypatch.setenv("GENCODE_URL", app.url)
        monkeypatch.setenv("GENCODE_API_KEY_FILE", str(file))
        assert await gencode("tasks") == 0
        monkeypatch.delenv("GENCODE_API_KEY_FILE")
        monkeypatch.setenv("GENCODE_API_KEY", "alices-key")
        assert await gencode("tasks") == 0


def test_keys_are_created_listed_and_revoked(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("SERVER_HOST", "0.0.0.0")  # such a service does not start without a key
    assert main(["keys", "list"]) == 0
    assert "no keys in" in capsys.readouterr().out
    assert main(["keys", "make", "alice"]) == 0
    shown = capsys.readouterr()
    key = shown.out.strip()
    assert re.fullmatch(r"gck_[0-9a-f]{48}", key)
    assert key not in shown.err
    assert "wants a key from now on" in shown.err
    assert main(["keys", "make", "bob", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert main(["keys", "list"]) == 0
    listed = capsys.readouterr().out
    assert "alice" in listed
    assert key not in listed
    assert main(["keys", "revoke", made["id"], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["revoked"][0]["name"] == "bob"
    assert main(["keys", "revoke", "alice"]) == 0
    assert "No key is left" in capsys.readouterr().err
    assert main(["keys", "revoke", "alice"]) == 2
    assert "no key of this name" in capsys.readouterr().err
    assert main(["keys", "make", "a,b"]) == 2
    assert main(["keys", "make", "x", "--data-dir", "/proc/none"]) == 2
    assert "DATA_DIR" in capsys.readouterr().err


def test_options_of_a_key_are_listed(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    options = ["--label", "build server", "--rate", "10/minute", "--expires", "2099-12-30", "--operator"]
    assert main(["keys", "make", "alice", *options]) == 0
    assert main(["keys", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out.splitlines()[-1])["keys"][0]
    expected = {
        "label": "build server",
        "rate": "10/minute",
        "expires_at": "2099-12-31T00:00:00Z",
        "operator": True,
    }
    assert expected.items() <= listed.items()
    assert main(["keys", "list"]) == 0
    words = "alice  operator  10/minute  expires 2099-12-31T00:00:00Z  (build server)"
    assert words in capsys.readouterr().out
    for wrong in (["--expires", "2000-01-01"], ["--label", "a\nb"]):
        assert main(["keys", "make", "bob", *wrong]) == 2
    with pytest.raises(SystemExit) as caught:
        main(["keys", "make", "bob", "--rate", "often"])
    assert caught.value.code == 2
    assert "bob" not in key_store(tmp_path / "data").path.read_text()


# --- errors before a request ------------------------------------------------------------------------


def test_without_a_service_the_error_says_how_to_start_one(capsys: Capture) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    assert main(["generate", "p", "--repo", "r", "--url", url]) == 4
    shown = capsys.readouterr().err
    assert url in shown
    assert "gencode serve" in shown
    assert main(["watch", "t", "--url", url, "--json"]) == 4
    assert json.loads(capsys.readouterr().err)["code"] == "UNREACHABLE"


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_an_invalid_configuration_exits_with_2_and_names_the_setting(
    command: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SERVER_PORT", "eighty")
    assert main([command]) == 2
    assert "SERVER_PORT" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["generate", "p"],
        ["watch"],
        ["generate", "--repo", "r"],
        ["keys"],
        ["tasks", "--key", "k"],
    ],
)
def test_wrong_usage_exits_with_2(arguments: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: gencode" in capsys.readouterr().err


WITH_VERBS = (
    *("audit", "blueprint", "build-environments", "deployments", "keys", "knowledge", "secrets", "templates"),
    "users",
)
"""Each verb has options of its own."""


@pytest.mark.parametrize("command", REGISTRY.commands)
def test_every_command_has_help_and_json(command: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert f"gencode {command}" in shown
    module = import_module(REGISTRY.commands[command].module)
    assert (module.__doc__ or "").startswith(f"gencode {command}")
    assert "--json" in shown or command in ("serve", "worker", "demo", *WITH_VERBS)


def test_ctrl_c_stops_the_watching_and_not_the_task(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gencode.cli.client_options.anyio.run", interrupt)
    assert main(["watch", "t"]) == 130
    shown = capsys.readouterr().err
    assert "the task goes on" in shown
    assert "gencode watch t" in shown


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--version"], {"httpx", "anyio", "pydantic", "rich", "starlette"}),
        (["keys", "list"], {"httpx", "starlette", "uvicorn", "dulwich", "rich"}),
        (["tasks", "--url", "http://127.0.0.1:9"], {"starlette", "uvicorn", "dulwich", "aiohttp"}),
        (["serve"], {"gencode.cli.display.live_display", "mcp", "opentelemetry"}),
    ],
)
def test_each_command_imports_only_what_it_needs(
    arguments: list[str], unwanted: set[str], tmp_path: Path
) -> None:
    program = (
        "import sys; from gencode.bootstrap.command_registry import main\n"
        "try: main()\nfinally: print('\\nNAMES', *sys.modules)"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(tmp_path),
        "SERVER_PORT": "0",
        "FORGE_PORT": "x",
    }
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    loaded = set(done.stdout.rpartition("NAMES")[2].split())
    assert loaded
    assert not unwanted & loaded

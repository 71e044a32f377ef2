"""The command line against a running service: what it prints, and the status it exits with."""

from __future__ import annotations

import io
import re
from pathlib import Path

import anyio
import pytest

from gencode.cli import main
from tests.servers.calls import FILES
from tests.servers.github import github_server
from tests.servers.model import http_error, model_server, plan_and_files
from tests.servers.peer import closed_port
from tests.servers.service import running_app, settings

Capture = pytest.CaptureFixture[str]


async def gencode(*arguments: str) -> int:
    """In a thread: it runs an event loop of its own."""
    return await anyio.to_thread.run_sync(main, arguments)


def task_in(shown: str) -> str:
    found = re.search(r"^task (\S+)$", shown, re.MULTILINE)
    assert found
    return found[1]


async def test_a_prompt_becomes_a_repository_and_zero(
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


async def test_without_follow_it_says_how_to(tmp_path: Path, capsys: Capture) -> None:
    async with (
        model_server(plan_and_files(FILES)) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github)) as app,
    ):
        assert await gencode("generate", "say hello", "--repo", "hello", "--url", app.url) == 0
        shown = capsys.readouterr().out
        assert f"gencode watch {task_in(shown)}" in shown


async def test_a_task_that_fails_exits_with_one_and_its_code(tmp_path: Path, capsys: Capture) -> None:
    async with (
        model_server(http_error(401, {"message": "bad key"})) as model,
        running_app(settings(tmp_path, model)) as app,
    ):
        assert await gencode("generate", "p", "--repo", "r", "--follow", "--url", app.url) == 1
        assert "LLM_AUTH" in capsys.readouterr().out


async def test_a_refusal_exits_with_one_and_its_reason(tmp_path: Path, capsys: Capture) -> None:
    async with running_app(settings(tmp_path)) as app:
        assert await gencode("generate", "p", "--repo", "no/name", "--url", app.url) == 1
        assert "[VALIDATION]" in capsys.readouterr().err
        assert await gencode("watch", "unknown", "--url", app.url) == 1
        assert "[NOT_FOUND]" in capsys.readouterr().err


def test_where_no_service_is_it_says_how_to_start_one(capsys: Capture) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    assert main(["generate", "p", "--repo", "r", "--url", url]) == 1
    shown = capsys.readouterr().err
    assert url in shown
    assert "gencode serve" in shown


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_wrong_configuration_exits_with_two_and_names_the_setting(
    command: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SERVER_PORT", "eighty")
    assert main([command]) == 2
    assert "SERVER_PORT" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["generate", "p"], ["watch"], ["generate", "--repo", "r"]]
)
def test_wrong_usage_exits_with_two(arguments: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: gencode" in capsys.readouterr().err


def test_stopping_to_watch_is_no_error_of_the_task(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gencode.cli.anyio.run", interrupt)
    assert main(["watch", "t"]) == 130
    assert "the task goes on" in capsys.readouterr().err

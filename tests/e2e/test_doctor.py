"""`gencode doctor` as operators run it: before the first start, beside a service, with wrong settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse

from tests.servers.command import run_gencode
from tests.servers.fixed_reply import fixed_reply_server
from tests.servers.ports import closed_port
from tests.servers.service import service

KEY = "sk-a-key-that-nobody-may-see"


async def doctor(folder: Path, status: int, *arguments: str, **variables: str) -> tuple[Any, str]:
    """Its JSON document, and its other output."""
    own = {"DATA_DIR": str(folder / "data"), "SERVER_PORT": str(closed_port())}
    done = await run_gencode(["doctor", *arguments], own | variables, folder)
    assert done.returncode == status, done.stdout + done.stderr
    assert KEY.encode() not in done.stdout + done.stderr
    return (json.loads(done.stdout) if "--json" in arguments else None), done.stdout.decode()


def state(document: Any, about: str) -> list[str]:
    return [finding["state"] for finding in document["findings"] if finding["about"] == about]


async def test_before_the_first_start_it_finds_no_fault_and_creates_nothing(tmp_path: Path) -> None:
    document, _ = await doctor(tmp_path, 0, "--json")
    assert document["ok"]
    assert list(tmp_path.iterdir()) == []
    _, said = await doctor(tmp_path, 0)
    assert "the offline model stands in" in said
    assert said.endswith("nothing to fix\n")


@pytest.mark.one_process("its DATA_DIR is looked at")
async def test_it_disturbs_no_running_service(tmp_path: Path) -> None:
    async with service(tmp_path, {}) as process:
        document, _ = await doctor(tmp_path, 0, "--json", SERVER_PORT=str(process.port))
        assert state(document, "store") == ["ok"]
        (port,) = [f for f in document["findings"] if f["about"] == "port"]
        assert "gencode answers" in port["message"]
        assert await process.terminate() == 0


async def test_faults_are_reported_and_the_exit_status_is_one(tmp_path: Path) -> None:
    async with fixed_reply_server(JSONResponse({"error": {"message": f"no such key: {KEY}"}}, 401)) as (
        url,
        _,
    ):
        wrong = {
            "DEEPSEEK_API_KEY": KEY,
            "DEEPSEEK_BASE_URL": url,
            "GITHUB_TOKEN": KEY,
            "GITHUB_API_URL": url,
        }
        document, _ = await doctor(tmp_path, 1, "--json", **wrong)
        assert state(document, "model deepseek") == ["fault"]
        assert state(document, "host github") == ["fault"]
        assert not document["ok"]


async def test_a_configuration_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    document, _ = await doctor(tmp_path, 1, "--json", SERVER_HOST="0.0.0.0")
    (found,) = [finding for finding in document["findings"] if finding["state"] == "fault"]
    assert found["about"] == "configuration"
    assert "gencode keys make" in found["message"]
    assert state(document, "DATA_DIR") == ["ok"]


async def test_a_secret_that_is_too_short_to_be_redacted_is_noted(tmp_path: Path) -> None:
    provider = {"base_url": "http://127.0.0.1:9/v1", "model": "m", "api_key": "x"}
    document, _ = await doctor(tmp_path, 1, "--json", PROVIDERS=json.dumps({"local": provider}))
    (secrets,) = [finding for finding in document["findings"] if finding["about"] == "secrets"]
    assert (secrets["state"], "PROVIDERS (local)" in secrets["message"]) == ("note", True)

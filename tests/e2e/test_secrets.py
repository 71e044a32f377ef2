"""`gencode secrets rotate` beside a running service, and what doctor and backups say of the keys."""

from __future__ import annotations

import json
import secrets
import zipfile
from base64 import b64encode
from pathlib import Path

import pytest

from gencode.storage.data_dir_lock import ENCRYPTION_KEY_FILE
from tests.servers.calls import get, post
from tests.servers.command import gencode, run_gencode
from tests.servers.model import model_server, text
from tests.servers.ports import closed_port
from tests.servers.service import Service, service

pytestmark = [pytest.mark.one_process("its DATA_DIR is looked at"), pytest.mark.campaign]
KEY = "sk-5be1f0c2d37a"


def new_key() -> str:
    return b64encode(secrets.token_bytes(32)).decode()


def variables(*keys: str) -> dict[str, str]:
    return {"WORKSPACE": "true", "ENCRYPTION_KEY": ",".join(keys)}


async def works(process: Service, config_id: str) -> bool:
    return bool((await post(process.url, f"/ai/models/{config_id}/test")).json()["ok"])


async def doctor(folder: Path, *keys: str) -> tuple[int, str]:
    """Its exit status, and what it says about stored secrets."""
    own = {"DATA_DIR": str(folder / "data"), "SERVER_PORT": str(closed_port()), **variables(*keys)}
    done = await run_gencode(["doctor", "--json"], own, folder)
    findings = json.loads(done.stdout)["findings"]
    (told,) = [one["message"] for one in findings if one["about"] == "stored secrets"]
    return done.returncode, told


async def test_keys_are_rotated_without_a_pause(tmp_path: Path) -> None:
    old, new = new_key(), new_key()
    async with model_server(lambda body: text("ready")) as server:
        given = {"name": "mine", "provider": "compatible", "base_url": server.base_url, "model": "m"}
        async with service(tmp_path, variables(old)) as process:
            config_id = (await post(process.url, "/ai/models", {**given, "api_key": KEY})).json()["id"]
            assert await works(process, config_id)
        async with service(tmp_path, variables(new, old)) as process:
            told = await gencode(
                "secrets", "rotate", "--json", data_dir=process.data_dir, settings=variables(new, old)
            )
            assert (json.loads(told)["changed"], json.loads(told)["unreadable"]) == (1, [])
            assert await works(process, config_id)
            audit = await get(process.url, "/api/v1/audit?subject=secrets")
            assert [entry["actor"] for entry in audit["entries"]] == ["command line"]
        assert await doctor(tmp_path, new) == (0, "1, and each can be decrypted")
        async with service(tmp_path, variables(new)) as process:
            assert await works(process, config_id)
            assert server.requests[-1].headers["authorization"] == f"Bearer {KEY}"
        status, said = await doctor(tmp_path, new_key())
        assert (status, "1 of 1 cannot be decrypted" in said) == (1, True)
        lost = variables(new_key())
        await gencode("secrets", "rotate", data_dir=tmp_path / "data", settings=lost, status=1)
        async with service(tmp_path, lost) as process:
            assert "cannot be decrypted" in process.log.read_text()


async def test_a_backup_does_not_have_the_key_and_says_so(tmp_path: Path) -> None:
    """Moved to ENCRYPTION_KEY, the key of the folder is needed no more."""
    file, new = tmp_path / "backup.zip", new_key()
    async with model_server(lambda body: text("ready")) as server:
        given = {"name": "mine", "provider": "compatible", "base_url": server.base_url, "model": "m"}
        async with service(tmp_path, {"WORKSPACE": "true"}) as process:
            config_id = (await post(process.url, "/ai/models", {**given, "api_key": KEY})).json()["id"]
            said = await gencode("backup", file, data_dir=process.data_dir)
            assert f"{ENCRYPTION_KEY_FILE}, which stored keys and tokens need, is not in it" in said
            assert ENCRYPTION_KEY_FILE not in zipfile.ZipFile(file).namelist()
            key = (process.data_dir / ENCRYPTION_KEY_FILE).read_bytes()
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        assert ENCRYPTION_KEY_FILE in await gencode("restore", file, data_dir=elsewhere / "data")
        (elsewhere / "data" / ENCRYPTION_KEY_FILE).write_bytes(key)
        await gencode("secrets", "rotate", data_dir=elsewhere / "data", settings=variables(new))
        (elsewhere / "data" / ENCRYPTION_KEY_FILE).unlink()
        async with service(elsewhere, variables(new)) as process:
            assert await works(process, config_id)

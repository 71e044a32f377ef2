"""Commands with an account: the login is kept, renewed when the service refuses it, and ended."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import anyio
import pytest

from tests.e2e.test_page_accounts import PASSWORD, create_admin
from tests.servers.calls import client
from tests.servers.command import gencode
from tests.servers.service import Service, service

pytestmark = [pytest.mark.one_process("`gencode users` is given DATA_DIR"), pytest.mark.campaign]
SESSION_OVER = 3
UNAUTHORIZED = 401


class Terminal:
    """Commands of one user."""

    def __init__(self, process: Service, folder: Path) -> None:
        self.file = folder / "config" / "gencode" / "logins.json"
        self._process = process
        self._settings = {
            "GENCODE_URL": process.url,
            "GENCODE_PASSWORD": PASSWORD,
            "XDG_CONFIG_HOME": str(folder / "config"),
        }

    async def run(self, *words: str, status: int = 0, **settings: str) -> str:
        return await gencode(
            *words, data_dir=self._process.data_dir, status=status, settings=self._settings | settings
        )

    def tokens(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.file.read_text())[self._process.url]
        return found

    def spoil(self, **tokens: str) -> None:
        self.file.write_text(json.dumps({self._process.url: self.tokens() | tokens}))


async def credentials_are_required(url: str) -> None:
    """The service learns within a second of an account that a command has made."""
    async with client(url) as http:
        while (await http.get("/api/v1/tasks")).status_code != UNAUTHORIZED:
            await anyio.sleep(0.05)


async def test_a_login_is_kept_renewed_and_ended(tmp_path: Path) -> None:
    async with service(tmp_path, {"WORKSPACE": "true"}) as process:
        await create_admin(process.data_dir)
        await credentials_are_required(process.url)
        terminal = Terminal(process, tmp_path)
        assert "gencode login" in await terminal.run("tasks", status=3)
        refused = await terminal.run("login", "--user", "alice", status=3, GENCODE_PASSWORD="not my password")
        assert "not my password" not in refused
        assert "alice is logged in" in await terminal.run("login", "alice")
        assert stat.S_IMODE(terminal.file.stat().st_mode) == 0o600
        first = terminal.tokens()
        await terminal.run("generate", "a static page", "--repo", "page", "--follow")
        assert "page" in await terminal.run("tasks")
        assert terminal.tokens() == first
        terminal.spoil(access_token="eya.b.c")
        assert "page" in await terminal.run("tasks")
        renewed = terminal.tokens()
        assert renewed["refresh_token"] != first["refresh_token"]
        assert "logged out" in await terminal.run("logout")
        assert json.loads(terminal.file.read_text()) == {}
        assert "nobody is logged in" in await terminal.run("logout", status=2)
        terminal.file.write_text(json.dumps({process.url: renewed}))
        assert "log in" in await terminal.run("tasks", status=SESSION_OVER)
        terminal.file.write_text("{")
        assert "is damaged" in await terminal.run("tasks", status=2)

"""The file with the tokens of logins, by the address of the service. Only its owner can read it."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from gencode.client.session_auth import LoginTokens
from gencode.domain.errors import StartError


def login_file() -> Path:
    """$XDG_CONFIG_HOME/gencode/logins.json, by default below ~/.config."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "gencode" / "logins.json"


class StoredLogin:
    """Implements TokenStore for one service."""

    def __init__(self, url: str, path: Path | None = None) -> None:
        self._url = url.rstrip("/")
        self._path = path or login_file()

    def read(self) -> LoginTokens | None:
        """None without a login. Raises StartError for a file that cannot be read."""
        found = self._logins().get(self._url)
        try:
            return LoginTokens(**found) if found else None
        except TypeError:
            raise self._damaged() from None

    def write(self, tokens: LoginTokens) -> None:
        """Raises StartError."""
        self._replace({**self._logins(), self._url: asdict(tokens)})

    def forget(self) -> None:
        """Raises StartError."""
        self._replace({url: tokens for url, tokens in self._logins().items() if url != self._url})

    def _logins(self) -> dict[str, Any]:
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise StartError(f"{self._path} cannot be read: {error}") from None
        try:
            logins = json.loads(text)
        except ValueError:
            raise self._damaged() from None
        if not isinstance(logins, dict):
            raise self._damaged()
        return logins

    def _damaged(self) -> StartError:
        return StartError(f"{self._path} is damaged: remove it, and log in again")

    def _replace(self, logins: dict[str, Any]) -> None:
        """In one step, so that no reader finds half of it."""
        folder = self._path.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with NamedTemporaryFile("w", dir=folder, delete=False, encoding="utf-8") as file:  # mode 0600
                json.dump(logins, file)
            Path(file.name).replace(self._path)
        except OSError as error:
            with suppress(OSError, UnboundLocalError):
                Path(file.name).unlink()
            raise StartError(f"{self._path} cannot be written: {error}") from None

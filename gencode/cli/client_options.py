"""Options that select the service of a command, and the client made from them.

Beside gencode.settings the only reader of the environment for configuration: of GENCODE_URL,
GENCODE_API_KEY and GENCODE_API_KEY_FILE. Without a key, the login of `gencode login` is used.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio

from gencode.cli.login_file import StoredLogin
from gencode.client import Client
from gencode.client.session_auth import SessionAuth
from gencode.domain.errors import StartError

URL = "http://127.0.0.1:8080"
CONNECT_PATIENCE = 1.0
"""Seconds that a refused connection is retried; a user at a terminal waits for the result."""


def add_service_arguments(parser: argparse.ArgumentParser) -> None:
    """Also `--json`."""
    group = parser.add_argument_group("the service")
    group.add_argument("--url", help=f"its address ({URL}; GENCODE_URL)")
    group.add_argument(
        "--key-file",
        type=Path,
        help="file with your API key (GENCODE_API_KEY_FILE; or GENCODE_API_KEY, the key)",
    )
    group.add_argument("--ca-file", type=Path, help="certificate of an authority of your own, for https")
    parser.add_argument(
        "--json", action="store_true", help="JSON for scripts: a document, or one in each line"
    )


def run_with_client(
    command: Callable[[Client, argparse.Namespace], Awaitable[int]], args: argparse.Namespace
) -> int:
    """Run a command with a client. Raises StartError for an address or a key that cannot be used."""

    async def with_client() -> int:
        async with _client(args) as client:
            return await command(client, args)

    return anyio.run(with_client)


def _client(args: argparse.Namespace) -> Client:
    args.url_given = bool(args.url)
    url, key = service_url(args), _key(args.key_file)
    ca_file = str(args.ca_file) if args.ca_file else None
    try:
        return Client(
            url, key, connect_patience=CONNECT_PATIENCE, ca_file=ca_file, auth=_login(args, url, key)
        )
    except (OSError, ValueError) as error:
        raise StartError(str(error)) from None


def service_url(args: argparse.Namespace) -> str:
    """The address of the service."""
    return str(args.url or os.environ.get("GENCODE_URL") or URL)


def _login(args: argparse.Namespace, url: str, key: str) -> SessionAuth | None:
    """The login of `gencode login`; a key goes before it."""
    if key or getattr(args, "without_login", False):
        return None
    login = StoredLogin(url)
    return SessionAuth(url, login) if login.read() else None


def _key(file: Path | None) -> str:
    path = file or os.environ.get("GENCODE_API_KEY_FILE")
    if not path:
        return os.environ.get("GENCODE_API_KEY", "").strip()
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"the key cannot be read from {path}: {error}") from None

"""The service that a command talks to. With settings the only reader of the environment: of GENCODE_*."""

from __future__ import annotations

import argparse
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio

from gencode.client import Client
from gencode.domain.errors import StartError

URL = "http://127.0.0.1:8080"
CONNECT_PATIENCE = 1.0
"""Seconds; who types wants to know at once that nobody is there."""


def arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the service")
    group.add_argument("--url", help=f"its address ({URL}; GENCODE_URL)")
    group.add_argument(
        "--key-file",
        type=Path,
        help="file with your API key (GENCODE_API_KEY_FILE; or GENCODE_API_KEY, the key)",
    )
    group.add_argument("--ca-file", type=Path, help="certificate of an authority of your own, for https")
    json_argument(parser)


def json_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", action="store_true", help="JSON for scripts: a document, or one in each line"
    )


def run(command: Callable[[Client, argparse.Namespace], Awaitable[int]], chosen: argparse.Namespace) -> int:
    """Run a command with a client. Raises StartError for an address or a key that cannot be used."""

    async def with_client() -> int:
        async with _client(chosen) as client:
            return await command(client, chosen)

    return anyio.run(with_client)


def editor() -> str:
    """The user's."""
    return os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"


def _client(chosen: argparse.Namespace) -> Client:
    chosen.url_given = bool(chosen.url)
    url = chosen.url or os.environ.get("GENCODE_URL") or URL
    ca_file = str(chosen.ca_file) if chosen.ca_file else None
    try:
        return Client(url, _key(chosen.key_file), connect_patience=CONNECT_PATIENCE, ca_file=ca_file)
    except (OSError, ValueError) as error:
        raise StartError(str(error)) from None


def _key(file: Path | None) -> str:
    named = file or os.environ.get("GENCODE_API_KEY_FILE")
    if not named:
        return os.environ.get("GENCODE_API_KEY", "").strip()
    try:
        return Path(named).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"the key cannot be read from {named}: {error}") from None

"""Running a command with a client."""

from __future__ import annotations

import argparse

import anyio
import pytest

from gencode.cli.service_options import run_with_client
from gencode.client import Client


async def is_cancelled_with_a_time_limit(client: Client, args: argparse.Namespace) -> int:
    """As Ctrl-C does it, where asyncio counts a second request to cancel."""
    raise anyio.get_cancelled_exc_class()


def test_a_cancelled_command_counts_as_interrupted() -> None:
    args = argparse.Namespace(url="http://127.0.0.1:9", ca_file=None, key_file=None)
    with pytest.raises(KeyboardInterrupt):
        run_with_client(is_cancelled_with_a_time_limit, args)

"""Tickets: what EventSource, which sends no headers, shows in place of an API key.

A ticket opens the stream of one task for one client, and nothing else. It stands in an address, and
addresses end up in histories and proxies' logs: hence a short life, and a loss that costs little.

EventSource reconnects by itself, with the same address. So a ticket is no single-use token: it is good
until it expires, for any number of connections, and (its key is kept with the data) across restarts.
A stream that is open when its ticket expires goes on; a page that is told 401 on reconnecting asks for
another ticket. The default life of 15 minutes outlives a task, which gets 10 unless TASK_TIMEOUT says more.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from pathlib import Path

from itsdangerous import BadData, URLSafeTimedSerializer

from gencode.domain.errors import Unauthorized


class Tickets:
    """Issues and checks them. `key`: secret bytes; `seconds`: how long a ticket is good."""

    def __init__(self, key: bytes, seconds: int) -> None:
        options = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        self._serializer = URLSafeTimedSerializer(key, salt="gencode.tickets", signer_kwargs=options)
        self._seconds = seconds

    def issue(self, client: str, task_id: str) -> tuple[str, datetime]:
        """The ticket, fit for an address, and when it expires."""
        ticket = self._serializer.dumps([client, task_id])
        _, issued = self._serializer.loads(ticket, return_timestamp=True)
        return str(ticket), issued + timedelta(seconds=self._seconds)

    def client(self, ticket: str, task_id: str) -> str:
        """Whose it is. Raises Unauthorized unless it is ours, for this task, and still good."""
        try:
            client, of_task = self._serializer.loads(ticket, max_age=self._seconds)
        except BadData:
            client, of_task = "", ""
        if not client or of_task != task_id:
            raise Unauthorized(
                "this ticket is not, or no longer, good for this stream: get another one with "
                "POST /api/v1/task/{task_id}/ticket"
            )
        return str(client)


def kept_key(path: Path) -> bytes:
    """The key in this file, readable by its owner only; made anew if there is none, or not the whole."""
    path.touch(mode=0o600)
    key = path.read_bytes()
    if len(key) != hashlib.sha256().digest_size:
        key = secrets.token_bytes(hashlib.sha256().digest_size)
        path.write_bytes(key)
    return key

"""Tickets: what EventSource, which sends no headers, sends in place of an API key.

A ticket opens the stream of one task for one principal, and nothing else. It is part of an address, and
addresses end up in histories and proxies' logs: hence a short lifetime.

EventSource reconnects by itself, with the same address. So a ticket is no single-use token: it is valid until
it expires, for any number of connections, and (its key is stored in DATA_DIR) across restarts. A stream that
is open when its ticket expires goes on; a page that gets 401 on reconnecting requests another ticket. The
default lifetime of 15 minutes outlives a task, which gets 10 unless TASK_TIMEOUT is larger.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from pathlib import Path

from itsdangerous import BadData, URLSafeTimedSerializer

from gencode.domain.errors import Unauthorized
from gencode.security.regular_file import read_regular_file


class Tickets:
    """Issues and verifies tickets. `key`: secret bytes; `seconds`: lifetime of a ticket."""

    def __init__(self, key: bytes, seconds: int) -> None:
        options = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        self._serializer = URLSafeTimedSerializer(key, salt="gencode.tickets", signer_kwargs=options)
        self._seconds = seconds

    def issue(self, principal_id: str, task_id: str) -> tuple[str, datetime]:
        """A ticket that can be part of an address, and when it expires."""
        ticket = self._serializer.dumps([principal_id, task_id])
        _, issued = self._serializer.loads(ticket, return_timestamp=True)
        return str(ticket), issued + timedelta(seconds=self._seconds)

    def verify(self, ticket: str, task_id: str) -> str:
        """The id of the principal. Raises Unauthorized unless the ticket is genuine, for this task, and has
        not expired."""
        try:
            principal_id, of_task = self._serializer.loads(ticket, max_age=self._seconds)
        except BadData:
            principal_id, of_task = "", ""
        if not principal_id or of_task != task_id:
            raise Unauthorized(
                "this ticket is not, or no longer, good for this stream: get another one with "
                "POST /api/v1/task/{task_id}/ticket"
            )
        return str(principal_id)


def load_or_create_key(path: Path) -> bytes:
    """The secret bytes in this file, which only its owner can read; created if there is none, or an
    incomplete one."""
    path.touch(mode=0o600)
    key = read_regular_file(path)
    if len(key) != hashlib.sha256().digest_size:
        key = secrets.token_bytes(hashlib.sha256().digest_size)
        path.write_bytes(key)
    return key

"""Tickets replace API keys for EventSource, which cannot set request headers.

A ticket gives one principal access to the event stream of one task, and to nothing else. It is part of a URL,
and URLs are recorded in histories and in the logs of proxies; therefore its lifetime is short.

EventSource reconnects by itself with the same URL. So a ticket is not a single-use token: it is valid until
it expires, for any number of connections, and also after a restart, because its key is stored in DATA_DIR. A
stream that is open when its ticket expires stays open; a page that gets 401 on reconnecting requests another
ticket. The default lifetime of 15 minutes is longer than that of a task, which is 10 minutes unless
TASK_TIMEOUT is larger.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from pathlib import Path

from itsdangerous import BadData, URLSafeTimedSerializer

from gencode.domain.errors import Unauthorized
from gencode.security.regular_file import read_regular_file

SESSION = "#"


class Tickets:
    """Issues and verifies tickets. `key`: secret bytes; `seconds`: lifetime of a ticket."""

    def __init__(self, key: bytes, seconds: int) -> None:
        options = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        self._serializer = URLSafeTimedSerializer(key, salt="gencode.tickets", signer_kwargs=options)
        self._seconds = seconds

    def issue(self, principal_id: str, task_id: str) -> tuple[str, datetime]:
        """A ticket that can be part of a URL, and the time of its expiry."""
        ticket = self._serializer.dumps([principal_id, task_id])
        _, issued = self._serializer.loads(ticket, return_timestamp=True)
        return str(ticket), issued + timedelta(seconds=self._seconds)

    def verify(self, ticket: str, task_id: str) -> str:
        """The id of the ticket's principal. Raises Unauthorized unless the ticket is genuine, belongs to this
        task, and has not expired."""
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


def holder_of(principal_id: str, session_id: str) -> str:
    """Whom a ticket is given to: a principal or, with `session_id`, one session of a user, with which it
    ends."""
    return f"{principal_id}{SESSION}{session_id}" if session_id else principal_id


def load_or_create_key(path: Path) -> bytes:
    """The secret bytes in this file, which only its owner can read. A missing or incomplete file is
    created."""
    path.touch(mode=0o600)
    key = read_regular_file(path)
    if len(key) != hashlib.sha256().digest_size:
        key = secrets.token_bytes(hashlib.sha256().digest_size)
        path.write_bytes(key)
    return key

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gencode.auth.tickets import Tickets, load_or_create_key
from gencode.domain.errors import Unauthorized

KEY = b"k" * 32


def test_a_ticket_is_valid_for_its_task_until_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    tickets = Tickets(KEY, seconds=60)
    ticket, expires_at = tickets.issue("ålice", "task-1")
    left = expires_at - datetime.now(UTC)
    assert timedelta(seconds=55) < left <= timedelta(seconds=60)
    assert tickets.verify(ticket, "task-1") == "ålice"
    assert ticket.isascii()
    issued = expires_at.timestamp() - 60
    for moment, good in ((issued + 60, True), (issued + 61, False), (issued - 1, False)):
        monkeypatch.setattr(time, "time", lambda moment=moment: moment)
        assert accepted(tickets, ticket, "task-1") == good


def accepted(tickets: Tickets, ticket: str, task_id: str) -> bool:
    try:
        return tickets.verify(ticket, task_id) == "ålice"
    except Unauthorized:
        return False


def test_another_key_or_task_is_refused() -> None:
    ticket, _ = Tickets(KEY, seconds=60).issue("ålice", "task-1")
    assert not accepted(Tickets(KEY, seconds=60), ticket, "task-2")
    assert not accepted(Tickets(b"x" * 32, seconds=60), ticket, "task-1")


def test_the_key_is_stored_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "ticket.key"
    key = load_or_create_key(path)
    assert load_or_create_key(path) == key == path.read_bytes()
    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_incomplete_key_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "ticket.key"
    for cut in (b"", b"short"):
        path.write_bytes(cut)
        assert load_or_create_key(path) == load_or_create_key(path) != cut

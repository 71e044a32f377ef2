from __future__ import annotations

import pytest

from gencode.hub.postgres import hub, notifications


@pytest.fixture
def patient_echo(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine, notifications of other tests may take long."""
    monkeypatch.setattr(notifications, "FIRST_ECHO_SECONDS", 60.0)
    monkeypatch.setattr(notifications, "START_SECONDS", 60.0)


@pytest.fixture
def no_rare_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """They would find what a notification should have told."""
    monkeypatch.setattr(hub, "CHECK_SECONDS", 1e6)


@pytest.fixture
def events_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """No event fits into a notification: each is read from the store."""
    monkeypatch.setattr(hub, "MAX_MESSAGES", 0)

"""The service inside another application: its logging and signal handlers."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
import structlog
from pydantic import SecretStr

from gencode import create_app, running
from tests.servers.service import settings

SECRET = "a-secret-of-this-service"


@pytest.fixture(autouse=True)
def own_structlog() -> Iterator[None]:
    before = structlog.get_config() if structlog.is_configured() else None
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
    if before:
        structlog.configure(**before)


async def test_the_log_goes_to_the_hosts_logging_without_secrets(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO, "gencode")
    handlers = list(logging.root.handlers)
    async with running(create_app(settings(tmp_path, api_keys=SecretStr(SECRET)))):
        structlog.get_logger("gencode.test").warning("something", about=f"x {SECRET}")
    assert "something" in caplog.text
    assert "local forge" in caplog.text
    assert SECRET not in caplog.text
    assert capsys.readouterr().out == ""
    assert logging.root.handlers == handlers


async def test_the_hosts_structlog_configuration_is_kept(tmp_path: Path) -> None:
    logged: list[str] = []

    def record(
        _logger: object, _method: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        logged.append(str(event["event"]))
        raise structlog.DropEvent

    structlog.configure(processors=[record])
    async with running(create_app(settings(tmp_path))):
        pass
    assert any("local forge" in words for words in logged)


async def test_the_hosts_signal_handler_is_called_and_restored(tmp_path: Path) -> None:
    received: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: received.append(number))
    ours = signal.getsignal(signal.SIGTERM)
    try:
        async with running(create_app(settings(tmp_path))) as service:
            signal.raise_signal(signal.SIGTERM)
            with anyio.fail_after(60):
                await service.state.services.closing.wait()
        assert received == [signal.SIGTERM]
        assert signal.getsignal(signal.SIGTERM) is ours
    finally:
        signal.signal(signal.SIGTERM, before)

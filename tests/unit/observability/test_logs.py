from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from gencode.observability.logs import configure_logging
from gencode.security.secret_registry import SecretRegistry

SECRET = "hunter2-the-second"

ReadStderr = Callable[[], str]


@pytest.fixture
def read_stderr(capsys: pytest.CaptureFixture[str]) -> Iterator[ReadStderr]:
    """Returns what was logged since the last call; restores the logging configuration afterwards."""
    root, ours = logging.getLogger(), logging.getLogger("gencode")
    handlers, level, our_level = root.handlers[:], root.level, ours.level
    root.handlers.clear()  # pytest's own: `configure_logging` would close them
    yield lambda: capsys.readouterr().err
    root.handlers[:], root.level, ours.level = handlers, level, our_level
    structlog.reset_defaults()


def test_secrets_are_redacted_in_every_part_of_a_line(read_stderr: ReadStderr) -> None:
    configure_logging("INFO", "json", lambda: [SECRET])
    log = structlog.get_logger("gencode.test")
    log.info(f"said {SECRET}", words=[SECRET, {"deep": (SECRET,)}], thing=ValueError(SECRET), n=1)
    shown = read_stderr()
    assert SECRET not in shown
    line = json.loads(shown)
    assert line["event"] == "said [redacted]"
    assert line["words"] == ["[redacted]", {"deep": ["[redacted]"]}]
    assert line["n"] == 1


def test_a_secret_is_redacted_from_when_it_is_added_until_it_is_removed(read_stderr: ReadStderr) -> None:
    registry, valid = SecretRegistry([SECRET]), [""]
    configure_logging("INFO", "json", registry.current)
    registry.add_source(lambda: valid)
    log = structlog.get_logger("gencode.test")
    valid[:] = ["a-later-password"]
    log.info("a-later-password", settings=SECRET)
    assert json.loads(read_stderr())["event"] == "[redacted]"
    valid.clear()
    log.info("a-later-password", settings=SECRET)
    line = json.loads(read_stderr())
    assert (line["event"], line["settings"]) == ("a-later-password", "[redacted]")


def test_names_of_secrets_are_not_redacted(read_stderr: ReadStderr) -> None:
    configure_logging("INFO", "json", tuple)
    structlog.get_logger("gencode.test").info("no GITHUB_TOKEN is set")
    assert json.loads(read_stderr())["event"] == "no GITHUB_TOKEN is set"


@pytest.mark.parametrize("form", ["json", "console"])
def test_tracebacks_have_neither_secrets_nor_local_variables(read_stderr: ReadStderr, form: str) -> None:
    configure_logging("INFO", form, lambda: [SECRET])
    a_local_variable = SECRET[:7] + " and a prompt"
    try:
        raise ValueError(f"{SECRET} is wrong")
    except ValueError as error:
        structlog.get_logger("gencode.test").error("unexpected", exc_info=error)
    shown = read_stderr()
    assert "ValueError: [redacted] is wrong" in shown
    assert SECRET not in shown
    assert a_local_variable not in shown


@pytest.mark.parametrize("name", ["httpx", "httpcore.http11", "sse_starlette.sse", "h11", "some_new_library"])
def test_libraries_log_nothing_below_warning(read_stderr: ReadStderr, name: str) -> None:
    configure_logging("DEBUG", "json", tuple)
    logging.getLogger(name).info("the prompt of somebody")
    assert read_stderr() == ""
    logging.getLogger(name).warning("something is wrong with %s", f"Bearer {SECRET}")
    assert json.loads(read_stderr())["event"] == "something is wrong with [redacted]"


def test_our_loggers_use_the_configured_level(read_stderr: ReadStderr) -> None:
    configure_logging("DEBUG", "json", tuple)
    structlog.get_logger("gencode.test").debug("in detail")
    assert json.loads(read_stderr())["level"] == "debug"

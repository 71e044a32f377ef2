"""Configures logging through structlog, for libraries as well: one line for each event, with secrets
redacted."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor

from gencode.security.redaction import SecretSource, redact

EventDict = MutableMapping[str, Any]

PACKAGE_LOGGER = "gencode"
_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


class RedactionProcessor:
    """Redacts the currently valid secrets, and text that looks like one, in every value of a log line."""

    def __init__(self, secrets: SecretSource) -> None:
        self._secrets = secrets

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        secrets = tuple(self._secrets())
        return {key: _redacted(value, secrets) for key, value in event.items()}


def _redacted(value: Any, secrets: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        return redact(value, secrets)
    if isinstance(value, dict):
        return {_redacted(key, secrets): _redacted(item, secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redacted(item, secrets) for item in value]
    return value if isinstance(value, (int, float, bool, type(None))) else _redacted(str(value), secrets)


def configure_logging(level: str, fmt: str, secrets: SecretSource) -> None:
    """Set up logging of the whole process, to standard error. `fmt`: auto, json or console.

    `secrets` is called for each line, so that a secret is redacted from the line after it was added.
    """
    console = fmt == "console" or (fmt == "auto" and sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(_SHARED, RedactionProcessor(secrets), console))
    logging.basicConfig(handlers=[handler], level=_at_least_warning(level), force=True)
    logging.getLogger(PACKAGE_LOGGER).setLevel(level)


def json_formatter(secrets: SecretSource) -> logging.Formatter:
    """Renders records of this program and of libraries as JSON objects, with secrets redacted."""
    return _formatter(_SHARED, RedactionProcessor(secrets), console=False)


def configure_for_embedding(secrets: SecretSource) -> None:
    """For use inside another application: each record is passed to the application's logging as one redacted
    string. Its logging configuration is not changed, and a structlog configuration of its own is kept."""
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.processors.format_exc_info,
            RedactionProcessor(secrets),
            structlog.processors.LogfmtRenderer(key_order=["event"]),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _at_least_warning(level: str) -> int:
    """For libraries, whatever LOG_LEVEL says: at INFO httpx logs complete URLs, at DEBUG httpcore logs header
    values, and sse-starlette logs every event that it sends."""
    return max(logging.WARNING, logging.getLevelNamesMapping()[level])


def _formatter(shared: list[Processor], redact: RedactionProcessor, console: bool) -> logging.Formatter:
    """Secrets are removed last before rendering, when tracebacks are text already."""
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
        if console
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redact,
            renderer,
        ],
    )

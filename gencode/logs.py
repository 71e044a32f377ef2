"""Logging: structlog for ours and the libraries' alike, one line an event, cleaned of secrets."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping, Sequence
from typing import Any

import structlog
from structlog.typing import Processor

EventDict = MutableMapping[str, Any]

_TOKEN_LIKE = re.compile(
    r"(?i)(bearer\s+|basic\s+|token\s+|x-access-token:)[^\s\"',;]+"
    r"|\b(?:sk-|ghp_|gho_|ghu_|ghs_|ghr_|github_pat_)[A-Za-z0-9_-]{8,}"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)
_NOISY = ("httpx", "httpcore", "uvicorn", "dulwich", "asyncio")
"""Libraries that tell at INFO what ours tell better (httpx: whole URLs); they speak from WARNING on."""


class Redact:
    """Replaces known secrets, and what looks like one, in every value of a log line."""

    def __init__(self, secrets: Sequence[str]) -> None:
        known = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
        self._known = re.compile("|".join(re.escape(secret) for secret in known)) if known else None

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        return {key: self._clean(value) for key, value in event.items()}

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self._clean(key): self._clean(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._clean(item) for item in value]
        return value if isinstance(value, (int, float, bool, type(None))) else self.text(str(value))

    def text(self, text: str) -> str:
        if self._known:
            text = self._known.sub("[redacted]", text)
        return _TOKEN_LIKE.sub("[redacted]", text)


def configure(level: str, fmt: str, secrets: Sequence[str]) -> None:
    """Set up logging of the whole process, to standard error. `fmt`: auto, json or console."""
    console = fmt == "console" or (fmt == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(shared, Redact(secrets), console))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))


def _formatter(shared: list[Processor], redact: Redact, console: bool) -> logging.Formatter:
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

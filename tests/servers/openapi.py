"""The OpenAPI document, without running the service."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from gencode.bootstrap.app import create_app
from gencode.http.openapi import OpenAPI
from tests.servers.service import settings


@lru_cache
def openapi() -> OpenAPI:
    made: OpenAPI = create_app(settings(Path(tempfile.gettempdir()))).state.openapi
    return made


def document() -> dict[str, Any]:
    return openapi().document


def error_codes() -> list[str]:
    return openapi().error_codes()

"""A prompt becomes a pushed Git repository.

From here a program gets the client (`Client`, `SyncClient`) and the service as an ASGI application
(`create_app`, `running`). Each is imported when it is first asked for: the client needs none of the service.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Client": "gencode.client",
    "ServiceError": "gencode.client",
    "SyncClient": "gencode.client",
    "create_app": "gencode.bootstrap.app",
    "running": "gencode.bootstrap.asgi_embedding",
}
__all__ = ["Client", "ServiceError", "SyncClient", "create_app", "running"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]

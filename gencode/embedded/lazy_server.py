"""The embedded servers before they are served: each has its address at once, and connections wait."""

from __future__ import annotations

import secrets
import socket
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from starlette.types import ASGIApp

from gencode.embedded.forge import forge as forge_app
from gencode.embedded.offline import offline_model as model_app
from gencode.embedded.server import address, listen, listen_again

log = structlog.get_logger(__name__)

FORGE_USER = "local"


@dataclass(frozen=True, kw_only=True, slots=True)
class LazyServer:
    """`token`: what opens it, if anything must."""

    app: ASGIApp
    sock: socket.socket
    token: str = field(default="", repr=False)


def offline_model(stack: AsyncExitStack) -> LazyServer:
    return LazyServer(app=model_app(), sock=stack.enter_context(closing(listen())))


def forge(stack: AsyncExitStack, folder: Path, preferred: int) -> LazyServer:
    """Its port and token are kept in the folder: addresses handed out, and remotes of clones, stay good."""
    sock = stack.enter_context(closing(listen_again(folder / "forge.port", preferred)))
    token = _kept_token(folder / "forge.token")
    log.info("no Git host is configured: repositories go to the local forge", url=address(sock))
    return LazyServer(
        app=forge_app(folder / "forge", address(sock), token, FORGE_USER), sock=sock, token=token
    )


def _kept_token(path: Path) -> str:
    """Made once; a crash between making the file and filling it is mended here."""
    path.touch(mode=0o600)
    token = path.read_text(encoding="utf-8").strip() or secrets.token_urlsafe(32)
    path.write_text(token, encoding="utf-8")
    return token

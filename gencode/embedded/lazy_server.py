"""The embedded servers with their sockets bound but not yet served, so that their URLs are known at once."""

from __future__ import annotations

import secrets
import socket
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from starlette.types import ASGIApp

from gencode.embedded.forge import forge_app
from gencode.embedded.offline import offline_model_app
from gencode.embedded.server import address, listen, listen_on_saved_port, saved_port

log = structlog.get_logger(__name__)

FORGE_USER = "local"


@dataclass(frozen=True, kw_only=True, slots=True)
class LazyServer:
    """An application and its listening socket. `token`: the credential of its API; empty if it needs none."""

    app: ASGIApp
    sock: socket.socket
    token: str = field(default="", repr=False)


def bind_offline_model(stack: AsyncExitStack) -> LazyServer:
    """The offline model on a free port; `stack` closes the socket."""
    return LazyServer(app=offline_model_app(), sock=stack.enter_context(closing(listen())))


def bind_forge(stack: AsyncExitStack, folder: Path, preferred_port: int) -> LazyServer:
    """The local forge; `stack` closes the socket.

    Its port and token are stored in `folder`, so that repository URLs and the remotes of clones are valid
    after a restart.
    """
    port_file = folder / "forge.port"
    before = saved_port(port_file)
    sock = stack.enter_context(closing(listen_on_saved_port(port_file, preferred_port)))
    if before not in (None, port := sock.getsockname()[1]):
        log.warning(
            "the local forge's port is taken by another program: the forge has moved, and addresses of its "
            "repositories from before lead elsewhere; to bring them back, stop that program and write the "
            "port before into the file",
            port_before=before,
            port=port,
            file=str(port_file),
        )
    token = _load_or_create_token(folder / "forge.token")
    log.info("no Git host is configured: repositories go to the local forge", url=address(sock))
    return LazyServer(
        app=forge_app(folder / "forge", address(sock), token, FORGE_USER), sock=sock, token=token
    )


def _load_or_create_token(path: Path) -> str:
    """A crash after creating the file and before writing it leaves it empty; then a token is written here."""
    path.touch(mode=0o600)
    token = path.read_text(encoding="utf-8").strip() or secrets.token_urlsafe(32)
    path.write_text(token, encoding="utf-8")
    return token

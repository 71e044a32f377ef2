"""The embedded servers with their sockets bound but not yet served, so that their URLs are known at once."""

from __future__ import annotations

import secrets
import socket
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from starlette.types import ASGIApp

from gencode.embedded.forge.scratch import empty_scratch
from gencode.embedded.lazy_app import LazyApp
from gencode.embedded.server import address, listen, listen_on_first_free, saved_port

log = structlog.get_logger(__name__)

FORGE_USER = "local"
_CONFIGURED_PORT_TAKEN = (
    "FORGE_PORT is taken by another program: the local forge listens on another port; stop that program or"
    " choose another FORGE_PORT, and start again"
)
_MOVED = (
    "FORGE_PORT moves the local forge: tasks show the new addresses of its repositories, but those in clones,"
    " event logs and messages from before lead elsewhere; to bring them back, set FORGE_PORT to the port"
    " before, and start again; to keep the new port, give clones the new address (git remote set-url)"
)
_MOVED_AWAY = (
    "the local forge's port is taken by another program, and the forge has moved: tasks show the new"
    " addresses of its repositories, but those in clones, event logs and messages from before lead elsewhere;"
    " to bring them back, stop that program and write the port before into the file"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class BoundServer:
    """An application and its listening socket. `token`: the credential of its API; empty if it needs none."""

    app: ASGIApp
    sock: socket.socket
    token: str = field(default="", repr=False)


def bind_offline_model(stack: AsyncExitStack) -> BoundServer:
    """The offline model on a free port; `stack` closes the socket."""
    app = LazyApp("gencode.embedded.offline.app", "offline_model_app")
    return BoundServer(app=app, sock=stack.enter_context(closing(listen())))


def bind_forge(stack: AsyncExitStack, folder: Path, configured: int, default: int) -> BoundServer:
    """The local forge; `stack` closes the socket.

    It listens on the `configured` port (0: none is). Otherwise it listens where it did before, so that
    repository URLs and the remotes of clones are valid after a restart: its port and token are stored in
    `folder`. At the first start it listens on the `default` port (0: any).
    """
    port_file = folder / "forge.port"
    before = saved_port(port_file)
    ports = [port for port in (configured, before, 0 if configured else default) if port]
    sock = stack.enter_context(closing(listen_on_first_free(ports, port_file)))
    port = sock.getsockname()[1]
    if configured not in (0, port):
        log.warning(_CONFIGURED_PORT_TAKEN, configured=configured, port=port)
    if before not in (None, port):
        log.warning(
            _MOVED if port == configured else _MOVED_AWAY, port_before=before, port=port, file=str(port_file)
        )
    token = _load_or_create_token(folder / "forge.token")
    log.info("no Git host is configured: repositories go to the local forge", url=address(sock))
    root = folder / "forge"
    empty_scratch(root)  # a folder that cannot be used fails the start, not the first push
    app = LazyApp("gencode.embedded.forge.app", "forge_app", root, address(sock), token, FORGE_USER)
    return BoundServer(app=app, sock=sock, token=token)


def _load_or_create_token(path: Path) -> str:
    """A crash after creating the file and before writing it leaves it empty; then a token is written here."""
    path.touch(mode=0o600)
    token = path.read_text(encoding="utf-8").strip() or secrets.token_urlsafe(32)
    path.write_text(token, encoding="utf-8")
    return token

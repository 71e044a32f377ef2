from __future__ import annotations

import socket
from pathlib import Path

from pydantic import SecretStr

from gencode.bootstrap.serve import listening_socket, welcome_text
from tests.servers.service import settings


def test_accepted_connections_have_nagles_algorithm_off() -> None:
    with listening_socket("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_the_welcome_names_the_port_of_the_local_forge(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    assert "forge" not in welcome_text(8080, chosen, False)
    chosen.data_dir.mkdir()
    (chosen.data_dir / "forge.port").write_text("8081")
    assert "http://127.0.0.1:8081" in welcome_text(8080, chosen, False)
    assert "forge" not in welcome_text(8080, settings(tmp_path, github_token=SecretStr("a-token")), False)

from __future__ import annotations

import socket

from gencode.bootstrap.serve import listening_socket


def test_accepted_connections_have_nagles_algorithm_off() -> None:
    with listening_socket("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1

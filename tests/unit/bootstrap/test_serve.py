from __future__ import annotations

import socket

from gencode.bootstrap.serve import listening


def test_an_accepted_connection_sends_without_waiting_for_acknowledgements() -> None:
    with listening("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1

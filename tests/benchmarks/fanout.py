"""Event deliveries per second of processor time, against a server in C, a bare application and a plain
one."""

from __future__ import annotations

import contextlib
import gc
import resource
import select
import socket
import sys
from statistics import median

from tests.servers.fanned import Server, fanning, nchan_is_installed

TEXT = b"x" * 180 + b"~"
"""What is published; each delivery is known by its last character, which nothing else sent has."""

DELIVERIES = 20_000  # in each round
ROUNDS = 3
GREETED = b"\n\n"


class Subscribers:
    """Open streams of one server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._epoll = select.epoll()
        self._streams: dict[int, socket.socket] = {}
        self._publisher = self._connected()

    def __len__(self) -> int:
        return len(self._streams)

    def grow(self, count: int) -> None:
        """Subscribe up to this number, and wait for the head of each answer."""
        fresh = set()
        while len(self._streams) < count:
            stream = self._connected()
            stream.sendall(
                f"GET {self._server.subscribe} HTTP/1.1\r\nHost: localhost\r\n"
                "Accept: text/event-stream\r\n\r\n".encode()
            )
            stream.setblocking(False)
            self._streams[stream.fileno()] = stream
            self._epoll.register(stream, select.EPOLLIN)
            fresh.add(stream.fileno())
            if len(fresh) == 200 or len(self._streams) == count:
                self._answered(fresh)
                fresh = set()

    def _answered(self, fresh: set[int]) -> None:
        while fresh:
            for number, _ in self._epoll.poll():
                self._streams[number].recv(65536)
                fresh.discard(number)

    def publish(self) -> None:
        """Publish one event; returns when every subscriber has it."""
        self._publisher.sendall(
            b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b"
            % (self._server.publish.encode(), len(TEXT), TEXT)
        )
        missing = len(self._streams)
        while missing:
            for number, _ in self._epoll.poll():
                missing -= self._streams[number].recv(65536).count(b"~")
        self._publisher.recv(65536)

    def close(self) -> None:
        for stream in [*self._streams.values(), self._publisher]:
            stream.close()
        self._epoll.close()

    def _connected(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._server.port))


def deliveries_per_cpu_second(server: Server, subscribers: Subscribers) -> float:
    events = max(5, DELIVERIES // len(subscribers))
    subscribers.publish()
    begin = server.cpu
    for _ in range(events):
        subscribers.publish()
    return events * len(subscribers) / (server.cpu - begin)


def bytes_per_subscriber(server: Server, subscribers: Subscribers, count: int) -> float:
    """The slope over the second half: what the first ones load and warm up is not counted."""
    subscribers.grow(count // 2)
    half, begin = len(subscribers), server.rss
    subscribers.grow(count)
    return (server.rss - begin) / (count - half)


def compare(kinds: list[str], count: int) -> None:
    with contextlib.ExitStack() as stack:
        servers = {kind: stack.enter_context(fanning(kind)) for kind in kinds}
        streams = {
            kind: stack.enter_context(contextlib.closing(Subscribers(servers[kind]))) for kind in kinds
        }
        memory = {kind: bytes_per_subscriber(servers[kind], streams[kind], count) for kind in kinds}
        rates: dict[str, list[float]] = {kind: [] for kind in kinds}
        for _ in range(ROUNDS):
            for kind in kinds:
                rates[kind].append(deliveries_per_cpu_second(servers[kind], streams[kind]))
    ours = median(rates["gencode"])
    print(f"{count} subscribers, {len(TEXT)} bytes an event, median of {ROUNDS} rounds")
    for kind in kinds:
        rate = median(rates[kind])
        print(
            f"{kind:<8} {rate:8.0f} deliveries/CPU-second  gencode is {ours / rate:5.2f}x"
            f"  {memory[kind] / 1024:5.1f} KB an idle subscriber"
        )


def main(counts: list[int]) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    gc.disable()
    kinds = ["gencode", "nchan", "plain", "bare"]
    if not nchan_is_installed():
        kinds.remove("nchan")
        print("nchan is not installed (Debian: libnginx-mod-nchan); left out")
    for count in counts or (1000, 5000):
        fit = (hard - 100) // count
        if kinds[fit:]:
            print(f"{count} subscribers: no descriptors left for {', '.join(kinds[fit:])}")
        if "gencode" in kinds[:fit]:
            compare(kinds[:fit], count)


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]])

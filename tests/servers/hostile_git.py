"""Answers of a Git server that are made by hand: of protocol version 0, which every client accepts."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from hashlib import sha1
from struct import pack

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gencode.embedded.server import address, listen
from tests.servers.githost import served

COMMIT, TREE, BLOB, OFS_DELTA = 1, 2, 3, 6
ADVERTISEMENT = "application/x-git-upload-pack-advertisement"
RESULT = "application/x-git-upload-pack-result"


def line(data: bytes) -> bytes:
    return b"%04x" % (len(data) + 4) + data


def advertisement(refs: Mapping[bytes, bytes], capabilities: bytes = b"side-band-64k ofs-delta") -> bytes:
    """`refs`: ids in hexadecimal by name."""
    lines = [b"%s %s" % (sha, name) for name, sha in refs.items()]
    lines[0] += b"\0" + capabilities
    return line(b"# service=git-upload-pack\n") + b"0000" + b"".join(map(line, lines)) + b"0000"


def sent(data: bytes, channel: bytes = b"\1") -> bytes:
    """The answer to a request for a pack."""
    parts = [data[at : at + 60_000] for at in range(0, len(data), 60_000)]
    return line(b"NAK\n") + b"".join(line(channel + part) for part in parts) + b"0000"


def object_head(kind: int, size: int) -> bytes:
    byte, size = (kind << 4) | (size & 15), size >> 4
    head = bytearray()
    while size:
        head.append(byte | 0x80)
        byte, size = size & 0x7F, size >> 7
    return bytes((*head, byte))


def entry(kind: int, content: bytes, size: int | None = None, base: bytes = b"") -> bytes:
    """An object of a pack. `size`: what its head says. `base`: the offset back to that of a delta."""
    return object_head(kind, len(content) if size is None else size) + base + zlib.compress(content)


def packed(*entries: bytes, count: int | None = None) -> bytes:
    """A pack. `count`: what its head says."""
    body = pack(">4sLL", b"PACK", 2, len(entries) if count is None else count) + b"".join(entries)
    return body + sha1(body).digest()


def name_of(kind: bytes, content: bytes) -> bytes:
    return sha1(b"%s %d\0%s" % (kind, len(content), content)).hexdigest().encode()


def commit_of(tree: bytes) -> bytes:
    author = b"A <a@example.com> 1700000000 +0000"
    return b"tree %s\nauthor %s\ncommitter %s\n\nmessage\n" % (tree, author, author)


def variable(size: int) -> bytes:
    """A number as deltas have it."""
    out = bytearray()
    while size > 0x7F:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes((*out, size))


class HandMadeServer:
    """Answers by `refs` to the first request, and by `objects` to the next."""

    def __init__(self, url: str) -> None:
        self.origin = url
        self.url = f"{url}/team/project.git"
        self.requests: list[Request] = []
        self.refs: Callable[[], Response] = lambda: Response(status_code=404)
        self.objects: Callable[[], Response] = lambda: Response(status_code=404)

    def serve(self, refs: Mapping[bytes, bytes], objects: bytes) -> None:
        self.refs = lambda: Response(advertisement(refs), media_type=ADVERTISEMENT)
        self.objects = lambda: Response(objects, media_type=RESULT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.requests.append(request)
        await request.body()
        response = self.refs() if request.method == "GET" else self.objects()
        await response(scope, receive, send)


@asynccontextmanager
async def hand_made_server() -> AsyncIterator[HandMadeServer]:
    sock = listen()
    server = HandMadeServer(address(sock))
    async with served(server, sock):
        yield server

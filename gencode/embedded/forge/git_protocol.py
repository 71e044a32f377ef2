"""Git's own protocol over what has been received whole. Blocking; run it in a thread.

dulwich does the work; where its server falls short, `_Fetch` and `pushes` put it right.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable
from enum import StrEnum
from io import BytesIO
from typing import IO

from dulwich.errors import GitProtocolError, HangupException, ObjectFormatException
from dulwich.pack import UnresolvedDeltas
from dulwich.protocol import CAPABILITY_FILTER, ReceivableProtocol
from dulwich.repo import Repo
from dulwich.server import Backend, BackendRepo, ReceivePackHandler, UploadPackHandler

from gencode.embedded.forge.push_rules import PushProtocol, PushRules, settle_head, tidy
from gencode.embedded.forge.repositories import Repository, opened

MAX_INFLATED = 2**30
_NOT_GIT = (
    GitProtocolError,
    HangupException,
    ObjectFormatException,
    AssertionError,
    LookupError,
    ValueError,
    EOFError,
    zlib.error,
    gzip.BadGzipFile,
    UnresolvedDeltas,
)


class Service(StrEnum):
    FETCH = "git-upload-pack"
    PUSH = "git-receive-pack"


class Garbled(Exception):
    """The request is not Git's protocol, or asks for what is not there."""


def advertise(repository: Repository, service: Service) -> bytes:
    """The answer to `info/refs?service=...`."""
    out = BytesIO()
    with opened(repository) as repo:
        proto = ReceivableProtocol(BytesIO().read, out.write)
        proto.write_pkt_line(f"# service={service}\n".encode())
        proto.write_pkt_line(None)
        _handler(repo, service, proto, advertise_refs=True).handle()
    return out.getvalue()


def answer(repository: Repository, service: Service, body: IO[bytes], zipped: bool, reply: IO[bytes]) -> None:
    """Serve one request from `body` into `reply`. Pushes to one repository must not overlap.

    Raises Garbled, and OSError when the disk fails. A push that git's client is told of as refused has
    changed nothing.
    """
    source = _Inflated(body) if zipped else body
    with opened(repository) as repo:
        kind = ReceivableProtocol if service is Service.FETCH else PushProtocol
        proto = kind(source.read, reply.write)
        try:
            _handler(repo, service, proto, advertise_refs=False).handle()
        except _NOT_GIT as error:
            raise Garbled(f"{type(error).__name__}: {error}") from error
        finally:
            if service is Service.PUSH:
                tidy(repository)
        if service is Service.PUSH:
            settle_head(repo)


def _handler(
    repo: Repo, service: Service, proto: ReceivableProtocol, *, advertise_refs: bool
) -> UploadPackHandler | ReceivePackHandler:
    kind = _Fetch if service is Service.FETCH else ReceivePackHandler
    repo.hooks["update"] = PushRules(repo)
    return kind(_One(repo), ["/"], proto, stateless_rpc=True, advertise_refs=advertise_refs)


class _One(Backend):
    """The one repository that the address named."""

    def __init__(self, repo: Repo) -> None:
        self._repo = repo

    def open_repository(self, path: str) -> BackendRepo:
        return self._repo


class _Fetch(UploadPackHandler):
    """Without filters: a partial clone fetches the rest by object id, which dulwich refuses."""

    def capabilities(self) -> list[bytes]:
        return [capability for capability in super().capabilities() if capability != CAPABILITY_FILTER]

    def set_client_capabilities(self, caps: Iterable[bytes]) -> None:
        """Git 2.39 says `filter` although it was not offered, and then gladly takes the whole."""
        super().set_client_capabilities([cap for cap in caps if cap != CAPABILITY_FILTER])


class _Inflated:
    """A zipped request, read as plain; ends with an error past MAX_INFLATED."""

    def __init__(self, body: IO[bytes]) -> None:
        self._file = gzip.GzipFile(fileobj=body, mode="rb")
        self._left = MAX_INFLATED

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise GitProtocolError("the request inflates to more than is taken")
        return data

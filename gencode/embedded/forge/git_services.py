"""Git's pack protocol over request bodies that were received completely. Blocks; run it in a thread.

dulwich implements the protocol; `_UploadPack` and `push_rules` correct its server where it falls short.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from enum import StrEnum
from io import BytesIO
from typing import IO, Any

from dulwich.errors import GitProtocolError, HangupException, ObjectFormatException
from dulwich.object_store import DiskObjectStore
from dulwich.pack import UnpackedObject, UnresolvedDeltas
from dulwich.protocol import (
    CAPABILITY_FILTER,
    CAPABILITY_OFS_DELTA,
    CAPABILITY_SIDE_BAND_64K,
    ReceivableProtocol,
)
from dulwich.repo import Repo
from dulwich.server import Backend, BackendRepo, ReceivePackHandler, UploadPackHandler

from gencode.embedded.forge.receive_pack import (
    PushProtocol,
    PushRules,
    delete_temporary_packs,
    set_default_branch,
)
from gencode.embedded.forge.repositories import Repository, open_repository

MAX_DECOMPRESSED_BYTES = 2**30
_PROTOCOL_ERRORS = (
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
    """The two services of Git's smart HTTP protocol, by the names that it uses in URLs."""

    FETCH = "git-upload-pack"
    PUSH = "git-receive-pack"


class InvalidGitRequest(Exception):
    """The request violates Git's protocol, or names an object that does not exist."""


def advertise(repository: Repository, service: Service) -> bytes:
    """The ref advertisement: the response to `info/refs?service=...`."""
    out = BytesIO()
    with open_repository(repository) as repo:
        proto = ReceivableProtocol(BytesIO().read, out.write)
        proto.write_pkt_line(f"# service={service}\n".encode())
        proto.write_pkt_line(None)
        _handler(repo, service, proto, advertise_refs=True).handle()
    return out.getvalue()


def handle_request(
    repository: Repository, service: Service, body: IO[bytes], is_gzipped: bool, reply: IO[bytes]
) -> None:
    """Read one request from `body` and write its response to `reply`.

    Pushes to one repository must not overlap. A push that is reported as rejected has changed nothing. Raises
    InvalidGitRequest, and OSError when the disk fails.
    """
    source = _LimitedGzipReader(body) if is_gzipped else body
    with open_repository(repository) as repo:
        kind = _FetchProtocol if service is Service.FETCH else PushProtocol
        proto = kind(source.read, reply.write)
        try:
            _handler(repo, service, proto, advertise_refs=False).handle()
        except _PROTOCOL_ERRORS as error:
            raise InvalidGitRequest(f"{type(error).__name__}: {error}") from error
        finally:
            if service is Service.PUSH:
                delete_temporary_packs(repository)
        if service is Service.PUSH:
            set_default_branch(repo)


def _handler(
    repo: Repo, service: Service, proto: ReceivableProtocol, *, advertise_refs: bool
) -> UploadPackHandler | ReceivePackHandler:
    kind = _UploadPack if service is Service.FETCH else ReceivePackHandler
    repo.object_store.close()
    repo.object_store = _ObjectStore(repo.object_store.path)
    repo.hooks["update"] = PushRules(repo)
    return kind(
        _SingleRepositoryBackend(repo), ["/"], proto, stateless_rpc=True, advertise_refs=advertise_refs
    )


class _SingleRepositoryBackend(Backend):
    """Serves one repository, whatever path the client sends."""

    def __init__(self, repo: Repo) -> None:
        self._repo = repo

    def open_repository(self, path: str) -> BackendRepo:
        return self._repo


class _UploadPack(UploadPackHandler):
    """Requires no capability of a client: isomorphic-git and go-git have no `thin-pack`, simple clients none.

    Does not offer `filter`: a partial clone later fetches by object id, which dulwich rejects.
    """

    repo: Repo

    def capabilities(self) -> list[bytes]:
        return [capability for capability in super().capabilities() if capability != CAPABILITY_FILTER]

    @classmethod
    def required_capabilities(cls) -> tuple[bytes, ...]:
        return ()

    def set_client_capabilities(self, caps: Iterable[bytes]) -> None:
        """Git 2.39 sends `filter` although it was not offered, and accepts a complete pack in response."""
        super().set_client_capabilities([cap for cap in caps if cap != CAPABILITY_FILTER])
        if isinstance(self.repo.object_store, _ObjectStore):
            self.repo.object_store.reuses_deltas = self.has_capability(CAPABILITY_OFS_DELTA)

    def _start_pack_send_phase(self) -> None:
        super()._start_pack_send_phase()
        if isinstance(self.proto, _FetchProtocol):
            self.proto.ends_with_pack = not self.has_capability(CAPABILITY_SIDE_BAND_64K)


class _FetchProtocol(ReceivableProtocol):
    """The protocol of a fetch. `ends_with_pack`: the pack follows without pkt-lines, so no flush packet may
    follow it."""

    ends_with_pack = False

    def write_pkt_line(self, line: bytes | None) -> None:
        if line is not None or not self.ends_with_pack:
            super().write_pkt_line(line)


class _ObjectStore(DiskObjectStore):
    """An object store for fetches. `reuses_deltas`: whether stored deltas may be sent. If not, each object is
    sent whole, since dulwich would refer to the base of a delta by its offset, which the client may not
    support."""

    reuses_deltas = True

    def iter_unpacked_subset(self, shas: Iterable[Any], **options: Any) -> Iterator[UnpackedObject]:
        return super().iter_unpacked_subset(shas, **options) if self.reuses_deltas else iter(())


class _LimitedGzipReader:
    """Decompresses a gzipped request; raises GitProtocolError past MAX_DECOMPRESSED_BYTES."""

    def __init__(self, body: IO[bytes]) -> None:
        self._file = gzip.GzipFile(fileobj=body, mode="rb")
        self._left = MAX_DECOMPRESSED_BYTES

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise GitProtocolError("the request inflates to more than is taken")
        return data

"""Git's smart HTTP for reading: dulwich implements the protocol in a worker thread, httpx transports it.

A pack is streamed into a file. Each wait for the server runs in the event loop, in the cancel scope of the
task that waits for the thread: cancelling that closes the socket and frees the thread.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from struct import unpack
from typing import BinaryIO, Protocol
from urllib.parse import urljoin

import httpx
from dulwich.client import AbstractHttpGitClient
from dulwich.objects import ObjectID
from dulwich.refs import Ref, check_ref_format

from gencode.githosts.errors import GitError, GitProtocol, GitRejected
from gencode.githosts.fetch.errors import RepositoryTooLarge, fetch_error, status_error
from gencode.githosts.fetch.limits import FetchLimits, FetchProgress
from gencode.githosts.fetch.streamed_response import StreamedResponse
from gencode.githosts.http_client import CONNECT_SECONDS
from gencode.githosts.origins import origin_of
from gencode.githosts.push_errors import MAX_TEXT
from gencode.githosts.smart_http import DEFAULT_USER, MALFORMED, error_text, is_sha256
from gencode.security.redaction import quoted, sanitize

PREFIXES = (b"refs/heads/", b"refs/tags/")
"""Of the refs that are fetched."""
_HEAD = Ref(b"HEAD")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 3
_PACK_HEAD = 12
_FIRST = 64 * 1024
_HEX = frozenset(b"0123456789abcdef")


@dataclass(frozen=True, kw_only=True, slots=True)
class Remote:
    """A repository on a server.

    url    `https://host/owner/name`, without credentials
    token  the password of `user`; "" to read without one. It is sent to the origin of `url` alone
    http   the client, which knows which addresses may be called
    name   by which a clone knows that it is of this repository; "" for its address
    """

    url: str
    http: httpx.AsyncClient = field(repr=False)
    token: str = field(default="", repr=False)
    user: str = DEFAULT_USER
    name: str = ""

    @property
    def known_as(self) -> str:
        return self.name or self.url


@dataclass(frozen=True, kw_only=True, slots=True)
class Advertised:
    """What the server has.

    refs      ids of branches and tags by full name
    head      the branch that HEAD names; "" if none
    left_out  refs whose names are not valid
    """

    refs: Mapping[bytes, bytes]
    head: bytes
    left_out: int


class Haves(Protocol):
    """What is there already: dulwich's graph walker."""

    def next(self) -> ObjectID | None: ...

    def __next__(self) -> ObjectID | None: ...

    def ack(self, sha: ObjectID) -> None: ...

    def nak(self) -> None: ...


class FetchTransport(AbstractHttpGitClient):
    """One attempt to fetch one repository. The methods block: call them in a worker thread of anyio."""

    def __init__(self, remote: Remote, agent: str, limits: FetchLimits, progress: FetchProgress) -> None:
        # Thin packs refer to objects that are not in them, which no check of the pack alone could follow.
        super().__init__(remote.url, thin_packs=False)
        self._remote = remote
        self._limits = limits
        self._progress = progress
        self._is_pack = False
        self._words = bytearray()
        credentials = b64encode(f"{remote.user}:{remote.token}".encode()).decode("ascii")
        self._secrets = (remote.token, credentials) if remote.token else ()
        authorization = {"Authorization": f"Basic {credentials}"} if remote.token else {}
        self._own_headers = {**authorization, "User-Agent": f"git/{agent}", "Accept-Encoding": "identity"}

    def fetch_missing(self, is_known: Callable[[bytes], bool], haves: Haves, file: BinaryIO) -> Advertised:
        """Write the pack of what is missing to the file; nothing, if nothing is missing. Raises GitError."""
        advertised = Advertised(refs={}, head=b"", left_out=0)

        def determine_wants(refs: Mapping[Ref, ObjectID], depth: int | None = None) -> list[ObjectID]:
            nonlocal advertised
            advertised = self._advertised(refs)
            self._is_pack = True
            return sorted({ObjectID(sha) for sha in advertised.refs.values() if not is_known(sha)})

        try:
            prefixes = [b"HEAD", *PREFIXES]
            result = self.fetch_pack(
                "", determine_wants, haves, self._pack_writer(file), self._remember, ref_prefix=prefixes
            )
        except MALFORMED as error:
            text = f"{self._words.decode('utf-8', 'replace')}\n{error_text(error)[:MAX_TEXT]}"
            message = "the host broke Git's protocol; see whether the address is a Git repository's"
            raise fetch_error(text, self._secrets, message) from error
        head = result.symrefs.get(_HEAD, Ref(b""))
        known = head if head in advertised.refs else b""
        return Advertised(refs=advertised.refs, head=known, left_out=advertised.left_out)

    def _advertised(self, refs: Mapping[Ref, ObjectID]) -> Advertised:
        """Raises RepositoryTooLarge, GitProtocol."""
        wanted = {bytes(name): bytes(sha) for name, sha in refs.items() if name.startswith(PREFIXES)}
        valid = {name: sha for name, sha in wanted.items() if _is_valid(name)}
        if len(valid) > self._limits.refs:
            raise RepositoryTooLarge(f"it has more than {self._limits.refs} branches and tags")
        if not all(len(sha) == 40 and _HEX.issuperset(sha) for sha in valid.values()):
            raise GitProtocol("the host's list of branches has ids that are none")
        return Advertised(refs=valid, head=b"", left_out=len(wanted) - len(valid))

    def _pack_writer(self, file: BinaryIO) -> Callable[[bytes], int]:
        head = bytearray()

        def write(data: bytes) -> int:
            progress = self._progress
            progress.received_bytes += len(data)
            if progress.received_bytes > self._limits.pack_bytes:
                raise RepositoryTooLarge(f"its objects take more than {self._limits.pack_bytes} bytes")
            if len(head) < _PACK_HEAD:
                head.extend(data[: _PACK_HEAD - len(head)])
                self._check_head(bytes(head))
            return file.write(data)

        return write

    def _check_head(self, head: bytes) -> None:
        if len(head) < _PACK_HEAD:
            return
        if not head.startswith(b"PACK"):
            raise GitProtocol("the host broke Git's protocol: what it sends is no pack")
        objects: int = unpack(">L", head[8:])[0]
        if objects > self._limits.objects:
            raise RepositoryTooLarge(f"it has more than {self._limits.objects} objects")
        self._progress.objects = objects

    def _remember(self, words: bytes) -> None:
        """The end of what the host says while it works."""
        self._words += words[-MAX_TEXT // 2 :]
        del self._words[: -MAX_TEXT // 2]

    # --- transport ----------------------------------------------------------------------------------

    # See gencode.githosts.smart_http: dulwich wants subclasses to implement this private method.
    def _http_request(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        data: bytes | Iterator[bytes] | None = None,
        raise_for_status: bool = True,
    ) -> tuple[StreamedResponse, Callable[[int], bytes]]:
        body = data if data is None or isinstance(data, bytes) else b"".join(data)
        response = self._open(url, headers or {}, body)
        service = "advertisement" if body is None else "result"
        content_type = response.content_type or ""
        if not content_type.startswith(f"application/x-git-upload-pack-{service}"):
            response.close()
            shown = sanitize(content_type.partition(";")[0]) or "something"
            raise GitProtocol(f"the host answered with {shown}, which is not Git; see the address")
        if is_sha256(response.peek(_FIRST)):
            response.close()
            raise GitRejected("the repository has SHA-256 objects, which gencode cannot read")
        return response, response.read

    def _open(self, url: str, headers: dict[str, str], body: bytes | None) -> StreamedResponse:
        """The response with status 200. Follows redirects of the first request within the origin."""
        first = url
        for _ in range(_MAX_REDIRECTS + 1):
            self._check_origin(url)
            response = self._send(self._request(url, headers, body))
            if response.status == 200:
                response.redirect_location = url if url != first else ""
                return response
            target = urljoin(url, response.headers.get("location", ""))
            error = self._refusal(response)
            if body is not None or response.status not in _REDIRECTS:
                raise error
            url = target
        raise GitProtocol("the host redirects in a circle; see the address")

    def _send(self, request: httpx.Request) -> StreamedResponse:
        limit = self._limits.pack_bytes if self._is_pack else self._limits.refs_bytes
        return StreamedResponse(self._remote.http, request, limit, self._secrets)

    def _request(self, url: str, headers: dict[str, str], body: bytes | None) -> httpx.Request:
        idle = self._limits.idle_seconds
        more = {} if body is None else {"Content-Length": str(len(body))}
        return self._remote.http.build_request(
            "GET" if body is None else "POST",
            url,
            headers={**headers, **self._own_headers, **more},
            content=body,
            timeout=httpx.Timeout(idle, connect=min(CONNECT_SECONDS, idle)),
        )

    def _check_origin(self, url: str) -> None:
        """A hostile server may name any URL: by a redirect, or as the place of a pack. The token goes nowhere
        else, and neither does a request."""
        own = origin_of(self._remote.url)
        if own is None or origin_of(url.partition("?")[0]) != own:
            shown = quoted(url.partition("?")[0], self._secrets)
            raise GitProtocol(
                f"the host redirects to another one, which was not called: give its address{shown}"
            )

    def _refusal(self, response: StreamedResponse) -> GitError:
        is_text = (response.content_type or "").startswith("text/plain")
        text = response.peek(MAX_TEXT)[:MAX_TEXT].decode("utf-8", "replace") if is_text else ""
        response.close()
        return status_error(
            response.status, response.headers, text, self._secrets, has_token=bool(self._remote.token)
        )


def _is_valid(name: bytes) -> bool:
    try:
        return len(name.decode()) <= 255 and check_ref_format(Ref(name))
    except UnicodeDecodeError:
        return False

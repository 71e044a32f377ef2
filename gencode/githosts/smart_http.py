"""Git's smart HTTP protocol: dulwich implements the protocol, httpx transports it.

dulwich's own transport reads the user's gitconfig and proxy variables, follows redirects, retries three
times and has no deadline. Here its protocol code runs in a worker thread, and each HTTP exchange runs in the
event loop, in the cancel scope of the task that waits for the thread: cancelling that scope closes the socket
and frees the thread at once.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Set
from io import BytesIO

import anyio.from_thread
import httpx
from dulwich.client import AbstractHttpGitClient, SendPackResult
from dulwich.errors import GitProtocolError, SendPackError
from dulwich.objects import ObjectID
from dulwich.pack import UnpackedObject
from dulwich.refs import Ref

from gencode.githosts.commit import CommitObjects, pack_entries
from gencode.githosts.errors import GitError, GitNetwork, GitProtocol, GitRejected, GitTimeout, NonFastForward
from gencode.githosts.http_client import CONNECT_SECONDS, HttpReply, exchange
from gencode.githosts.push_errors import MAX_TEXT, check_status, push_error
from gencode.outbound.checked_transport import AddressRefused
from gencode.security.redaction import quoted

DEFAULT_USER = "x-access-token"
_CHUNK = 64 * 1024
MALFORMED = (GitProtocolError, ValueError, TypeError, LookupError, AssertionError)
"""Exceptions that dulwich raises for bytes that are not Git's protocol."""

_SHA256 = re.compile(rb"[\0 ]object-format=sha256\b|0000[0-9a-f]{4}[0-9a-f]{64} ")
"""Matches a SHA-256 repository in the first lines of the refs: the capability, or an object id of 64
digits."""

_Refs = dict[Ref, ObjectID]


class SmartHttpClient(AbstractHttpGitClient):
    """A client of one repository, for one attempt. The methods block: call them in a worker thread of anyio.

    client     made by `http_client`
    token      sent as the password of `user`, to `url` alone
    deadline   seconds for one exchange
    push_sent  whether the push was sent: from then on only the server knows its outcome
    """

    def __init__(
        self,
        url: str,
        token: str,
        client: httpx.AsyncClient,
        agent: str,
        deadline: float,
        user: str = DEFAULT_USER,
    ) -> None:
        super().__init__(url)
        self.push_sent = False
        self._client = client
        self._deadline = deadline
        credentials = b64encode(f"{user}:{token}".encode()).decode("ascii")
        self._secrets = (token, credentials)
        self._own_headers = {
            "Authorization": f"Basic {credentials}",
            # Some servers distinguish Git from browsers by the first word.
            "User-Agent": f"git/{agent}",
            "Accept-Encoding": "identity",
        }
        self._progress = bytearray()

    def push(self, ref: Ref, objects: CommitObjects) -> None:
        """Create the ref, or move it from `objects.replaces`; sends nothing if it is at the commit already.
        Raises GitError."""

        def update(existing: _Refs) -> _Refs:
            head = existing.get(ref)
            if head == objects.sha:
                return {}
            if head != objects.replaces:
                raise NonFastForward(
                    "the branch holds other commits and was left alone; choose another repo_name"
                )
            return {ref: objects.sha}

        result = self._send(update, objects)
        if self.push_sent:
            self._check_report(result.ref_status, ref)

    def refs(self) -> _Refs:
        """Every branch and tag, as a push would find them. Raises GitError."""
        refs: _Refs = {}

        def record(existing: _Refs) -> _Refs:
            refs.update(existing)
            return {}

        self._send(record, None)
        return {name: sha for name, sha in refs.items() if name.startswith(b"refs/")}

    def _send(self, update: Callable[[_Refs], _Refs], objects: CommitObjects | None) -> SendPackResult:
        def generate_pack(
            have: Set[ObjectID],
            want: Set[ObjectID],
            *,
            ofs_delta: bool = False,
            progress: Callable[[bytes], None] | None = None,
        ) -> tuple[int, Iterator[UnpackedObject]]:
            return (len(objects.all), pack_entries(objects)) if objects else (0, iter(()))

        try:
            return self.send_pack("", update, generate_pack, progress=self._progress.extend)
        except SendPackError as error:
            raise self._rejection(error_text(error)) from error
        except MALFORMED as error:
            text = self._server_text(error_text(error))
            message = "the host broke Git's protocol; see whether the address is a Git server's"
            raise push_error(text, self._secrets, GitProtocol, message) from error

    def _check_report(self, report: dict[bytes, str | None] | None, ref: Ref) -> None:
        """dulwich returns normally when a hook rejects the ref: only the report shows it."""
        if report is None or ref not in report:
            quote = quoted(self._server_text(), self._secrets)
            raise GitProtocol(f"the host did not say whether it took the push{quote}")
        if (reason := report[ref]) is not None:
            raise self._rejection(reason)

    def _rejection(self, reason: str) -> GitError:
        return push_error(self._server_text(reason), self._secrets)

    def _server_text(self, reason: str = "") -> str:
        """The progress channel, which carries the output of hooks, and the reason for a refusal: lines."""
        progress = self._progress[: MAX_TEXT // 2].decode("utf-8", "replace")
        return f"{progress}\n{reason[: MAX_TEXT // 2]}"

    # --- transport ----------------------------------------------------------------------------------

    # dulwich documents this method as the one that subclasses implement, but its name is private, so that any
    # release may change it. pyproject.toml therefore limits dulwich to the minor version that was tested, and
    # tests/unit/githosts/test_smart_http.py compares the signatures.
    def _http_request(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        data: bytes | Iterator[bytes] | None = None,
        raise_for_status: bool = True,
    ) -> tuple[_Response, Callable[[int], bytes]]:
        """Send one request of dulwich's. The body is sent with a Content-Length, from memory (trees are
        bounded): GitHub refuses some chunked uploads."""
        body = data if data is None or isinstance(data, bytes) else b"".join(data)
        self.push_sent = self.push_sent or body is not None
        reply = anyio.from_thread.run(self._exchange, url, headers or {}, body)
        check_status(reply, self._secrets)
        if body is None:
            _check_object_format(reply.content)
        response = _Response(reply)
        return response, response.read

    async def _exchange(self, url: str, headers: dict[str, str], body: bytes | None) -> HttpReply:
        headers = headers | self._own_headers
        if body is not None:
            headers["Content-Length"] = str(len(body))
        request = self._client.build_request(
            "GET" if body is None else "POST",
            url,
            headers=headers,
            content=None if body is None else _chunks(body),
            timeout=httpx.Timeout(self._deadline, connect=min(CONNECT_SECONDS, self._deadline)),
        )
        try:
            return await exchange(self._client, request, self._deadline)
        except httpx.TimeoutException as error:
            raise GitTimeout("the Git server did not answer in time; try again later") from error
        except AddressRefused as error:
            raise GitRejected(
                f"the repository's address {error}; the operator can allow a network"
            ) from error
        except httpx.TransportError as error:
            raise GitNetwork("the connection to the Git server failed" + quoted(str(error))) from error


class _Response:
    """A whole HTTP response with the attributes that dulwich reads."""

    def __init__(self, reply: HttpReply) -> None:
        self.status = reply.status
        self.headers: Mapping[str, str] = reply.headers
        self.content_type: str | None = reply.headers.get("content-type")
        self.redirect_location = ""
        self._body = BytesIO(reply.content)

    def read(self, amt: int | None = None) -> bytes:
        return self._body.read(amt)

    def close(self) -> None:
        self._body.close()

    def geturl(self) -> str | None:
        return None


def is_sha256(first: bytes) -> bool:
    """Whether the first lines of the refs are those of a repository of SHA-256 objects."""
    return bool(_SHA256.search(first)) and b" object-format=sha1" not in first


def _check_object_format(advertisement: bytes) -> None:
    """Raises GitRejected for a repository of another object format, before anything is sent to it: its server
    would only say that the pack is broken."""
    if is_sha256(advertisement[:_CHUNK]):
        raise GitRejected(
            "the host made a repository of SHA-256 objects, which gencode cannot write: let the host make "
            "SHA-1 repositories, then retry with another repo_name"
        )


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), _CHUNK):
        yield body[start : start + _CHUNK]


def error_text(error: BaseException) -> str:
    """The text of dulwich's errors, whose arguments can be bytes."""
    return " ".join(a.decode("utf-8", "replace") if isinstance(a, bytes) else str(a) for a in error.args)

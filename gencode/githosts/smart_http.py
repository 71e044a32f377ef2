"""Git's smart HTTP: dulwich speaks the protocol, httpx carries the bytes.

dulwich's own transport reads the user's gitconfig and proxy variables, follows redirects, retries three
times and has no deadline. Here its protocol code runs in a worker thread and every exchange runs in the
event loop, in the cancel scope of whoever waits for the thread: cancelling that scope closes the socket and
frees the thread at once.
"""

from __future__ import annotations

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

from gencode.githosts.commit import Objects
from gencode.githosts.errors import GitError, GitNetwork, GitProtocol, GitTimeout, NonFastForward
from gencode.githosts.http_client import CONNECT_SECONDS, HttpReply, exchange
from gencode.githosts.pack import entries
from gencode.githosts.push_errors import LONGEST, check_status, refused
from gencode.security.redaction import quoted

_CHUNK = 64 * 1024
_MALFORMED = (GitProtocolError, ValueError, TypeError, LookupError, AssertionError)
"""What dulwich raises over bytes that are not Git's."""


class Remote(AbstractHttpGitClient):
    """One repository, for one attempt. The methods block: call them in a worker thread of anyio's.

    client    made by `http_client`
    token     sent as the password of `user`, to `url` alone
    deadline  seconds for one exchange
    """

    def __init__(
        self,
        url: str,
        token: str,
        client: httpx.AsyncClient,
        agent: str,
        deadline: float,
        user: str = "x-access-token",
    ) -> None:
        super().__init__(url)
        self._client = client
        self._deadline = deadline
        credentials = b64encode(f"{user}:{token}".encode()).decode("ascii")
        self._secrets = (token, credentials)
        self._own_headers = {
            "Authorization": f"Basic {credentials}",
            # Some servers tell Git from browsers by the first word.
            "User-Agent": f"git/{agent}",
            "Accept-Encoding": "identity",
        }
        self._heard = bytearray()
        self.sent = False
        """Whether a push was sent: from then on only the remote knows what came of it."""

    def refs(self) -> dict[Ref, ObjectID]:
        """Every branch and tag, as a push would meet them. Raises GitError."""
        refs: dict[Ref, ObjectID] = {}

        def look(there: dict[Ref, ObjectID]) -> dict[Ref, ObjectID]:
            refs.update(there)
            return {}

        self._send(look, None)
        return {name: sha for name, sha in refs.items() if name.startswith(b"refs/")}

    def push(self, ref: Ref, new: Objects) -> None:
        """Create the ref; nothing is sent if it is there already. Raises GitError."""

        def decide(there: dict[Ref, ObjectID]) -> dict[Ref, ObjectID]:
            if there.get(ref, new.sha) != new.sha:
                raise NonFastForward(
                    "the branch holds other commits and was left alone; choose another repo_name"
                )
            return {} if ref in there else {ref: new.sha}

        result = self._send(decide, new)
        if self.sent:
            self._check_report(result.ref_status, ref)

    def _send(
        self, decide: Callable[[dict[Ref, ObjectID]], dict[Ref, ObjectID]], new: Objects | None
    ) -> SendPackResult:
        def pack(
            have: Set[ObjectID],
            want: Set[ObjectID],
            *,
            ofs_delta: bool = False,
            progress: Callable[[bytes], None] | None = None,
        ) -> tuple[int, Iterator[UnpackedObject]]:
            return (len(new.all), entries(new)) if new else (0, iter(()))

        try:
            return self.send_pack("", decide, pack, progress=self._heard.extend)
        except SendPackError as error:
            raise self._refused(_said(error)) from error
        except _MALFORMED as error:
            why = "the host broke Git's protocol; see whether the address is a Git server's"
            raise refused(self._words(_said(error)), self._secrets, GitProtocol, why) from error

    def _check_report(self, report: dict[bytes, str | None] | None, ref: Ref) -> None:
        """dulwich returns normally when a hook refuses the ref: the report alone tells."""
        if report is None or ref not in report:
            words = quoted(self._words(), self._secrets)
            raise GitProtocol(f"the host did not say whether it took the push{words}")
        if (reason := report[ref]) is not None:
            raise self._refused(reason)

    def _refused(self, reason: str) -> GitError:
        return refused(self._words(reason), self._secrets)

    def _words(self, reason: str = "") -> str:
        """What came on the progress channel, where hooks speak, and the refusal's own reason."""
        heard = self._heard[: LONGEST // 2].decode("utf-8", "replace")
        return f"{heard} {reason[: LONGEST // 2]}"

    def _http_request(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        data: bytes | Iterator[bytes] | None = None,
        raise_for_status: bool = True,
    ) -> tuple[_Response, Callable[[int], bytes]]:
        """Where dulwich leaves HTTP to its subclasses. The body is held whole (trees are bounded): GitHub
        refuses some chunked uploads."""
        body = data if data is None or isinstance(data, bytes) else b"".join(data)
        self.sent = self.sent or body is not None
        reply = anyio.from_thread.run(self._exchange, url, headers or {}, body)
        check_status(reply, self._secrets)
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
        except httpx.TransportError as error:
            raise GitNetwork("the connection to the Git server failed" + quoted(str(error))) from error


class _Response:
    """A reply that was read whole, in the shape that dulwich reads."""

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


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), _CHUNK):
        yield body[start : start + _CHUNK]


def _said(error: BaseException) -> str:
    """The text of dulwich's errors, which hold bytes as well."""
    return " ".join(a.decode("utf-8", "replace") if isinstance(a, bytes) else str(a) for a in error.args)

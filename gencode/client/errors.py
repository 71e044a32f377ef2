"""What can go wrong between a client and the service, in words that say what to do.

ServiceError     the service refused; or what answers is no gencode (code UNEXPECTED)
└── Unreachable  nobody answered, or not to the end (code UNREACHABLE)
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator

import httpx

ELSEWHERE = "is this the address of gencode, with the path that it is mounted under?"


class ServiceError(Exception):
    """status       of the answer; 0 if there was none
    code         stable (see the list of errors)
    message      for a reader; what `str` gives, with the code
    retry_after  seconds after which the service wants to be asked again, if it said so
    """

    def __init__(self, status: int, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(f"{message} [{code}]")
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after


class Unreachable(ServiceError):
    """received   the service may have got the request
    passing    another attempt may succeed without anyone changing anything
    """

    def __init__(self, message: str, *, received: bool, passing: bool = True) -> None:
        super().__init__(0, "UNREACHABLE", message)
        self.received = received
        self.passing = passing


def refusal(answer: httpx.Response) -> ServiceError:
    """What an answer that is no success says."""
    wait = answer.headers.get("retry-after", "")
    retry_after = float(wait) if re.fullmatch(r"[0-9]{1,6}", wait) else None
    try:
        problem = answer.json()
        return ServiceError(answer.status_code, str(problem["code"]), str(problem["detail"]), retry_after)
    except (ValueError, KeyError, TypeError):
        words = f"what answers there said {answer.status_code} and not in gencode's way; {ELSEWHERE}"
        return ServiceError(answer.status_code, "UNEXPECTED", words, retry_after)


def unexpected(answer: httpx.Response) -> ServiceError:
    """A success that is not what was asked for."""
    return ServiceError(
        answer.status_code, "UNEXPECTED", f"what answers there is not gencode, or a newer one; {ELSEWHERE}"
    )


def no_answer(url: str, error: httpx.RequestError | httpx.InvalidURL) -> Unreachable:
    """`url`: without credentials."""
    causes = list(_causes(error))
    if found := next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None):
        return Unreachable(_no_tls(url, found), received=False, passing=False)
    if isinstance(error, (httpx.UnsupportedProtocol, httpx.InvalidURL)):
        return Unreachable(f"{url} must begin with http:// or https://", received=False, passing=False)
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Unreachable(f"no machine of the name in {url} is known", received=False)
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
        said = str(error) or "no answer in time"
        words = f"no service answers at {url} ({said}); start one with: gencode serve"
        return Unreachable(words, received=False)
    if isinstance(error, httpx.RemoteProtocolError) and "illegal" in str(error):
        words = f"what answers at {url} does not speak HTTP; perhaps it wants https:// (or no TLS)"
        return Unreachable(words, received=False, passing=False)
    said = str(error) or type(error).__name__
    return Unreachable(f"the connection to {url} broke ({said}); try again", received=True)


def _no_tls(url: str, error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the certificate of {url} is not trusted ({error.verify_message}); if its authority is your own,"
            " name the file of its certificate: --ca-file (ca_file=)"
        )
    return f"no secure connection to {url} ({error.reason or error}); perhaps it wants http://"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__

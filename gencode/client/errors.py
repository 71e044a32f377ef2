"""Errors of the client; their messages say what to do.

ServiceError     an error response of the service, or a response that is not gencode's (code UNEXPECTED)
└── Unreachable  no response, or an incomplete one (code UNREACHABLE)
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator

import httpx

CHECK_URL_HINT = "is this the address of gencode, with the path that it is mounted under?"


class ServiceError(Exception):
    """status       HTTP status of the response; 0 if there was none
    code         stable error code (docs/errors.md)
    message      text for users; `str(error)` is the message and the code
    retry_after  seconds of the Retry-After header, None if there was none
    """

    def __init__(self, status: int, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(f"{message} [{code}]")
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after


class Unreachable(ServiceError):
    """received   the service may have received the request
    passing    transient: another attempt may succeed without a change
    """

    def __init__(self, message: str, *, received: bool, passing: bool = True) -> None:
        super().__init__(0, "UNREACHABLE", message)
        self.received = received
        self.passing = passing


def error_response(response: httpx.Response) -> ServiceError:
    """The error in a response that is not a success."""
    wait = response.headers.get("retry-after", "")
    retry_after = float(wait) if re.fullmatch(r"[0-9]{1,6}", wait) else None
    try:
        problem = response.json()
        return ServiceError(response.status_code, str(problem["code"]), str(problem["detail"]), retry_after)
    except (ValueError, KeyError, TypeError):
        message = f"the server answered {response.status_code}, but not as gencode does; {CHECK_URL_HINT}"
        return ServiceError(response.status_code, "UNEXPECTED", message, retry_after)


def unexpected_response(response: httpx.Response, reason: str = "") -> ServiceError:
    """The error for a body that is not gencode's. `reason`: why it is not."""
    detail = f" ({reason})" if reason else ""
    return ServiceError(
        response.status_code,
        "UNEXPECTED",
        f"what answers there is not gencode, or a newer one{detail}; {CHECK_URL_HINT}",
    )


def unreachable_error(url: str, error: httpx.RequestError | httpx.InvalidURL) -> Unreachable:
    """The error for a request without a complete response. `url` must not have credentials."""
    causes = list(_cause_chain(error))
    if found := next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None):
        return Unreachable(_tls_message(url, found), received=False, passing=False)
    if isinstance(error, (httpx.UnsupportedProtocol, httpx.InvalidURL)):
        return Unreachable(f"{url} must begin with http:// or https://", received=False, passing=False)
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Unreachable(f"the host name in {url} cannot be resolved", received=False)
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
        reason = str(error) or "no answer in time"
        message = f"no service answers at {url} ({reason}); start one with: gencode serve"
        return Unreachable(message, received=False)
    if isinstance(error, httpx.RemoteProtocolError) and "illegal" in str(error):
        message = f"what answers at {url} does not speak HTTP; perhaps it wants https:// (or no TLS)"
        return Unreachable(message, received=False, passing=False)
    reason = str(error) or type(error).__name__
    return Unreachable(f"the connection to {url} broke ({reason}); try again", received=True)


def _tls_message(url: str, error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the certificate of {url} is not trusted ({error.verify_message}); if its authority is your own,"
            " name the file of its certificate: --ca-file (ca_file=)"
        )
    return f"no secure connection to {url} ({error.reason or error}); perhaps it wants http://"


def _cause_chain(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__

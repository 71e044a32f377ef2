"""The access token of the forge, which writes require."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

_SCHEMES = ("bearer", "token")


class AccessToken:
    """The token that writes require; stored as a hash and compared in constant time."""

    def __init__(self, token: str) -> None:
        self._digest = _digest(token.encode())

    def matches(self, authorization: str) -> bool:
        """Whether an Authorization header has the token: `Bearer X`, `token X`, or Basic with password X."""
        given = _credential(authorization)
        return given is not None and hmac.compare_digest(_digest(given), self._digest)


def _credential(authorization: str) -> bytes | None:
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() in _SCHEMES:
        return rest.strip().encode(
            "latin-1"
        )  # the bytes as received: ASGI servers decode header values as latin-1
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(rest.strip(), validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return None


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()

"""The tokens of a session: access tokens, which are short-lived, and refresh tokens, which rotate.

A refresh token is `SESSION.SEQUENCE.PROOF`, where the proof is an HMAC of the rest. So nothing of it is
stored, and a token's successor can be computed again: tabs that refresh at the same time get the same one.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt

from gencode.domain.errors import StartError

ALGORITHM = "HS256"
ISSUER = "gencode"
MIN_KEY_BYTES = 32
_REFRESH_TOKEN = re.compile(r"([0-9a-f-]{36})\.(\d{1,9})\.([A-Za-z0-9_-]{43})")
_REQUIRED = ("exp", "iat", "iss", "sub", "sid")


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessClaims:
    """What a genuine access token says."""

    user_id: str
    session_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RefreshClaims:
    """What a genuine refresh token says."""

    session_id: str
    sequence: int


class SessionTokens:
    """key             at least 32 bytes, shared by all processes
    access_minutes  the lifetime of an access token

    Raises StartError for a key that is too short.
    """

    def __init__(self, key: bytes, access_minutes: int) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise StartError(
                f"JWT_SECRET_KEY has fewer than {MIN_KEY_BYTES} bytes: make one with: openssl rand -hex 32"
            )
        self._access_key = _derived(key, b"access")
        self._refresh_key = _derived(key, b"refresh")
        self.access_seconds = access_minutes * 60

    def access_token(self, user_id: str, session_id: str, at: datetime) -> str:
        claims = {
            "iss": ISSUER,
            "sub": user_id,
            "sid": session_id,
            "type": "access",
            "iat": at,
            "exp": at + timedelta(seconds=self.access_seconds),
        }
        return jwt.encode(claims, self._access_key, algorithm=ALGORITHM)

    def read_access_token(self, token: str) -> AccessClaims | None:
        """The claims of a token that is genuine and has not expired, else None."""
        try:
            claims = jwt.decode(
                token,
                self._access_key,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                options={"require": list(_REQUIRED)},
            )
        except (jwt.PyJWTError, ValueError):
            return None
        return AccessClaims(user_id=str(claims["sub"]), session_id=str(claims["sid"]))

    def refresh_token(self, session_id: str, sequence: int) -> str:
        signed = f"{session_id}.{sequence}"
        digest = hmac.digest(self._refresh_key, signed.encode(), hashlib.sha256)
        return f"{signed}.{urlsafe_b64encode(digest).rstrip(b'=').decode()}"

    def read_refresh_token(self, token: str) -> RefreshClaims | None:
        """The claims of a genuine token, else None. Whether it is the present one is the session's matter."""
        found = _REFRESH_TOKEN.fullmatch(token)
        if not found:
            return None
        claims = RefreshClaims(session_id=found[1], sequence=int(found[2]))
        genuine = self.refresh_token(claims.session_id, claims.sequence)
        return claims if hmac.compare_digest(genuine.encode(), token.encode()) else None


def _derived(key: bytes, use: bytes) -> bytes:
    """One secret serves two uses, with a key of its own for each."""
    return hmac.digest(key, b"gencode session " + use, hashlib.sha256)

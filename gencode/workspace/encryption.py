"""Encrypts secrets that the database holds: API keys of models, tokens of Git hosts.

AES-256-GCM. The associated data is the row and the field, so that a ciphertext that is moved to another row
is refused; it begins with the id of its key, so that keys can be rotated: the first key of ENCRYPTION_KEY
encrypts, all of them decrypt.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gencode.domain.errors import StoreError
from gencode.domain.phrase import Phrase
from gencode.workspace.errors import NoEncryptionKey

_NONCE_BYTES = 12


class Encryption:
    """`keys`: the first one encrypts. Without keys, nothing can be stored."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}

    @property
    def key_id(self) -> str:
        """Of the key that encrypts. Raises NoEncryptionKey."""
        if not self._ciphers:
            raise NoEncryptionKey("ENCRYPTION_KEY is not set, and secrets are not stored without it")
        return next(iter(self._ciphers))

    def knows(self, key_id: str) -> bool:
        return key_id in self._ciphers

    def encrypt(self, secret: str, place: str) -> str:
        """`place`: the row and field that hold it. Raises NoEncryptionKey."""
        key_id, nonce = self.key_id, secrets.token_bytes(_NONCE_BYTES)
        sealed = self._ciphers[key_id].encrypt(nonce, secret.encode(), place.encode())
        return f"{key_id}:{urlsafe_b64encode(nonce + sealed).decode()}"

    def decrypt(self, text: str, place: str) -> str:
        """Raises StoreError for a text of another place, or of a key that is not known."""
        key_id, _, sealed = text.partition(":")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise StoreError(
                Phrase(
                    "a stored secret needs the encryption key {key_id}: add it to ENCRYPTION_KEY",
                    key_id=key_id,
                )
            )
        try:
            data = urlsafe_b64decode(sealed)
            return cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], place.encode()).decode()
        except (InvalidTag, ValueError):
            raise StoreError("a stored secret was changed, or belongs to another row") from None


def key_id_of(sealed: str) -> str:
    """The id of the key that encrypted this."""
    return sealed.partition(":")[0]


def secret_place(table: str, owner: str, row_id: str, field: str) -> str:
    """The row and field of a secret, see `Encryption.encrypt`."""
    return f"{table}/{owner}/{row_id}/{field}"


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"gencode encryption key " + key).hexdigest()[:8]

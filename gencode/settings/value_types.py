"""Validated types of the values of settings."""

from __future__ import annotations

import ipaddress
import re
from base64 import b64decode, urlsafe_b64decode
from pathlib import Path
from typing import Annotated

from limits import parse
from pydantic import AfterValidator, Field, SecretStr

ENCRYPTION_KEY_BYTES = 32
EXTENSIONS = (".txt", ".md", ".pdf", ".doc", ".docx")
"""Of the files that can be read."""
_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?", re.IGNORECASE)
"""As browsers send it (RFC 6454). "*" is not accepted: each allowed site must be listed."""


def split_list(value: str) -> list[str]:
    """The entries of a comma-separated list."""
    return [entry for entry in map(str.strip, value.split(",")) if entry]


def lets_anyone_in(host: str) -> str:
    """The message for a service without keys at an address that others reach."""
    return (
        f"SERVER_HOST={host} would let anyone in: make a key (gencode keys make NAME), or set API_KEYS,"
        " SERVER_HOST=127.0.0.1, or AUTH=none if something else guards this address"
    )


def is_loopback(host: str) -> bool:
    """Whether a host is `localhost` or a loopback IP address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _rate(value: str) -> str:
    parse(value)
    return value


def _origins(value: str) -> str:
    for origin in split_list(value):
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(f"{origin!r} is no origin; write it as https://example.com, without a path")
    return value


def _origin(value: str) -> str:
    if value and not _ORIGIN.fullmatch(value.rstrip("/")):
        raise ValueError("must be an address without a path, as https://chat.example.com")
    return value.rstrip("/")


def _networks(value: str) -> str:
    for entry in split_list(value):
        ipaddress.ip_network(entry)
    return value


def _webhook_secrets(value: SecretStr) -> SecretStr:
    for entry in split_list(value.get_secret_value()):
        if not (entry.startswith("whsec_") and 24 <= _decoded_length(entry[6:]) <= 64):
            raise ValueError("must be whsec_ and the base64 of 24 to 64 random bytes")
    return value


def _database_url(url: SecretStr) -> SecretStr:
    if url.get_secret_value() and not url.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise ValueError("write it as postgresql://USER:PASSWORD@HOST:PORT/NAME")
    return url


def _decoded_length(text: str) -> int:
    """Length in bytes of the decoded text; 0 if it is not base64."""
    try:
        return len(b64decode(text, validate=True))
    except ValueError:
        return 0


def _extensions(value: str) -> str:
    unknown = [entry for entry in split_list(value.lower()) if entry not in EXTENSIONS]
    if unknown or not split_list(value):
        raise ValueError(f"write some of {','.join(EXTENSIONS)}")
    return value


Seconds = Annotated[float, Field(gt=0, le=7 * 24 * 3600)]
Days = Annotated[float, Field(ge=0, le=36_500)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Directory = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]
Rate = Annotated[str, AfterValidator(_rate)]
Extensions = Annotated[str, AfterValidator(_extensions)]
Origin = Annotated[str, AfterValidator(_origin)]
Origins = Annotated[str, AfterValidator(_origins)]
Networks = Annotated[str, AfterValidator(_networks)]
WebhookSecrets = Annotated[SecretStr, AfterValidator(_webhook_secrets)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]


def encryption_keys(value: SecretStr) -> tuple[bytes, ...]:
    """The keys of ENCRYPTION_KEY. Raises ValueError, whose text has none of them."""
    return tuple(map(_encryption_key, split_list(value.get_secret_value())))


def _encryption_key(text: str) -> bytes:
    try:
        key = urlsafe_b64decode(text.replace("+", "-").replace("/", "_"))
    except ValueError:
        key = b""
    if len(key) != ENCRYPTION_KEY_BYTES:
        raise ValueError("each key must be 32 bytes in base64, as `openssl rand -base64 32` prints them")
    return key


def _checked_encryption_keys(value: SecretStr) -> SecretStr:
    encryption_keys(value)
    return value


def _sandbox(value: str) -> str:
    if value not in ("off", "bubblewrap") and not value.startswith("container:"):
        raise ValueError("must be off, bubblewrap, or container:COMMAND")
    return value


SandboxChoice = Annotated[str, AfterValidator(_sandbox)]
EncryptionKeys = Annotated[SecretStr, AfterValidator(_checked_encryption_keys)]

"""What the text of a setting may be, and what it means."""

from __future__ import annotations

import ipaddress
import re
from base64 import b64decode
from pathlib import Path
from typing import Annotated

from limits import parse
from pydantic import AfterValidator, Field, SecretStr

_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?", re.IGNORECASE)
"""As browsers send it (RFC 6454); "*" is not one: whoever means every site must name them."""


def listed(value: str) -> list[str]:
    """The entries between commas."""
    return [entry for entry in map(str.strip, value.split(",")) if entry]


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _rate(value: str) -> str:
    parse(value)
    return value


def _each_an_origin(value: str) -> str:
    for origin in listed(value):
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(f"{origin!r} is no origin; write it as https://example.com, without a path")
    return value


def _an_origin(value: str) -> str:
    if value and not _ORIGIN.fullmatch(value.rstrip("/")):
        raise ValueError("must be an address without a path, as https://chat.example.com")
    return value.rstrip("/")


def _each_a_network(value: str) -> str:
    for entry in listed(value):
        ipaddress.ip_network(entry)
    return value


def _each_signs(value: SecretStr) -> SecretStr:
    for entry in listed(value.get_secret_value()):
        if not (entry.startswith("whsec_") and 24 <= _decoded_length(entry[6:]) <= 64):
            raise ValueError("must be whsec_ and the base64 of 24 to 64 random bytes")
    return value


def _decoded_length(text: str) -> int:
    """Bytes; 0 for what is no base64."""
    try:
        return len(b64decode(text, validate=True))
    except ValueError:
        return 0


Seconds = Annotated[float, Field(gt=0, le=7 * 24 * 3600)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Folder = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]
Rate = Annotated[str, AfterValidator(_rate)]
Origin = Annotated[str, AfterValidator(_an_origin)]
Origins = Annotated[str, AfterValidator(_each_an_origin)]
Networks = Annotated[str, AfterValidator(_each_a_network)]
WebhookSecrets = Annotated[SecretStr, AfterValidator(_each_signs)]

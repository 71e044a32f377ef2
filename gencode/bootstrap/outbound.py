"""Makes `Outbound`: the proxies and the certificate authorities that the settings configure."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx

from gencode.domain.errors import StartError
from gencode.outbound.transport import Outbound
from gencode.settings import Settings


def make_outbound(settings: Settings) -> Outbound:
    """Raises StartError when CA_BUNDLE cannot be read."""
    tls = httpx.create_ssl_context()
    if settings.ca_bundle:
        _trust(tls, settings.ca_bundle)
    return Outbound(tls=tls, proxies=settings.proxies)


def _trust(tls: ssl.SSLContext, path: Path) -> None:
    try:
        tls.load_verify_locations(cafile=path)
    except ssl.SSLError:
        raise StartError(f"CA_BUNDLE: {path} has no certificate in PEM form that can be read") from None
    except OSError as error:
        raise StartError(f"CA_BUNDLE: {path} cannot be read: {error.strerror}") from None

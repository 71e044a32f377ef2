"""Runs in the environment of the project: makes, with the factories of its tests, what is to be sent to its API.
Writes a JSON list of {"url", "bodies"} to standard output.

Arguments: the Unix socket of the server. The records that a body refers to are made on the way.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import httpx

BODIES = 2
PREFIX = "make_"


class Recording:
    """Passes requests on, and keeps the address of the last one."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self.url = ""

    def post(self, url: str, **options: Any) -> httpx.Response:
        self.url = url
        return self._client.post(url, **options)


def main() -> None:
    sys.path.insert(0, "")
    from tests import factories  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415

    transport = httpx.HTTPTransport(uds=sys.argv[1])
    with httpx.Client(transport=transport, base_url="http://application", timeout=30) as client:
        recording = Recording(client)
        found = []
        for name in sorted(vars(factories)):
            if name.startswith(PREFIX):
                getattr(factories, name)(recording)
                body_of = getattr(factories, f"body_of_{name[len(PREFIX) :]}")
                url = recording.url
                found.append({"url": url, "bodies": [body_of(recording) for _ in range(BODIES)]})
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()

"""Runs in the environment of the project: makes, with the factories of its tests, what is to be sent to its
API. Writes a JSON list of {"url", "bodies"} to standard output.

Argument: the Unix socket of the server. The records that a body refers to are made on the way.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gencode.certification.programs.gencode_build_requests import exchange
else:
    from gencode_build_requests import exchange

BODIES = 2
PREFIX = "make_"


class Answer:
    """What factories read of a response."""

    def __init__(self, status: int, data: bytes) -> None:
        self.status_code = status
        self.text = data.decode("utf-8", "replace")

    def json(self) -> Any:
        return json.loads(self.text)


class Client:
    """What factories use of a test client; it keeps the last address."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.url = ""

    def post(self, url: str, *, json: Any) -> Answer:
        self.url = url
        return Answer(*exchange(self._path, "POST", url, json))


def main() -> None:
    sys.path.insert(0, "")
    factories = importlib.import_module("tests.factories")
    client = Client(sys.argv[1])
    found = []
    for name in sorted(vars(factories)):
        if name.startswith(PREFIX):
            getattr(factories, name)(client)
            url = client.url
            body_of = getattr(factories, f"body_of_{name[len(PREFIX) :]}")
            found.append({"url": url, "bodies": [body_of(client) for _ in range(BODIES)]})
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()

"""Runs in the environment of the project: makes, with the factories of its tests, what is to be sent to its
API. Writes a line with their names, then answers each line of standard input by one of JSON: `bodies NAME` by
{"url", "bodies", "made"}; `make NAME`, for which a record is made, by true.

Argument: the Unix socket of the server. `made`: addresses of the records that were made because the bodies
refer to them, in the order in which they were made.
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
    """What factories use of a test client. `made`: addresses."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.made: list[str] = []

    def post(self, url: str, *, json: Any) -> Answer:
        answer = Answer(*exchange(self._path, "POST", url, json))
        if answer.status_code == 201:
            self.made.append(f"{url}/{answer.json()['id']}")
        return answer

    def get(self, url: str) -> Answer:
        return Answer(*exchange(self._path, "GET", url, None))


class Unsent:
    """A client that sends nothing, and knows what was to be sent last."""

    url = ""

    def post(self, url: str, *, json: Any) -> Answer:
        self.url = url
        return Answer(201, b'{"id": 1}')


def main() -> None:
    sys.path.insert(0, "")
    factories = importlib.import_module("tests.factories")
    client = Client(sys.argv[1])
    _say([name[len(PREFIX) :] for name in vars(factories) if name.startswith(PREFIX)])
    for line in sys.stdin:
        what, name = line.split()
        make, body_of = getattr(factories, f"{PREFIX}{name}"), getattr(factories, f"body_of_{name}")
        if what == "make":
            make(client)
            _say(True)
        else:
            unsent = Unsent()
            make(unsent)
            client.made.clear()
            bodies = [body_of(client) for _ in range(BODIES)]
            _say({"url": unsent.url, "bodies": bodies, "made": client.made})


def _say(answer: Any) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

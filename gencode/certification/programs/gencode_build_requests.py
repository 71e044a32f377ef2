"""Creates, reads, changes and deletes a record of every resource over HTTP. Addresses and bodies come from
the project's own factories; what must be there is read from the OpenAPI document; each answer is judged here.
"""

from __future__ import annotations

import http.client
import json
import math
import re
import socket
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from gencode.certification.programs.gencode_build_commands import Deadline, Log, Unproven
    from gencode.certification.programs.gencode_build_factories import Factories
else:
    from gencode_build_commands import Unproven

MAX_ANSWER = 16 * 2**20
SECONDS = 30.0
SHOWN = 300
MAX_RECORDS = 5000
_RECORD = re.compile(r"/\{[^{}/]+\}$")


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("application", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(SECONDS)
        self.sock.connect(self._path)


def exchange(path: str, method: str, url: str, body: Any) -> tuple[int, bytes]:
    """Status and data. path: of the socket. Raises OSError, http.client.HTTPException."""
    connection = _Connection(path)
    try:
        data = None if body is None else json.dumps(body).encode()
        connection.request(method, url, data, {"Content-Type": "application/json"} if data else {})
        answer = connection.getresponse()
        return answer.status, answer.read(MAX_ANSWER)
    finally:
        connection.close()


class Application:
    """A server at a Unix socket."""

    def __init__(self, path: str, log: Log, deadline: Deadline) -> None:
        self._path = path
        self._log = log
        self._deadline = deadline

    def is_ready(self) -> bool:
        try:
            return exchange(self._path, "GET", "/health", None)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def ask(self, method: str, path: str, status: int, body: Any = None) -> Any:
        """The JSON of the answer. Raises Unproven unless it has this status."""
        answer = self._answer(method, path, body)
        text = answer[1].decode("utf-8", "replace")
        if answer[0] != status:
            self._log.line(f"sent {json.dumps(body)[:2000]}\nanswered {text[:2000]}")
            raise Unproven(f"{method} {path} answers {answer[0]} instead of {status}: {text[:SHOWN]}")
        try:
            return json.loads(text) if text else None
        except (ValueError, RecursionError):
            raise Unproven(f"{method} {path} answers no JSON: {text[:SHOWN]}") from None

    def remove(self, path: str) -> None:
        """If it is there and nothing refers to it."""
        self._answer("DELETE", path, None)

    def _answer(self, method: str, path: str, body: Any) -> tuple[int, bytes]:
        self._deadline.check()
        try:
            answer = exchange(self._path, method, path, body)
        except (OSError, http.client.HTTPException) as error:
            raise Unproven(f"{method} {path}: {type(error).__name__} {error}"[:SHOWN]) from None
        self._log.line(f"{method} {path} {answer[0]}")
        return answer


def resources(application: Application) -> set[str]:
    """Addresses at which records are made, read, changed and deleted one at a time."""
    paths = application.ask("GET", "/openapi.json", 200)["paths"]
    found = set()
    for path, operations in paths.items():
        parent = _RECORD.sub("", path)
        if parent != path and {"get", "put", "delete"} <= set(operations) and "post" in paths.get(parent, {}):
            found.add(parent)
    return found


def check_resources(application: Application, factories: Factories) -> None:
    """What is left are records of every resource. Raises Unproven."""
    known = set()
    for name in factories.names:
        made = factories.bodies(name)
        known.add(made["url"])
        _check(application, made["url"], *made["bodies"])
        for address in reversed(made["made"]):
            application.remove(address)
    lacking = resources(application) ^ known
    if lacking:
        raise Unproven(
            f"the factories of the tests and the OpenAPI document differ in {sorted(lacking)}"[:SHOWN]
        )
    for name in factories.names:
        factories.make(name)


def _check(application: Application, url: str, first: dict[str, Any], second: dict[str, Any]) -> None:
    made = application.ask("POST", url, 201, first)
    address = f"{url}/{made['id']}"
    _compare("POST", url, first, made)
    _equal("GET", address, application.ask("GET", address, 200), made)
    listed = application.ask("GET", f"{url}?page_size=1&sort=-id", 200)
    _equal("GET", url, listed["items"], [made])
    changed = application.ask("PUT", address, 200, second)
    _compare("PUT", address, second, changed)
    _equal("GET", address, application.ask("GET", address, 200), changed)
    application.ask("DELETE", address, 204)
    application.ask("GET", address, 404)


def _equal(method: str, path: str, found: Any, wanted: Any) -> None:
    if found != wanted:
        raise Unproven(
            f"{method} {path} answers {json.dumps(found)[:SHOWN]}, not {json.dumps(wanted)[:SHOWN]}"
        )


def _compare(method: str, path: str, sent: dict[str, Any], answered: dict[str, Any]) -> None:
    for name, value in sent.items():
        if not same(value, answered.get(name)):
            raise Unproven(
                f"{method} {path}: {name} is {answered.get(name)!r}, and {value!r} was sent"[:SHOWN]
            )


def same(sent: Any, answered: Any) -> bool:
    """The same value, perhaps written in another form: 1.5 and "1.50", moments in another zone."""
    if sent == answered:
        return True
    if isinstance(sent, bool) or isinstance(answered, bool) or sent is None or answered is None:
        return False
    return _numbers(sent, answered) or _moments(sent, answered)


def _numbers(sent: Any, answered: Any) -> bool:
    try:
        first, second = Decimal(str(sent)), Decimal(str(answered))
    except InvalidOperation:
        return False
    return first == second or math.isclose(first, second, rel_tol=1e-6)


def _moments(sent: Any, answered: Any) -> bool:
    try:
        first, second = (
            datetime.fromisoformat(str(text).replace("Z", "+00:00")) for text in (sent, answered)
        )
        return first == second
    except ValueError:
        return False

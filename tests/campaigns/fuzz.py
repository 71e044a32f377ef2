"""Sends generated and changed requests to every operation of a service with the workspace.

    python -m tests.campaigns.fuzz --bodies 10000 --seed 1

The requests follow from the service's own OpenAPI document. They come from an admin, two users, an API key,
from sessions that are over, and from nobody. A fault is an answer of 500 or more that the document does not
describe, an answer that breaks its schema, one with a secret or with a row of somebody else, a connection to
an address that may not be called, a secret in a file, and an operation that never did what it is for.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from time import perf_counter

import anyio
import httpx

from gencode.bootstrap.user_administration import create_admin
from gencode.settings import DatabaseSettings
from tests.campaigns.figures import versions
from tests.campaigns.fuzzing.cases import ENDING, OF_USERS, Case, Cases
from tests.campaigns.fuzzing.document import Described, Document
from tests.campaigns.fuzzing.examples import EXAMPLES
from tests.campaigns.fuzzing.neighbours import neighbours
from tests.campaigns.fuzzing.people import PASSWORD, ROBOT_KEY, SECRETS, NotPrepared, People
from tests.campaigns.fuzzing.rows import prepare
from tests.campaigns.fuzzing.targets import Targets, targets
from tests.campaigns.running import run_campaign
from tests.servers.service import Service, environment, service

CLIENTS = 6
BODY_SHARE = 8
"""Cases of an operation with a body for one without, or for one that is costly."""
COSTLY = frozenset((*ENDING, *OF_USERS, "createUser", "registerUser", "logIn", "applyTemplate"))
"""They hash passwords, or start a process; others begin tasks (202)."""
MAX_READ = 2 * 2**20
STREAM_SECONDS = 0.5
"""After which a stream that does not end is left."""
SECONDS = 120
SWITCHED_OFF = frozenset({"slack", "mattermost"})
"""They need settings that the campaign has not."""
WITHOUT_BODY = frozenset(
    {
        *("acceptBlueprintProposal", "rejectBlueprintProposal", "getBlueprintProposal", "getTaskBlueprint"),
        *("proveTemplate", "publishTemplate", "downloadTemplate", "downloadAppliedTemplate"),
        *("renderDeployment", "listBlueprintBuilds", "listArtifacts", "downloadArtifact", "getQaReport"),
    }
)
CHECKED = frozenset(EXAMPLES) - SWITCHED_OFF | WITHOUT_BODY
"""Operations whose requests are known to be valid."""


@dataclass(kw_only=True)
class Report:
    """statuses    of the answers, by operation
    bodies      that were sent
    unprepared  cases whose rows could not be made
    """

    statuses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    bodies: int = 0
    unprepared: int = 0
    faults: list[str] = field(default_factory=list)
    seconds: float = 0

    def unreached(self) -> Iterator[str]:
        for name, statuses in self.statuses.items():
            if name in CHECKED and not any(status < 400 for status in statuses):
                yield f"{name} never did what it is for: {dict(statuses)}"


class Campaign:
    def __init__(self, people: People, document: Document, random: Random, targets: Targets) -> None:
        self.report = Report()
        self._people = people
        self._document = document
        self._random = random
        self._targets = targets
        self._cases = Cases(document, people, random)
        self._seen: Counter[str] = Counter()

    async def run(self, bodies: int, only: str = "") -> None:
        """Every operation once as it is meant; then each with rows of the other user; then at random until so
        many bodies were sent. `only`: a pattern of the names of those that are called at random."""
        for operation in self._document.operations:
            await self._make_and_send(operation, valid=True)
        for case in neighbours(self._document, self._people, self._random):
            await self._send(case)
        chosen = [one for one in self._document.operations if re.search(only, one.name)]
        weighted = [one for one in chosen for _ in range(_weight(one))]
        async with anyio.create_task_group() as group:
            for _ in range(CLIENTS):
                group.start_soon(self._client, weighted, bodies)

    async def _client(self, operations: Sequence[Described], bodies: int) -> None:
        while self.report.bodies < bodies:
            await self._make_and_send(self._random.choice(operations))

    async def _make_and_send(self, operation: Described, *, valid: bool = False) -> None:
        try:
            case = await self._cases.make(operation, valid=valid)
        except NotPrepared:
            self.report.unprepared += 1
        else:
            await self._send(case)

    async def _send(self, case: Case) -> None:
        self.report.bodies += case.content is not None
        answer = await self._answer(case)
        self.report.statuses[case.operation.name][answer.status_code] += 1
        for fault in self._faults(case, answer):
            self._fault(f"{fault}; {case} -> {answer.status_code} {answer.text[:600]}")
        await self._learn(case, answer)

    def _fault(self, text: str) -> None:
        """The first of each kind and operation."""
        kind = text.partition(";")[0]
        self._seen[kind] += 1
        if self._seen[kind] <= 3:
            self.report.faults.append(text)
            print("FAULT", text, flush=True)

    async def _answer(self, case: Case) -> httpx.Response:
        request = self._people.http.build_request(
            case.method, case.url, headers=_pairs(case), content=case.content
        )
        answer = await self._people.http.send(request, stream=True)
        body = b""
        try:
            with anyio.move_on_after(STREAM_SECONDS if _is_stream(answer) else SECONDS):
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > MAX_READ:
                        break
        finally:
            with anyio.CancelScope(shield=True):
                await answer.aclose()
        headers = {name: value for name, value in answer.headers.items() if name != "content-encoding"}
        return httpx.Response(answer.status_code, headers=headers, content=body, request=request)

    def _faults(self, case: Case, answer: httpx.Response) -> Iterator[str]:
        operation, headers = case.operation, str(answer.headers)
        is_elsewhere = (
            case.method != operation.method or "%2F" in case.path or answer.status_code in (404, 405)
        )
        if not is_elsewhere or answer.status_code >= 500:
            yield from (f"{operation.name}: {fault}" for fault in self._document.faults(operation, answer))
        for secret in (*SECRETS, PASSWORD):
            if secret.encode() in answer.content or secret in headers:
                yield f"{operation.name}: a secret in the answer"
        bob = self._people.bob
        if bob.marker.encode() in answer.content and case.person not in (bob, self._people.admin):
            yield f"{operation.name}: a row of another user"
        if case.is_foreign and answer.status_code < 400:
            yield f"{operation.name}: accepted the row of another user"
        if self._targets.calls:
            yield f"{operation.name}: a forbidden address was called: {self._targets.calls.pop()}"

    async def _learn(self, case: Case, answer: httpx.Response) -> None:
        if tag := answer.headers.get("etag"):
            self._cases.tags[case.path] = tag
        if answer.status_code == 401 and case.person in (
            self._people.alice,
            self._people.bob,
            self._people.admin,
        ):
            await self._people.log_in(case.person)
        if case.operation.method == "GET" and b'"next_cursor"' in answer.content and answer.is_success:
            cursor = json.loads(answer.content).get("next_cursor")
            self._cases.cursors[case.operation.name] += [str(cursor)] if cursor else []


def _weight(operation: Described) -> int:
    is_costly = operation.name in COSTLY or "202" in operation.responses or operation.name in SWITCHED_OFF
    return BODY_SHARE if operation.has_body and not is_costly else 1


def _pairs(case: Case) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value) for name, value in case.headers.items()]


def _is_stream(answer: httpx.Response) -> bool:
    return str(answer.headers.get("content-type", "")).startswith("text/event-stream")


async def campaign(bodies: int, seed: int, folder: Path, *, only: str = "") -> Report:
    random, began = Random(seed), perf_counter()
    async with _service(folder) as (process, people, aims):
        await people.settle()
        async with anyio.create_task_group() as group:
            for person in (people.alice, people.bob):
                group.start_soon(prepare, people, person)
        print(f"prepared after {perf_counter() - began:.0f} s", flush=True)
        document = Document((await people.http.get("/openapi.json")).json())
        running = Campaign(people, document, random, aims)
        await running.run(bodies, only)
        report = running.report
    report.seconds = perf_counter() - began
    report.faults += [*report.unreached(), *secrets_in_files(folder, process)]
    return report


@asynccontextmanager
async def _service(folder: Path) -> AsyncIterator[tuple[Service, People, Targets]]:
    async with targets(folder) as aims:
        variables = environment(
            WORKSPACE="true",
            WORKSPACE_ALLOW_NETWORKS="127.0.0.1/32",
            ALLOW_REGISTRATION="true",
            LOGIN_ATTEMPTS="1000",
            RATE_LIMIT="1000000/minute",
            MAX_CONCURRENT_TASKS="2",
            MAX_WAITING_TASKS="200",
            MAX_FILE_SIZE=str(2**20),
            API_KEYS=f"robot={ROBOT_KEY}",
            LOG_FORMAT="json",
        )
        await create_admin(DatabaseSettings(data_dir=folder / "data"), "admin", "admin@example.com", PASSWORD)
        async with service(folder, variables) as process, _client(process) as http:
            yield process, People(http=http, **aims.urls()), aims


def _client(process: Service) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=process.url, trust_env=False, timeout=SECONDS)


def secrets_in_files(folder: Path, process: Service) -> Iterator[str]:
    """In the log, the databases and all other files of the service."""
    for file in [process.log, *process.data_dir.rglob("*")]:
        content = file.read_bytes() if file.is_file() else b""
        for secret in (*SECRETS, PASSWORD):
            if secret.encode() in content:
                yield f"a secret ({secret}) in {file.relative_to(folder)}"
    if b"Traceback" in process.log.read_bytes():
        yield "a traceback in the log"


# --- the command ------------------------------------------------------------------------------------


def show(report: Report) -> str:
    rows = [_row(name, statuses) for name, statuses in sorted(report.statuses.items())]
    total = sum((statuses for statuses in report.statuses.values()), Counter[int]())
    figures = f"{total.total()} requests, {report.bodies} with a body, in {report.seconds:.0f} s"
    figures += f"; {report.unprepared} cases could not be prepared"
    return "\n".join(
        [*rows, _row("all", total), versions(), figures, *(f"FAULT {one}" for one in report.faults)]
    )


def _row(name: str, statuses: Counter[int]) -> str:
    share = sum(count for status, count in statuses.items() if status < 400) / statuses.total()
    counts = " ".join(f"{status}:{count}" for status, count in sorted(statuses.items()))
    return f"{name:30} {statuses.total():6} {share:5.0%} below 400   {counts}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bodies", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="a pattern of names of operations")
    chosen = parser.parse_args(arguments)
    title = f"{chosen.bodies} bodies, seed {chosen.seed}"
    return run_campaign("fuzz", title, partial(campaign, chosen.bodies, chosen.seed, only=chosen.only), show)


if __name__ == "__main__":
    sys.exit(main())

"""Who sends requests, what they own, and what nobody else may see.

Each person's rows contain the person's `marker`. An answer to somebody else that contains it is a fault, and
so is one that contains a secret.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

import anyio
import httpx

PASSWORD = "canary-password-5be1f0c2d37a"
API_KEY = "canary-api-key-93ab11ce04f2"
ACCESS_TOKEN = "canary-access-token-7c1d20be6a"
ROBOT_KEY = "canary-robot-key-2f80a6d5c3e1"
SECRETS = (API_KEY, ACCESS_TOKEN, ROBOT_KEY)
"""Stored, and shown to nobody. The passwords, too, but they stand in the requests of the campaign alone."""


class NotPrepared(Exception):
    """What a request is about could not be made: the service has no place for another task, for instance."""


@dataclass(kw_only=True)
class Person:
    """rows  the ids of what the person owns, by kind; the last one may be changed"""

    name: str
    role: str
    token: str = ""
    refresh_token: str = ""
    rows: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def marker(self) -> str:
        return f"private-to-{self.name}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


@dataclass(kw_only=True)
class People:
    """admin, alice (who attacks), bob (her neighbour), and those without an account.

    ended      was alice in a session that is over
    repository the address of a Git repository that may be fetched
    model_url  of a model server that may be called
    """

    http: httpx.AsyncClient
    repository: str
    model_url: str
    forbidden_urls: list[str]
    admin: Person = field(default_factory=lambda: Person(name="admin", role="admin"))
    alice: Person = field(default_factory=lambda: Person(name="alice", role="user"))
    bob: Person = field(default_factory=lambda: Person(name="bob", role="developer"))
    anonymous: Person = field(default_factory=lambda: Person(name="nobody", role=""))
    robot: Person = field(default_factory=lambda: Person(name="robot", role="", token=ROBOT_KEY))
    ended: Person = field(default_factory=lambda: Person(name="ended", role=""))
    forged: Person = field(default_factory=lambda: Person(name="forged", role=""))
    _made: int = 0

    @property
    def owners(self) -> tuple[Person, ...]:
        return self.admin, self.alice, self.bob, self.robot

    def number(self) -> int:
        self._made += 1
        return self._made

    async def settle(self) -> None:
        """Makes the accounts, except the admin's, and logs all in."""
        await self.log_in(self.admin)
        self.admin.rows["user"].append((await self.call(self.admin, "GET", "/users/me")).json()["id"])
        for person in (self.alice, self.bob):
            await self.register(person, self.admin.headers)
            await self.log_in(person)
        self.ended.token = self.alice.token
        await self.call(self.alice, "POST", "/auth/logout")
        await self.log_in(self.alice)
        head, payload, signature = self.admin.token.split(".")
        self.forged.token = f"{head}.{payload}.{signature[::-1]}"

    async def register(self, person: Person, headers: dict[str, str]) -> str:
        body = {
            "username": person.name,
            "email": f"{person.name}@example.com",
            "password": PASSWORD,
            "role": person.role,
        }
        answer = await self.http.post("/api/v1/users", json=body, headers=headers)
        person.rows["user"].append(str(answer.raise_for_status().json()["id"]))
        return person.rows["user"][-1]

    async def log_in(self, person: Person) -> None:
        form = {"username": person.name, "password": PASSWORD}
        answer = (await self.http.post("/api/v1/auth/login", data=form)).raise_for_status().json()
        person.token, person.refresh_token = answer["access_token"], answer["refresh_token"]

    async def somebody(self, role: str = "user") -> Person:
        """A new account, for a request that may end its session, its password or itself."""
        person = Person(name=f"somebody{self.number()}", role=role)
        await self.register(person, self.admin.headers)
        await self.log_in(person)
        (session,) = (await self.call(person, "GET", "/auth/sessions")).json()["sessions"]
        person.rows["session"].append(session["id"])
        return person

    async def call(self, person: Person, method: str, path: str, **options: Any) -> httpx.Response:
        """`path` below /api/v1. Raises NotPrepared."""
        headers = {**person.headers, **options.pop("headers", {})}
        answer = await self.http.request(method, f"/api/v1{path}", headers=headers, **options)
        if answer.status_code >= 400:
            raise NotPrepared(f"{person.name}: {method} {path}: {answer.text[:500]}")
        return answer

    async def task(self, person: Person, path: str, body: Any, *, until: str = "") -> dict[str, Any]:
        """Submits a task and waits until it is over, or has the stage `until`; returns it."""
        task_id = str((await self.call(person, "POST", path, json=body)).json()["task_id"])
        return await self.over(person, task_id, until)

    async def over(self, person: Person, task_id: str, until: str = "") -> dict[str, Any]:
        person.rows["task"].append(task_id)
        while True:
            task: dict[str, Any] = (await self.call(person, "GET", f"/task/{task_id}")).json()
            if task["state"] in ("succeeded", "failed", "cancelled", until):
                return task
            await anyio.sleep(0.05)

    def any_id(self, random: Random) -> str:
        """Of a row of anybody, or of none."""
        if random.random() < 0.15:
            return str(UUID(int=random.getrandbits(128), version=4))
        kinds = random.choice(self.owners).rows
        return random.choice(random.choice([*kinds.values()] or [["x"]]) or ["x"])

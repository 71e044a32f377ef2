"""Makes requests: valid ones, ones that were changed, and ones that are nothing but hostile."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from tests.campaigns.fuzzing.document import Described, Document
from tests.campaigns.fuzzing.examples import EXAMPLES, PATCH, TEXT
from tests.campaigns.fuzzing.files import damaged, form, hostile_form, packed_set
from tests.campaigns.fuzzing.people import People, Person
from tests.campaigns.fuzzing.rows import CAN_BE_MADE, KINDS, new_proposal, new_row, new_team, paused_task
from tests.campaigns.fuzzing.values import DOCUMENTS, TEXTS, Generator, Json, encoded, mutated

FORM, JSON, MULTIPART = "application/x-www-form-urlencoded", "application/json", "multipart/form-data"
ADMIN_PATHS = ("/api/v1/users", "/api/v1/audit", "/api/v1/system-logs")
ENDING = ("logOut", "endOwnSession", "changeOwnPassword", "refreshSession")
"""Operations after which the tokens of the person are not valid any more."""
OF_USERS = ("deleteUser", "changeUser", "resetPassword")
TEAMS = ("changeTeamMember", "removeTeamMember", "transferTeam")
"""Operations that need a team with a second member."""
TASKS: Mapping[str, str] = {
    **dict.fromkeys(("readReview", "readReviewMarkdown", "readReviewSarif"), "review"),
    **dict.fromkeys(("getTaskRequirements", "getTaskRequirementsMarkdown"), "analysis"),
    **dict.fromkeys(("readTests", "archiveTests", "patchTests"), "tests"),
    **dict.fromkeys(("archiveFiles", "bundleTask", "listFiles", "readFile", "reportTask"), "generated"),
    **dict.fromkeys(("downloadArtifact", "getQaReport", "listArtifacts", "regenerateBuild"), "built"),
    "getTaskBlueprint": "drafted",
    **dict.fromkeys(("approvePlan", "changePlan", "readPlan"), "paused"),
    "retryTask": "failed",
}
IDS: Mapping[str, str] = {
    **dict.fromkeys(
        ("listMessages", "getMessage", "showBranch", "answerAgain", "exportConversation"), "asked"
    ),
    **dict.fromkeys(("getRequirementChanges", "parseRequirementDocument"), "uploaded"),
    **dict.fromkeys(("parseForBlueprint", "listBlueprintProposals", "getBlueprintProposal"), "draft"),
}
"""The kind of the row in the path, where the path does not tell it."""
DECISIONS = ("acceptBlueprintProposal", "rejectBlueprintProposal")
HEADERS: Mapping[str, tuple[str, ...]] = {
    "If-Match": ("*", '"0"', '"1"', 'W/"1"', "", '"' + "9" * 400 + '"'),
    "If-None-Match": ("*", '"0"', ""),
    "If-Range": ('"0"', "Sun, 06 Nov 1994 08:49:37 GMT"),
    "Range": ("bytes=0-5", "bytes=-1", "bytes=5-1", "bytes=0-0,2-3", "bytes=" + "9" * 400 + "-", "x=1"),
    "Idempotency-Key": ("a", "b", "c", "x" * 255, "x" * 256, ""),
    "Accept-Language": ("zh", "en;q=0.1, zh", "zh;q=9e99", "*;q=x", "," * 500),
    "Last-Event-ID": ("0", "1", "9" * 400, "-1", "x"),
    "Accept": ("application/xml", "text/event-stream", "*/*;q=x"),
    "Content-Encoding": ("gzip", "br", "identity"),
    "Origin": ("https://evil.example", "null"),
    "X-Forwarded-For": ("127.0.0.1", "x" * 500, "::1"),
    "X-API-Key": ("", "x", "eyA.b.c"),
}
EVERYWHERE = ("Accept", "Content-Encoding", "Origin", "X-Forwarded-For", "X-API-Key")


@dataclass(frozen=True, kw_only=True)
class Case:
    """valid       whether it is a request as clients send it
    is_foreign  whether it names a row of another user where only own ones are allowed
    """

    operation: Described
    person: Person
    method: str
    path: str
    query: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, bytes] = field(default_factory=dict)
    content: bytes | None = None
    valid: bool = False
    is_foreign: bool = False

    @property
    def url(self) -> str:
        query = urlencode(self.query, encoding="utf-8", errors="surrogatepass")
        return f"{self.path}?{query}" if query else self.path

    def __str__(self) -> str:
        head = " ".join(
            f"{name}={value[:60]!r}" for name, value in self.headers.items() if name != "Authorization"
        )
        return f"{self.person.name}: {self.method} {self.url} {head} {(self.content or b'')[:600]!r}"


class Cases:
    """cursors, tags: of earlier answers, by the operation's name and by the path"""

    def __init__(self, document: Document, people: People, random: Random) -> None:
        self._document = document
        self._people = people
        self._random = random
        self._generator = Generator(random, document.schemas, lambda: people.any_id(random))
        self.cursors: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=20))
        self.tags: dict[str, str] = {}

    async def make(self, operation: Described, *, valid: bool = False) -> Case:
        valid = valid or self._random.random() < 0.12
        person, ids = await self._subject(operation, valid=valid)
        path, valid_path = self._path(operation, person, ids, valid=valid)
        query = self._query(operation, person, valid=valid)
        headers = self._headers(operation, path, valid=valid)
        content = None
        if operation.has_body:
            content, kind = self._content(operation, person, valid=valid)
            if not valid and self._random.random() < 0.03:
                kind = self._random.choice((*TEXTS, JSON, FORM, "application/json; charset=utf-16"))
            headers["content-type"] = _header(kind)
        case = Case(
            operation=operation,
            person=person,
            method=operation.method,
            path=path,
            query=query,
            headers={name: _header(value) for name, value in person.headers.items()} | headers,
            content=content,
            valid=valid and valid_path,
        )
        return case if valid or self._random.random() > 0.01 else replace(case, method="PUT", valid=False)

    async def _subject(self, operation: Described, *, valid: bool) -> tuple[Person, dict[str, str]]:
        """Who sends it, and the ids in its path that are that person's."""
        people, name = self._people, operation.name
        if name in ENDING:
            person = await people.somebody()
            return person, {"id": person.rows["session"][0]}
        if name in OF_USERS:
            person = Person(name=f"new{people.number()}", role="user")
            return self._sender(operation, valid=valid), {
                "id": await people.register(person, people.admin.headers)
            }
        person = self._sender(operation, valid=valid)
        return person, await self._ids(operation, person, valid=valid)

    def _sender(self, operation: Described, *, valid: bool) -> Person:
        people = self._people
        usual = people.admin if self._is_for_admins(operation) else people.alice
        if valid:
            return usual
        others = [people.admin, people.robot, people.anonymous, people.ended, people.forged]
        if operation.method == "GET":
            others.append(people.bob)
        return usual if self._random.random() < 0.8 else self._random.choice(others)

    def _is_for_admins(self, operation: Described) -> bool:
        if operation.name == "changeTeamPlan":
            return True
        return operation.path.startswith(ADMIN_PATHS) and not operation.path.endswith("/me")

    async def _ids(self, operation: Described, person: Person, *, valid: bool) -> dict[str, str]:
        if person not in self._people.owners:
            return {}
        kinds = {name: self._kind(operation, name) for name in operation.path_names}
        own = {name: self._own(operation, person, kind) for name, kind in kinds.items()}
        is_used_up = valid or operation.method == "DELETE" or self._random.random() < 0.1
        fresh = await self._fresh(operation, person, kinds) if is_used_up else {}
        return own | fresh

    async def _fresh(self, operation: Described, person: Person, kinds: Mapping[str, str]) -> dict[str, str]:
        """A row that the operation may use up."""
        if operation.name == "approvePlan":
            return {"task_id": await paused_task(self._people, person)}
        if operation.name in ("cancelTask", "deleteTask"):
            body = EXAMPLES["generate"](self._people, person, self._random) | {"approve_plan": True}
            answer = await self._people.call(person, "POST", "/generate", json=body)
            return {"task_id": str(answer.json()["task_id"])}
        if operation.name in DECISIONS:
            draft, proposal = await new_proposal(self._people, person)
            return {"id": draft, "proposal_id": proposal}
        if operation.name == "sendMessage":
            return {"id": await new_row(self._people, person, "conversation")}
        if operation.name == "changeTeamPlan":
            return {"id": await new_row(self._people, person, "team")}
        if operation.name == "leaveTeam":
            team, _ = await new_team(self._people, self._people.admin, "alice")
            return {"id": team}
        if operation.name in TEAMS:
            team, member = await new_team(self._people, person, "bob")
            return {"id": team, "member_id": member}
        if operation.name == "addTeamMember":
            return {"id": await new_row(self._people, person, "team")}
        name = list(kinds)[-1] if kinds else ""
        if operation.method == "DELETE" and kinds.get(name) in CAN_BE_MADE:
            return {name: await new_row(self._people, person, kinds[name])}
        return {}

    def _kind(self, operation: Described, name: str) -> str:
        if name == "task_id":
            return TASKS.get(operation.name, "task")
        if name == "id":
            found = [kind for prefix, kind in KINDS.items() if operation.path.startswith(prefix)]
            return IDS.get(operation.name, found[0] if found else "")
        if operation.name == "indexKnowledgeDocument":
            return "unreadable"
        return {
            "document_id": "document",
            "message_id": "message",
            "path": "file",
            "proposal_id": "proposal",
        }.get(name, "")

    def _own(self, operation: Described, person: Person, kind: str) -> str:
        rows = person.rows[kind] or ["x"]
        if kind == "task":
            return self._random.choice(rows)
        is_changed = operation.method in ("PATCH", "DELETE") and len(operation.path_names) == 1
        return rows[-1] if is_changed else rows[0]

    def _path(
        self, operation: Described, person: Person, ids: Mapping[str, str], *, valid: bool
    ) -> tuple[str, bool]:
        path, is_own = operation.path, True
        for name in operation.path_names:
            value = ids.get(name, "")
            if not value or (not valid and self._random.random() < 0.25):
                is_own, value = False, self._another_id(operation, person)
            safe = "/" if name == "path" and valid else ""
            path = path.replace(
                f"{{{name}}}", quote(value.encode("utf-8", "surrogatepass"), safe=safe) or "%20"
            )
        return path, is_own

    def _another_id(self, operation: Described, person: Person) -> str:
        kind = self._kind(operation, operation.path_names[-1])
        if operation.name in OF_USERS:
            return self._random.choice(TEXTS)  # an admin must not delete those who send
        if person is not self._people.bob and self._random.random() < 0.6:
            return self._random.choice(self._people.bob.rows[kind] or ["x"])
        return (
            self._people.any_id(self._random) if self._random.random() < 0.5 else self._random.choice(TEXTS)
        )

    def _query(self, operation: Described, person: Person, *, valid: bool) -> list[tuple[str, str]]:
        if valid:
            path = {
                "getRepositoryFile": [("path", "a.py")],
                "checkRepositoryName": [("repo_name", "a-free-name")],
                "downloadAppliedTemplate": [("blueprint_id", (person.rows["blueprint"] or ["x"])[0])],
            }.get(operation.name, [])
            version = person.rows["requirement"][:1] if operation.name == "getRequirementChanges" else []
            return [*path, *(("from", one) for one in version)]
        chosen = [one for one in operation.inputs("query") if self._random.random() < 0.35]
        pairs = [(str(one["name"]), self._query_value(operation, one)) for one in chosen]
        if self._random.random() < 0.05:
            pairs.append((self._random.choice((*TEXTS[:20], "limit", "cursor")), self._random.choice(TEXTS)))
        return pairs

    def _query_value(self, operation: Described, parameter: Mapping[str, Any]) -> str:
        if parameter["name"] == "cursor" and self._random.random() < 0.7:
            return self._cursor(operation)
        value = self._generator.value(parameter.get("schema", {}))
        return ",".join(map(str, value)) if isinstance(value, list) else str(value)

    def _cursor(self, operation: Described) -> str:
        known = self.cursors[operation.name] if self._random.random() < 0.8 else None
        known = known or self.cursors[self._random.choice([operation.name, *self.cursors])]
        if not known:
            return self._random.choice(TEXTS)
        cursor = self._random.choice(known)
        if self._random.random() < 0.5:
            at = self._random.randrange(len(cursor))
            cursor = cursor[:at] + self._random.choice("AZaz09-_=") + cursor[at + 1 :]
        return cursor

    def _headers(self, operation: Described, path: str, *, valid: bool) -> dict[str, bytes]:
        declared = [str(one["name"]) for one in operation.inputs("header")]
        if valid:
            return {name: b"*" for name in declared if name == "If-Match"}
        chosen = [name for name in declared if self._random.random() < 0.3]
        chosen += [name for name in EVERYWHERE if self._random.random() < 0.02]
        return {name: _header(self._header_value(name, path)) for name in chosen}

    def _header_value(self, name: str, path: str) -> str:
        if name.startswith("If-") and path in self.tags and self._random.random() < 0.4:
            return self.tags[path]
        return self._random.choice(HEADERS.get(name, TEXTS) if self._random.random() < 0.8 else TEXTS)

    def _content(self, operation: Described, person: Person, *, valid: bool) -> tuple[bytes, str]:
        kind = operation.media_type
        if kind == MULTIPART:
            return self._form(operation, person, valid=valid)
        if kind == "text/x-diff":
            return self._patch(person, valid=valid), kind
        body = self._body(operation, person, valid=valid)
        if kind == FORM:
            return _urlencoded(body), kind
        return body if isinstance(body, bytes) else encoded(body, self._random), kind

    def _body(self, operation: Described, person: Person, *, valid: bool) -> Json:
        if operation.name not in EXAMPLES:
            return self._generator.value(operation.body)
        example = EXAMPLES[operation.name](self._people, person, self._random)
        if valid:
            return example
        example, choice = self._with_other_addresses(example), self._random.random()
        if choice < 0.05:
            return example
        if choice < 0.12 and operation.media_type == JSON:
            return self._random.choice(DOCUMENTS)
        if choice < 0.35:
            return self._generator.value(operation.body)
        own = [*_names(example), *self._document.schemas.get(_model(operation), {}).get("properties", {})]
        return mutated(example, self._random, own, lambda: self._people.any_id(self._random))

    def _with_other_addresses(self, example: Json) -> Json:
        """Some with one that the service must not call."""
        if not isinstance(example, dict) or self._random.random() < 0.7:
            return example
        forbidden = self._random.choice(self._people.forbidden_urls)
        return {name: forbidden if name.endswith("_url") else value for name, value in example.items()}

    def _form(self, operation: Described, person: Person, *, valid: bool) -> tuple[bytes, str]:
        text = (TEXT % f"{person.marker} {self._people.number()}").encode()
        name, content = "a.md", text
        is_archive = operation.path.startswith("/api/v1/templates")
        if is_archive:
            name = "a.zip"
            content = packed_set(EXAMPLES["createTemplate"](self._people, person, self._random))
        if valid or self._random.random() < 0.2:
            return form(name, content), f"{MULTIPART}; boundary=b0"
        if is_archive and self._random.random() < 0.7:
            return form(name, damaged(content, self._random)), f"{MULTIPART}; boundary=b0"
        return hostile_form(self._random, text)

    def _patch(self, person: Person, *, valid: bool) -> bytes:
        patch = (PATCH % person.marker).encode()
        if valid:
            return patch
        lines = patch.splitlines(keepends=True) * self._random.choice((1, 1, 3, 50))
        for _ in range(self._random.randint(1, 4)):
            at = self._random.randrange(len(lines))
            hostile = self._random.choice(TEXTS).encode("utf-8", "surrogatepass")
            lines[at] = self._random.choice(
                (b"", hostile, lines[at][:-2], b"@@ -%d +1,0 @@\n" % 10**20, b"+++ " + hostile)
            )
        return b"".join(lines)


def _model(operation: Described) -> str:
    return str(operation.body.get("$ref", "")).rpartition("/")[2]


def _names(example: Json) -> list[str]:
    return list(example) if isinstance(example, dict) else []


def _urlencoded(body: Json) -> bytes:
    if not isinstance(body, dict):
        return json.dumps(body).encode()
    return urlencode(
        {
            str(name).encode("utf-8", "replace"): str(value).encode("utf-8", "replace")
            for name, value in body.items()
        }
    ).encode()


def _header(value: str) -> bytes:
    """Without what an HTTP client would not send."""
    return bytes(
        byte for byte in value.encode("utf-8", "surrogatepass") if byte >= 0x20 and byte != 0x7F
    ).strip()

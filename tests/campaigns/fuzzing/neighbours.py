"""Requests of one user that name a row of another, in each place of each operation that takes an id."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from random import Random
from urllib.parse import quote

from tests.campaigns.fuzzing.cases import JSON, Case
from tests.campaigns.fuzzing.document import Described, Document
from tests.campaigns.fuzzing.examples import EXAMPLES
from tests.campaigns.fuzzing.people import People
from tests.campaigns.fuzzing.rows import KINDS
from tests.campaigns.fuzzing.values import Schema, resolved

MARKS = ("0-9a-f]{8}", "config/")
"""In the patterns of ids."""
PUBLIC = (("addTeamMember", "user_id"), ("createConversation", "model"), ("createModelConfig", "model"))
"""Fields that name other users on purpose, that are read when they are used, or that are no ids of rows."""
TASK_KINDS = ("review", "analysis", "tests", "generated", "failed", "paused", "built", "drafted")
WITH: Mapping[str, Mapping[str, str]] = {
    "encoder_config": {"encoder": "model", "encoder_model": "m"},
}
"""What a field means something with."""


def neighbours(document: Document, people: People, random: Random) -> Iterator[Case]:
    """Each must be refused."""
    for operation in document.operations:
        if operation.media_type == JSON and operation.name in EXAMPLES and "{" not in operation.path:
            yield from _in_bodies(document, operation, people, random)
        if {"id", "task_id"} & set(operation.path_names):
            yield from _in_paths(operation, people, random)


def _in_bodies(document: Document, operation: Described, people: People, random: Random) -> Iterator[Case]:
    example = EXAMPLES[operation.name](people, people.alice, random)
    for name, pattern in _id_fields(resolved(operation.body, document.schemas)):
        prefix = "config/" if "config/" in pattern and "[0-9a-f-]" in pattern else ""
        for row in _rows(people):
            if (operation.name, name) not in PUBLIC:
                yield _case(
                    operation,
                    people,
                    operation.path,
                    {**example, **WITH.get(name, {}), name: f"{prefix}{row}"},
                )
    has_model = "model" in resolved(operation.body, document.schemas).get("properties", {})
    if has_model and (operation.name, "model") not in PUBLIC:
        for row in people.bob.rows["config"]:
            yield _case(operation, people, operation.path, {**example, "model": f"config/{row}"})


def _in_paths(operation: Described, people: People, random: Random) -> Iterator[Case]:
    """The ids of a path are those of a row of the other user, of the kind that the operation is about."""
    body = EXAMPLES[operation.name](people, people.alice, random) if operation.name in EXAMPLES else None
    kinds = TASK_KINDS if "task_id" in operation.path_names else _kinds(operation)
    for row in [people.bob.rows[kind][0] for kind in kinds if people.bob.rows[kind]]:
        path = operation.path
        for name in operation.path_names:
            own = people.bob.rows["file"] if name == "path" else [row]
            path = path.replace(f"{{{name}}}", quote(own[0], safe=""))
        if not operation.path.startswith("/api/v1/users/"):
            yield _case(operation, people, path, body)


def _kinds(operation: Described) -> list[str]:
    found = [kind for prefix, kind in KINDS.items() if operation.path.startswith(prefix)]
    return [*found, *(["asked", "uploaded", "compared"] if found else [])]


def _rows(people: People) -> list[str]:
    """The first of each kind, but for the user."""
    return [rows[0] for kind, rows in people.bob.rows.items() if kind not in ("user", "file") and rows]


def _id_fields(model: Schema) -> Iterator[tuple[str, str]]:
    properties: Mapping[str, Schema] = model.get("properties", {})
    for name, schema in properties.items():
        for one in (schema, *schema.get("anyOf", ())):
            pattern = str(one.get("pattern", ""))
            if any(mark in pattern for mark in MARKS):
                yield name, pattern


def _case(operation: Described, people: People, path: str, body: object) -> Case:
    has_json = operation.media_type == JSON
    headers = {"Authorization": people.alice.headers["Authorization"].encode()}
    return Case(
        operation=operation,
        person=people.alice,
        method=operation.method,
        path=path,
        headers=headers | ({"content-type": JSON.encode()} if has_json else {}),
        content=json.dumps(body).encode() if has_json else None,
        is_foreign=True,
    )

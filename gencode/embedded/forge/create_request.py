"""What a client wants when it creates a repository, checked as GitHub checks it."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gencode.embedded.forge.names import NAME_LENGTH, is_name, normalised

_DESCRIPTION_LENGTH = 350
_TYPES = {"name": (str, "a string"), "private": (bool, "a boolean"), "auto_init": (bool, "a boolean")}
NAME_TAKEN = "name already exists on this account"


class Refused(Exception):
    """Not created: the answer's status and body."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(body["message"])
        self.status = status
        self.body = body


@dataclass(frozen=True, kw_only=True, slots=True)
class CreateRequest:
    name: str
    description: str
    private: bool


def read(body: bytes) -> CreateRequest:
    """The wish, its name normalised. Raises Refused."""
    fields = _fields(body)
    description = fields.get("description") or ""
    if problems := list(_problems(fields["name"], description, fields)):
        raise failed(problems)
    name = normalised(fields["name"])
    return CreateRequest(name=name, description=description, private=fields.get("private") or False)


def failed(problems: list[dict[str, str]]) -> Refused:
    return Refused(422, {"message": "Repository creation failed.", "errors": problems})


def problem(field: str, text: str) -> dict[str, str]:
    return {"resource": "Repository", "code": "custom", "field": field, "message": text}


def _fields(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, {"message": "Problems parsing JSON"}) from None
    if not isinstance(fields, dict):
        raise Refused(400, {"message": "Body should be a JSON object"})
    if "name" not in fields:
        raise Refused(422, {"message": 'Invalid request.\n\n"name" wasn\'t supplied.'})
    for field, (kind, article) in _TYPES.items():
        if field in fields and not isinstance(fields[field], kind):
            raise Refused(422, {"message": f"Invalid request.\n\nFor 'properties/{field}', not {article}."})
    if not isinstance(fields.get("description"), str | None):
        raise Refused(422, {"message": "Invalid request.\n\nFor 'properties/description', not a string."})
    return fields


def _problems(name: str, description: str, fields: dict[str, Any]) -> Iterator[dict[str, str]]:
    if not name:
        yield problem("name", "name is too short (minimum is 1 character)")
    elif len(name) > NAME_LENGTH:
        yield problem("name", f"name is too long (maximum is {NAME_LENGTH} characters)")
    elif not is_name(normalised(name)):
        yield problem("name", "name is reserved")
    if len(description) > _DESCRIPTION_LENGTH:
        yield problem("description", f"description cannot be more than {_DESCRIPTION_LENGTH} characters")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in description):
        yield problem("description", "description control characters are not allowed")
    if fields.get("auto_init"):
        yield problem("auto_init", "this forge makes empty repositories only: push the first commit")

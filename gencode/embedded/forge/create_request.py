"""The body of a request to create a repository, validated with GitHub's rules and error messages."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gencode.embedded.forge.names import NAME_LENGTH, is_valid_name, normalised_name

_DESCRIPTION_LENGTH = 350
_FIELD_TYPES = {"name": (str, "a string"), "private": (bool, "a boolean"), "auto_init": (bool, "a boolean")}
NAME_TAKEN = "name already exists on this account"


class CreateRejected(Exception):
    """The repository is not created. `status` and `body` are those of the HTTP response."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(body["message"])
        self.status = status
        self.body = body


@dataclass(frozen=True, kw_only=True, slots=True)
class CreateRequest:
    """A valid request; `name` is normalised as GitHub does it."""

    name: str
    description: str
    private: bool


def parse_create_request(body: bytes) -> CreateRequest:
    """Raises CreateRejected: 400 for a body that is not a JSON object, 422 for an invalid field."""
    fields = _fields(body)
    description = fields.get("description") or ""
    if errors := list(_field_errors(fields["name"], description, fields)):
        raise creation_failed(errors)
    name = normalised_name(fields["name"])
    return CreateRequest(name=name, description=description, private=fields.get("private") or False)


def creation_failed(errors: list[dict[str, str]]) -> CreateRejected:
    """GitHub's 422 with one entry for each invalid field."""
    return CreateRejected(422, {"message": "Repository creation failed.", "errors": errors})


def field_error(field: str, text: str) -> dict[str, str]:
    """An entry of `errors` in GitHub's 422."""
    return {"resource": "Repository", "code": "custom", "field": field, "message": text}


def _fields(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise CreateRejected(400, {"message": "Problems parsing JSON"}) from None
    if not isinstance(fields, dict):
        raise CreateRejected(400, {"message": "Body should be a JSON object"})
    if "name" not in fields:
        raise CreateRejected(422, {"message": 'Invalid request.\n\n"name" wasn\'t supplied.'})
    for field, (kind, description) in _FIELD_TYPES.items():
        if field in fields and not isinstance(fields[field], kind):
            raise CreateRejected(
                422, {"message": f"Invalid request.\n\nFor 'properties/{field}', not {description}."}
            )
    if not isinstance(fields.get("description"), str | None):
        raise CreateRejected(
            422, {"message": "Invalid request.\n\nFor 'properties/description', not a string."}
        )
    return fields


def _field_errors(name: str, description: str, fields: dict[str, Any]) -> Iterator[dict[str, str]]:
    if not name:
        yield field_error("name", "name is too short (minimum is 1 character)")
    elif len(name) > NAME_LENGTH:
        yield field_error("name", f"name is too long (maximum is {NAME_LENGTH} characters)")
    elif not is_valid_name(normalised_name(name)):
        yield field_error("name", "name is reserved")
    if len(description) > _DESCRIPTION_LENGTH:
        yield field_error("description", f"description cannot be more than {_DESCRIPTION_LENGTH} characters")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in description):
        yield field_error("description", "description control characters are not allowed")
    if fields.get("auto_init"):
        yield field_error("auto_init", "this forge makes empty repositories only: push the first commit")

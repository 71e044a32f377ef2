"""Operations become apis: of an entity and an action, or of a business flow that a model will write."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gencode.blueprints.identifiers import IDENTIFIER, is_identifier, kebab, proposed, snake
from gencode.blueprints.importing.notes import NoteList, NoteRule
from gencode.blueprints.importing.openapi.entities import Entities
from gencode.blueprints.importing.openapi.fields import field_type, is_array, is_object
from gencode.blueprints.importing.openapi.loading import Document, Schema, mappings, text_of
from gencode.blueprints.importing.relational.names import element_id
from gencode.blueprints.reserved_words import DEVICES, PYTHON

_METHODS = ("get", "post", "put", "patch", "delete")
_NOT_OPERATIONS = ("parameters", "summary", "description", "servers", "$ref")
_ACTIONS = {"post": "create", "put": "update", "patch": "update", "delete": "delete"}
_PARAMETER = re.compile(r"\{([^{}]{1,200})\}")
_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z|\{[a-z][a-z0-9_]*\}\Z")
_TAKEN_WORDS = PYTHON | {"session", "values"}
_MAX_OPERATIONS, _MAX_FLOWS, _MAX_PARAMETERS = 2000, 500, 100


def used_in_errors_only(document: Document) -> set[str]:
    """Names of schemas that answers of errors have, and neither requests nor other answers."""
    errors: set[str] = set()
    others: set[str] = set()
    for _, _, operation in operations(document):
        for code, response in _mapping(operation.get("responses")).items():
            names = {document.name_of(one) for one in _contents(document, response)}
            (others if str(code)[:1] in "123" else errors).update(names)
        others |= {document.name_of(one) for one in _contents(document, operation.get("requestBody"))}
    for schema in document.schemas.values():
        for one in _mapping(schema.get("properties")).values():
            others.add(document.name_of(one) if isinstance(one, dict) else "")
    return errors - others - {""}


def operations(document: Document) -> Iterator[tuple[str, str, Schema]]:
    """Path, method and operation, whose parameters are those of the path, too."""
    for path, item in document.paths.items():
        shared = mappings(document.resolved(item).get("parameters"))
        for method, operation in document.resolved(item).items():
            if method in _METHODS and isinstance(operation, dict):
                yield (
                    str(path),
                    method,
                    {**operation, "parameters": shared + mappings(operation.get("parameters"))},
                )


class Operations:
    def __init__(self, document: Document, entities: Entities, notes: NoteList) -> None:
        self._document = document
        self._entities = entities
        self._notes = notes
        self.apis: list[dict[str, Any]] = []
        self.flows: list[dict[str, Any]] = []
        self._names: set[str] = set()
        self._places: set[tuple[str, str]] = set()

    def read(self) -> None:
        for path, item in self._document.paths.items():
            for method in self._document.resolved(item):
                if method not in (*_METHODS, *_NOT_OPERATIONS) and not str(method).startswith("x-"):
                    self._notes.add(NoteRule.STATEMENT, statement=f"{method} {path}", count="1")
        for path, method, operation in operations(self._document):
            if len(self.apis) >= _MAX_OPERATIONS:
                self._notes.add(NoteRule.TOO_MANY, "apis", most=str(_MAX_OPERATIONS), what="apis")
                return
            self._operation(path, method, operation)

    def _operation(self, path: str, method: str, operation: Schema) -> None:
        name = self._name(path, method, operation)
        identity = element_id(name)
        place = _place(path, name)
        key = (method, _PARAMETER.sub("{}", place).lower())
        if key in self._places:
            self._notes.add(NoteRule.STATEMENT, f"apis/{identity}", statement=f"{method} {path}", count="1")
            return
        self._places.add(key)
        self._names.add(name)
        api: dict[str, Any] = {
            "id": identity,
            "name": name,
            "label": text_of(operation.get("summary"), 200),
            "description": text_of(operation.get("description"), 10_000),
            "path": place,
            "method": method.upper(),
            "parameters": self._parameters(f"apis/{identity}", place, operation),
            "responses": {
                str(code): text_of(self._document.resolved(one).get("description"), 10_000)
                for code, one in list(_mapping(operation.get("responses")).items())[:50]
            },
        }
        entity, action = self._purpose(path, method, operation)
        if entity:
            api |= {"entity": element_id(entity), "action": action}
        else:
            api["flow"] = self._flow(name, method, path, operation)
        self.apis.append(api)

    def _name(self, path: str, method: str, operation: Schema) -> str:
        given = (text_of(operation.get("operationId")) or f"{method} {path}")[:200]
        name = proposed(given, taken=self._names, reserved=PYTHON | DEVICES, suffix="call")
        return given if is_identifier(given) and snake(given) == name else name

    def _flow(self, name: str, method: str, path: str, operation: Schema) -> str | None:
        if len(self.flows) >= _MAX_FLOWS:
            self._notes.add(NoteRule.TOO_MANY, "businessFlows", most=str(_MAX_FLOWS), what="businessFlows")
            return None
        said = text_of(operation.get("summary")) or text_of(operation.get("description"))
        text = said or f"{method.upper()} {path}"
        steps = [{"text": " ".join(text.split())[:2000] or name}]
        self.flows.append({"id": name, "name": name, "steps": steps})
        return name

    # --- what it does ---------------------------------------------------------------------------------

    def _purpose(self, path: str, method: str, operation: Schema) -> tuple[str, str]:
        """Entity and action; "" where it is none of the five."""
        segments = [part for part in path.split("/") if part]
        literal = [part for part in segments if not part.startswith("{")]
        by_path = self._entities.of_path(literal[-1]) if literal else ""
        is_item = bool(segments) and segments[-1].startswith("{")
        if not by_path or len(segments) - len(literal) > 1 or (is_item and segments[-2:-1] != literal[-1:]):
            return "", ""
        if method == "get":
            if is_item and self._answers_list(operation):
                return "", ""
            return by_path, "get" if is_item else "list"
        if (method == "post") == is_item:
            return "", ""
        return by_path, _ACTIONS[method]

    def _answers_list(self, operation: Schema) -> bool:
        answers = _mapping(operation.get("responses"))
        good = [one for code, one in answers.items() if str(code).startswith("2")]
        return any(
            is_array(self._document.resolved(one)) for part in good for one in _contents(self._document, part)
        )

    # --- parameters -----------------------------------------------------------------------------------

    def _parameters(self, where: str, path: str, operation: Schema) -> list[dict[str, Any]]:
        in_path = _PARAMETER.findall(path)
        found: dict[str, dict[str, Any]] = {}
        for given in mappings(operation.get("parameters")):
            parameter = self._document.resolved(given)
            original = text_of(parameter.get("name"))
            location = parameter.get("in")
            name = _parameter_name(original)
            if location not in ("path", "query") or not name:
                if location != "body":
                    self._notes.add(NoteRule.OPTION, where, option=f"{text_of(location, 50)} {original}")
                continue
            is_in_path = location == "path" and name in in_path
            name = name if is_in_path or name not in in_path else f"{name}_value"
            found[name] = {
                "name": name,
                "in": "path" if is_in_path else "query",
                "required": is_in_path or bool(parameter.get("required")),
                "description": text_of(parameter.get("description"), 10_000),
                "type": self._type(parameter.get("schema") or parameter, where),
            }
        for name, parameter in self._body(operation, where).items():
            if name not in found and name not in in_path:
                found[name] = parameter
        if len(found) > _MAX_PARAMETERS:
            self._notes.add(NoteRule.TOO_MANY, where, most=str(_MAX_PARAMETERS), what="parameters")
        return list(found.values())[:_MAX_PARAMETERS]

    def _body(self, operation: Schema, where: str) -> dict[str, dict[str, Any]]:
        """Properties of a body that is no entity."""
        found: dict[str, dict[str, Any]] = {}
        for schema in _contents(self._document, operation.get("requestBody"))[:1]:
            merged = self._document.merged(schema)
            if self._entities.base_of(self._document.name_of(schema)) or not is_object(merged):
                continue
            for original, one in merged["properties"].items():
                name = _parameter_name(original)
                if name:
                    kind = self._type(one, where)
                    required = original in merged["required"]
                    found[name] = {"name": name, "in": "body", "required": required, "type": kind}
        return found

    def _type(self, schema: Any, where: str) -> str:
        kind = str(field_type(self._document.merged(schema), where, self._notes)["type"])
        return "string" if kind == "enum" else kind


def _place(path: str, name: str) -> str:
    """The path with parameters in snake_case; one of its own where it has another form."""
    place = _PARAMETER.sub(lambda match: f"{{{_parameter_name(match[1])}}}", path.rstrip("/"))[:500]
    names = _PARAMETER.findall(place)
    is_good = all(_SEGMENT.match(part) for part in place.split("/")[1:]) and place.startswith("/")
    return place if is_good and len(set(names)) == len(names) else f"/{kebab(name)}"


def _parameter_name(original: str) -> str:
    name = snake(original)[:45].strip("_")
    if not IDENTIFIER.match(name):
        return ""
    return f"{name}_value" if name in _TAKEN_WORDS else name


def _contents(document: Document, value: Any) -> list[Schema]:
    """Schemas of a body or an answer, of each media type; in Swagger 2.0 it has one itself."""
    body = document.resolved(value)
    media = [one.get("schema") for one in _mapping(body.get("content")).values() if isinstance(one, dict)]
    return [one for one in (*media, body.get("schema")) if isinstance(one, dict)]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}

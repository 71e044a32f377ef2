"""An OpenAPI document as values: JSON or YAML, and its references within itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from gencode.blueprints.importing.imported import ImportFailed
from gencode.blueprints.importing.notes import NoteList, NoteRule

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_DEPTH = 100
_MAX_REFERENCES = 50
"""Of a reference to a reference."""
_MAX_PARTS = 200
"""Parts of an `allOf`, at all depths."""

Schema = Mapping[str, Any]


def load(text: str) -> dict[str, Any]:
    """Raises ImportFailed."""
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else _yaml(text)
    except json.JSONDecodeError as error:
        raise ImportFailed(f"this is not JSON: {error.msg}", error.lineno, error.colno) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise ImportFailed(f"this is not YAML: {error.problem}", line, column) from None
    except (yaml.YAMLError, ValueError) as error:
        raise ImportFailed(f"this is neither JSON nor YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(document, dict) or not ("openapi" in document or "swagger" in document):
        raise ImportFailed("this is no OpenAPI document: it has no property `openapi`", 1, 1)
    return document


def _yaml(text: str) -> Any:
    """The depth is checked first: the library's C code crashes on what is nested deeply."""
    depth = 0
    for event in yaml.parse(text, _LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            mark = event.start_mark
            place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
            raise ImportFailed(f"it is nested deeper than {MAX_DEPTH}", *place)
    return yaml.load(text, _LOADER)  # noqa: S506 - a safe loader


def text_of(value: Any, most: int = 10_000) -> str:
    """ "" for what is no text or number: a document may hold few lists that are long when written out."""
    return str(value)[:most] if isinstance(value, str | int | float) else ""


class Document:
    """`schemas`: the named ones, in the order of the text."""

    def __init__(self, document: Mapping[str, Any], notes: NoteList) -> None:
        self._document = document
        self._notes = notes
        self.info = _mapping(document.get("info"))
        self.paths = _mapping(document.get("paths"))
        components = _mapping(document.get("components"))
        named = _mapping(components.get("schemas")) or _mapping(document.get("definitions"))
        self.schemas = {str(name): _mapping(schema) for name, schema in named.items()}

    def name_of(self, schema: Schema) -> str:
        """Of the named schema that is referred to; "" where none is. A reference in an `allOf` of its own, or
        beside null, counts."""
        if isinstance(schema.get("$ref"), str):
            return _last(schema["$ref"]) if _last(schema["$ref"]) in self.schemas else ""
        for word in ("allOf", "oneOf", "anyOf"):
            parts = [one for one in mappings(schema.get(word)) if one.get("type") != "null"]
            if len(parts) == 1 and not schema.get("properties"):
                return self.name_of(parts[0])
        return ""

    def resolved(self, value: Any) -> Schema:
        """The value that a reference leads to; {} where it leads nowhere."""
        schema = _mapping(value)
        for _ in range(_MAX_REFERENCES):
            reference = schema.get("$ref")
            if not isinstance(reference, str):
                return schema
            schema = self._referred(reference)
        return {}

    def merged(self, value: Any) -> Schema:
        """A schema with the properties of all parts of its `allOf`, `oneOf` and `anyOf`; of the latter
        two, none is required."""
        parts = list(self._parts(value))
        properties: dict[str, Any] = {}
        required: list[str] = []
        merged: dict[str, Any] = {}
        for part, is_certain in parts:
            merged |= {key: one for key, one in part.items() if key not in ("properties", "required", "$ref")}
            properties |= {str(name): one for name, one in _mapping(part.get("properties")).items()}
            if is_certain:
                required += [str(name) for name in _list(part.get("required")) if isinstance(name, str)]
        return {**merged, "properties": properties, "required": required}

    def _parts(self, value: Any) -> Iterator[tuple[Schema, bool]]:
        """Each part once, _MAX_PARTS at most, with whether it always applies."""
        stack: list[tuple[Schema, bool]] = [(self.resolved(value), True)]
        seen: set[int] = set()
        while stack:
            schema, is_certain = stack.pop()
            if id(schema) in seen:
                continue
            seen.add(id(schema))
            yield schema, is_certain
            for word in ("allOf", "oneOf", "anyOf"):
                given = [one for one in mappings(schema.get(word)) if one.get("type") != "null"]
                inner = [self.resolved(one) for one in given[: max(_MAX_PARTS - len(seen) - len(stack), 0)]]
                certain = is_certain and (word == "allOf" or len(given) == 1)
                stack += [(one, certain) for one in reversed(inner)]

    def _referred(self, reference: str) -> Schema:
        if not reference.startswith("#/"):
            self._notes.add(NoteRule.UNRESOLVED, name=reference)
            return {}
        found: Any = self._document
        for part in reference[2:].split("/"):
            found = _mapping(found).get(part.replace("~1", "/").replace("~0", "~"))
        if not isinstance(found, dict):
            self._notes.add(NoteRule.UNRESOLVED, name=reference)
        return _mapping(found)


def mappings(value: Any) -> list[Schema]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _last(reference: str) -> str:
    return reference.rpartition("/")[2].replace("~1", "/").replace("~0", "~")

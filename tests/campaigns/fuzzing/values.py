"""Values that no client should send, values that a schema describes, and bodies that were changed."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

Json = Any
Schema = Mapping[str, Any]

TEXTS = (
    *("", " ", "a", "null", "none", "0", "-1", "config/" + "0" * 36, "00000000-0000-4000-8000-000000000000"),
    *(
        "\0",
        "a\0b",
        "\ud800",
        "\udfff\ud800",
        "\u202egpj.exe",
        "\ufeff",
        "\u2028",
        "\x1b[31m",
        "\r\nX-Evil: 1",
    ),
    *(
        "项目" * 40,
        "x" * 5000,
        "é" * 300,
        "😀" * 70,
        "İ",
        "ß",
        "ﬁ",
        "\u0130\u0307",
        "%00",
        "%ff",
        "%2e%2e%2f",
    ),
    *(
        "../../etc/passwd",
        "..\\..\\x",
        "/etc/passwd",
        "C:\\x",
        ".git/config",
        "-x",
        "--upload-pack=touch /tmp/x",
    ),
    *("ext::sh -c x", "HEAD~1", "a..b", "refs/heads/main", "main\nx", "@{-1}", "a.lock", "x^{commit}"),
    *("' OR 1=1 --", '"; DROP TABLE users; --', "%", "_", "*", "NEAR(", '"', "a AND", "\\", "[", "(?i)("),
    *("{{ 7*7 }}", "{% for x in y %}", "{{ ''.__class__ }}", "${jndi:ldap://x}", "<script>alert(1)</script>"),
    *(
        "javascript:alert(1)",
        "=1+1",
        "@SUM(A1)",
        "1e999",
        "NaN",
        "9" * 400,
        "2026-13-45",
        "0001-01-01T00:00:00+23:59",
    ),
    *(
        "9999-12-31T23:59:59-23:59",
        "2026-02-29T25:61:61Z",
        "true",
        "[]",
        "{}",
        "e30=",
        "W10=",
        "WzFd",
        "bnVsbA==",
    ),
)
NUMBERS: tuple[Json, ...] = (
    *(0, -0.0, -1, 1, 2**31, 2**53 + 1, 2**63, -(2**63) - 1, 10**30, 10**308, 1.5, 1e-300, 5e-324),
    *(float("inf"), float("nan"), 0.1 + 0.2),
)
DOCUMENTS = (
    *(b"", b" ", b"null", b"[]", b'""', b"0", b"{", b"}", b'{"a":1,"a":2}', b'{"a":1}x', b"\xef\xbb\xbf{}"),
    *(b'{"\xff":1}', b'{"a":"\xed\xa0\x80"}', '{"name":"a"}'.encode("utf-16"), b'{"name":1e999}', b"NaN"),
    *(
        b'{"limit":' + b"9" * 5000 + b"}",
        b"[" * 50_000,
        b'{"a":' * 20_000,
        b'{"x":"' + b"\\ud800" * 50 + b'"}',
    ),
    *(b'{"__proto__":{}}', b'{"name":' + b"[]," * 3, b"\x00" * 100, b'{"a":1,}', b"{'a':1}", b"// x\n{}"),
)
"""Bodies that are no object, or are one only for a lenient reader."""


def hostile(random: Random, depth: int = 0) -> Json:
    choice = random.random()
    if choice < 0.5:
        return random.choice(TEXTS)
    if choice < 0.7:
        return random.choice(NUMBERS)
    if choice < 0.8 or depth > 3:
        return random.choice((None, True, False, [], {}))
    if choice < 0.9:
        return [hostile(random, depth + 1) for _ in range(random.randint(0, 4))]
    return {random.choice(TEXTS): hostile(random, depth + 1) for _ in range(random.randint(0, 4))}


def resolved(schema: Schema, schemas: Mapping[str, Schema]) -> Schema:
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    return schema


class Generator:
    """Makes values of a schema, of which one in six is hostile.

    any_id  the id of some row
    """

    def __init__(self, random: Random, schemas: Mapping[str, Schema], any_id: Callable[[], str]) -> None:
        self._random = random
        self._schemas = schemas
        self._any_id = any_id

    def value(self, schema: Schema, depth: int = 0) -> Json:
        schema = resolved(schema, self._schemas)
        if self._random.random() < 0.15:
            return hostile(self._random)
        if options := schema.get("anyOf") or schema.get("oneOf"):
            return self.value(self._random.choice(options), depth)
        if "enum" in schema:
            return self._random.choice(schema["enum"])
        if "const" in schema:
            return schema["const"]
        makers: Mapping[str, Callable[[Schema, int], Json]] = {
            "object": self._object,
            "array": self._array,
            "string": self._text,
            "integer": self._integer,
            "number": self._integer,
            "boolean": lambda *_: self._random.random() < 0.5,
        }
        maker = makers.get(str(schema.get("type")))
        return maker(schema, depth) if maker else None

    def _object(self, schema: Schema, depth: int) -> Json:
        required = set(schema.get("required", ()))
        named = {
            name: self.value(of, depth + 1)
            for name, of in schema.get("properties", {}).items()
            if name in required or (depth < 5 and self._random.random() < 0.4)
        }
        more = schema.get("additionalProperties")
        if isinstance(more, Mapping) and more:
            named |= {
                f"v{number}": self.value(more, depth + 1) for number in range(self._random.randint(0, 2))
            }
        return named

    def _array(self, schema: Schema, depth: int) -> Json:
        count = self._random.choice((schema.get("minItems", 0), 1, 2, 3))
        return [self.value(schema.get("items", {}), depth + 1) for _ in range(count)]

    def _text(self, schema: Schema, _depth: int) -> str:
        pattern = schema.get("pattern", "")
        if "0-9a-f]{8}" in pattern or schema.get("format") == "uuid":
            return self._any_id()
        if schema.get("format") == "date-time":
            return self._random.choice(
                ("2199-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59Z")
            )
        least, most = schema.get("minLength", 0), min(schema.get("maxLength", 40), 200_000)
        sizes = [least, max(least, min(most, 12)), most, most + 1]
        size = self._random.choices(sizes, (2, 10, 1, 1))[0]
        return "".join(self._random.choices("abcXYZ 0129-_.:/@项é", k=min(size, 12))).ljust(size, "a")

    def _integer(self, schema: Schema, _depth: int) -> Json:
        least, most = int(schema.get("minimum", 0)), int(schema.get("maximum", 100))
        return self._random.choice((least, most, least - 1, most + 1, (least + most) // 2))


def mutated(body: Json, random: Random, names: Sequence[str], any_id: Callable[[], str]) -> Json:
    """A copy with one to three changes: a value, a name, an id of somebody else, something left out."""
    made = copy.deepcopy(body)
    for _ in range(random.randint(1, 3)):
        _change(_some_container(made, random), random, names, any_id)
    return made


def _some_container(value: Json, random: Random) -> Json:
    while True:
        inner = [one for one in _items(value) if isinstance(one, dict | list) and one]
        if not inner or random.random() < 0.5:
            return value
        value = random.choice(inner)


def _items(value: Json) -> list[Json]:
    return list(value.values()) if isinstance(value, dict) else list(value) if isinstance(value, list) else []


def _change(target: Json, random: Random, names: Sequence[str], any_id: Callable[[], str]) -> None:
    def new() -> Json:
        return any_id() if random.random() < 0.2 else hostile(random)

    if isinstance(target, list):
        target.insert(random.randint(0, len(target)), new())
    elif isinstance(target, dict):
        name = random.choice([*target, *names, "x"])
        if random.random() < 0.15:
            target.pop(name, None)
        else:
            target[name] = new()


def encoded(body: Json, random: Random) -> bytes:
    """As JSON, in one of the ways in which clients write it."""
    text = json.dumps(body, ensure_ascii=random.random() < 0.5)
    return text.encode("utf-8", "surrogatepass")

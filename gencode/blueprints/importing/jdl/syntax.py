"""What a JDL text says, before a blueprint is made of it: names may be used before they are defined."""

from __future__ import annotations

from dataclasses import dataclass, field

from gencode.blueprints.importing.scanning import Language, Token

JDL = Language(
    {
        "_space": r"\s+",
        "doc": r"/\*\*(?!/)(?:[^*]|\*(?!/))*\*/",
        "_comment": r"//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/",
        "pattern": r"/(?:[^/\\\n]|\\.){1,500}/",
        "text": r'"(?:[^"\\\n]|\\.)*"|' r"'(?:[^'\\\n]|\\.)*'",
        "number": r"-?\d+(?:\.\d+)?(?![\w])",
        "word": r"(?:[A-Za-z0-9_$]|[^\x00-\x7f\s])(?:[A-Za-z0-9_$-]|[^\x00-\x7f\s])*",
        "sign": r"[^\w\s'\"/]",
    },
    {
        '"': "this text is not closed",
        "'": "this text is not closed",
        "/*": "this comment is not closed",
        "/": "this pattern is not closed",
    },
)


@dataclass(kw_only=True, slots=True)
class Field:
    """`validations`: by name, with the text of the argument ("" where it has none)."""

    name: Token
    type: str
    comment: str = ""
    validations: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True, slots=True)
class JdlEntity:
    name: Token
    table: str = ""
    comment: str = ""
    fields: list[Field] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """`Order{customer(name) required}`: `field` and `display` are "" where they are not given."""

    entity: Token
    field: str = ""
    display: str = ""
    required: bool = False
    comment: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Relationship:
    """`type`: OneToMany and so on; `options`: the words after `with`."""

    type: str
    source: End
    target: End
    options: tuple[str, ...] = ()


@dataclass(kw_only=True, slots=True)
class JdlText:
    """`enums`: values with their labels, by name; `options`: what is not represented, with the line."""

    name: str = ""
    entities: dict[str, JdlEntity] = field(default_factory=dict)
    enums: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    relationships: list[Relationship] = field(default_factory=list)
    constants: dict[str, str] = field(default_factory=dict)
    options: list[tuple[str, int]] = field(default_factory=list)

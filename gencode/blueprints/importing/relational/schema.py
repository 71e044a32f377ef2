"""Tables as SQL and DBML describe them: what importers of both read, before a blueprint is made of it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class QualifiedName:
    """`schema` is "" where none is given."""

    schema: str = ""
    name: str

    @property
    def key(self) -> tuple[str, str]:
        """`public` and `dbo` are the schemas of names without one."""
        return ("" if self.schema.lower() in ("public", "dbo") else self.schema, self.name)

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnType:
    """As it is written: `varchar`, ("255",). Of an inline enum, `values` are its values."""

    name: str
    arguments: tuple[str, ...] = ()
    is_array: bool = False
    is_unsigned: bool = False
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        arguments = f"({', '.join(self.arguments)})" if self.arguments else ""
        return f"{self.name}{arguments}{'[]' if self.is_array else ''}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Default:
    """`text` without quotes; `is_text` is a string, otherwise a number, a word or an expression."""

    text: str
    is_text: bool = False


@dataclass(kw_only=True, slots=True)
class Column:
    name: str
    type: ColumnType
    line: int = 0
    is_required: bool = False
    is_unique: bool = False
    is_indexed: bool = False
    is_generated: bool = False
    """Numbered by the database: serial, identity, auto_increment."""
    default: Default | None = None
    comment: str = ""
    checks: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Index:
    """`columns` in order; `expression` is what it has beside columns."""

    columns: tuple[str, ...]
    is_unique: bool = False
    expression: str = ""
    line: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ForeignKey:
    """source, columns  the table that holds the reference, and its columns
    target, target_columns  what it refers to; () are the columns of the primary key
    on_delete       in upper case, such as SET NULL; "" where nothing is said
    is_one_to_one   each row of the target is referred to once
    """

    source: QualifiedName
    columns: tuple[str, ...]
    target: QualifiedName
    target_columns: tuple[str, ...] = ()
    on_delete: str = ""
    on_update: str = ""
    is_one_to_one: bool = False
    line: int = 0


@dataclass(kw_only=True, slots=True)
class Table:
    name: QualifiedName
    line: int = 0
    comment: str = ""
    columns: dict[str, Column] = field(default_factory=dict)
    """By the name in lower case."""
    primary_key: tuple[str, ...] = ()
    indexes: list[Index] = field(default_factory=list)
    checks: list[tuple[str, int]] = field(default_factory=list)
    """Expressions with their lines."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Enumeration:
    """`values`: (name, label)."""

    name: QualifiedName
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class SetLink:
    """A relation of many to many that has no table of its own."""

    source: QualifiedName
    target: QualifiedName
    line: int = 0


@dataclass(kw_only=True, slots=True)
class Schema:
    """Tables and enumerations by `QualifiedName.key`."""

    name: str = ""
    description: str = ""
    tables: dict[tuple[str, str], Table] = field(default_factory=dict)
    enumerations: dict[tuple[str, str], Enumeration] = field(default_factory=dict)
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    set_links: list[SetLink] = field(default_factory=list)

    def enumeration(self, name: QualifiedName, schema: str) -> Enumeration | None:
        """By its name, in the given schema where the name has none; without regard to case."""
        for key in (name.key, QualifiedName(schema=schema, name=name.name).key):
            if key in self.enumerations:
                return self.enumerations[key]
        wanted = str(name).lower()
        return next((one for one in self.enumerations.values() if str(one.name).lower() == wanted), None)

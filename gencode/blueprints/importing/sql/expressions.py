"""What importers need of sqlglot's trees: names, texts, types, defaults."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from gencode.blueprints.importing.relational.schema import ColumnType, Default, QualifiedName

_UNSIGNED = frozenset({"UINT", "UBIGINT", "USMALLINT", "UTINYINT", "UMEDIUMINT", "UDECIMAL", "UDOUBLE"})
NO_QUOTES = str.maketrans("", "", '"`[]')
_DIGITS_OF_ORACLE = {"DECIMAL": "number"}


def name_of(node: exp.Expr) -> QualifiedName:
    """Of a table, or of a table with columns."""
    table = node.this if isinstance(node, exp.Schema) else node
    schema = table.args.get("db")
    return QualifiedName(schema=schema.name if schema else "", name=table.name)


def text_of(node: exp.Expr | None) -> str:
    return "" if node is None else node.name if isinstance(node, exp.Literal) else node.sql()


def column_names(nodes: Sequence[exp.Expr], dialect: str) -> tuple[tuple[str, ...], str]:
    """Names of columns, and what is more than a name as an expression. The length of a prefix and the order
    are left out: `name(10) DESC` is name."""
    names: list[str] = []
    expressions: list[str] = []
    for node in nodes:
        inner = node.this if isinstance(node, exp.Ordered) else node
        if isinstance(inner, exp.ColumnPrefix):
            inner = inner.this
        if isinstance(inner, exp.Column | exp.Identifier) or (
            isinstance(inner, exp.Anonymous) and inner.expressions and inner.expressions[0].is_int
        ):
            names.append(inner.name)
        else:
            expressions.append(inner.sql(dialect=dialect))
    return tuple(names), ", ".join(expressions)


def column_type(definition: exp.ColumnDef, dialect: str) -> ColumnType:
    """A column of SQLite may have no type."""
    kind = definition.args.get("kind")
    if not isinstance(kind, exp.DataType):
        return ColumnType(name=kind.sql(dialect=dialect) if kind is not None else "text")
    word = str(kind.this.value)
    if kind.this == exp.DataType.Type.USERDEFINED:
        named = kind.args.get("kind")
        name = named.sql() if isinstance(named, exp.Expr) else str(named or "unknown")
        return ColumnType(name=name.translate(NO_QUOTES))
    if word == "ARRAY":
        inner = kind.expressions[0].sql(dialect=dialect) if kind.expressions else "array"
        return ColumnType(name=inner, is_array=True)
    if word in ("ENUM", "SET"):
        values = tuple(text_of(one) for one in kind.expressions if isinstance(one, exp.Literal))
        return ColumnType(name=word.lower(), values=values if word == "ENUM" else ())
    is_unsigned = word in _UNSIGNED and dialect != "tsql"
    name = word[1:] if word in _UNSIGNED else word
    if dialect == "oracle":
        name = _DIGITS_OF_ORACLE.get(name, name)
    arguments = tuple(one.this.name for one in kind.expressions if isinstance(one, exp.DataTypeParam))
    return ColumnType(name=name.lower(), arguments=arguments, is_unsigned=is_unsigned)


def default_of(node: exp.Expr, dialect: str) -> Default:
    while isinstance(node, exp.Paren | exp.Cast):
        node = node.this
    if isinstance(node, exp.Literal):
        return Default(text=node.name, is_text=node.is_string)
    if isinstance(node, exp.National):
        return Default(text=node.name, is_text=True)
    if isinstance(node, exp.CurrentTimestamp | exp.CurrentDatetime):
        return Default(text="now()")
    return Default(text=node.sql(dialect=dialect))

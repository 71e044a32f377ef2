"""What importers need of sqlglot's trees: names, texts, types, defaults."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from gencode.blueprints.importing.relational.schema import ColumnType, Default, QualifiedName

_UNSIGNED = frozenset({"UINT", "UBIGINT", "USMALLINT", "UTINYINT", "UMEDIUMINT", "UDECIMAL", "UDOUBLE"})
NO_QUOTES = str.maketrans("", "", '"`[]')
_OF_ORACLE = {"DECIMAL": "number", "DATE": "datetime", "BIGINT": "clob"}
"""NUMBER without a scale is whole, DATE has a time, LONG is a text."""


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
    if not isinstance(kind.this, exp.DataType.Type):
        return ColumnType(name=kind.sql(dialect=dialect))
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
        name = _OF_ORACLE.get(name, name)
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


def check_text(node: exp.Expr, dialect: str) -> str:
    """A check without casts, with one form for "one of these values": `a IN ('x', 'y')`.

    pg_dump writes `(a)::text = ANY (ARRAY['x'::text])`, SQL Server `a='x' OR a='y'`.
    """
    plain = node.copy().transform(lambda one: one.this if isinstance(one, exp.Cast) else one)
    text: str = plain.transform(_values_in).sql(dialect=dialect)
    return text


def _values_in(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.EQ) and isinstance(node.expression, exp.Any):
        array = _bare(node.expression.this)
        if isinstance(array, exp.Array):
            return exp.In(this=_bare(node.this), expressions=[_bare(one) for one in array.expressions])
    if isinstance(node, exp.Or) and not isinstance(node.parent, exp.Or):
        equal = [_bare(one) for one in node.flatten()]
        if all(isinstance(one, exp.EQ) and isinstance(one.expression, exp.Literal) for one in equal):
            names = {one.this.name for one in equal if isinstance(one.this, exp.Column)}
            if len(names) == 1 and all(isinstance(one.this, exp.Column) for one in equal):
                return exp.In(this=equal[0].this, expressions=[one.expression for one in equal])
    return node


def _bare(node: exp.Expr) -> exp.Expr:
    while isinstance(node, exp.Paren | exp.Cast):
        node = node.this
    return node

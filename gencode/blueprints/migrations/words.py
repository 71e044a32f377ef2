"""Operations of migrations in words, in English and Chinese."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, cast

from gencode.blueprints.migrations.operations import (
    AddColumn,
    ChangeDefault,
    ChangeValues,
    ConvertColumn,
    CreateConstraint,
    CreateForeignKey,
    DropConstraint,
    MigrationOperation,
    RenameColumn,
    RenameConstraint,
    RenameTable,
    Risk,
    SetNullable,
)
from gencode.blueprints.migrations.schema import REFERENCE, Column

_REASONS = MappingProxyType(
    {
        Risk.DROPS_TABLE: ("all of its rows are lost", "表中的所有数据都会丢失"),
        Risk.DROPS_COLUMN: ("the values of this column are lost", "该列的数据会丢失"),
        Risk.NARROWS: ("values that do not fit are cut, rounded or lost", "超出的值会被截断、舍入或丢失"),
        Risk.MAY_FAIL: ("values that are not of the new type are lost", "不符合新类型的值会丢失"),
        Risk.LOSES_VALUES: ("no value can be converted: all are lost", "原有的值无法转换，会全部丢失"),
        Risk.REMOVES_VALUES: ("rows with a removed value get another", "使用已删除取值的行会被改为其他值"),
        Risk.REQUIRES: ("rows without a value get one", "没有值的行会被填入一个值"),
        Risk.HELD: ("no value would be right for existing rows: it stops if there are such rows",
                    "已有的行没有合适的值：存在这样的行时迁移会停止"),
        Risk.DUPLICATES: ("it stops if rows have the same values", "存在重复值时迁移会停止"),
    }
)  # fmt: skip
_KINDS = MappingProxyType(
    {
        "unique": ("unique constraint", "唯一约束"),
        "index": ("index", "索引"),
        "check": ("check of values", "取值检查"),
        "foreignkey": ("foreign key", "外键"),
    }
)
Pair = tuple[str, str]


def described(operation: MigrationOperation, language: str = "en") -> str:
    """One line: `orders: column total becomes decimal(12, 2)`."""
    is_chinese = language.startswith("zh")
    text = _WORDS[operation.type](cast("Any", operation))[is_chinese]
    if operation.needs_decision:
        text += (
            "（需要决定：已有的行会得到该类型的默认值）"
            if is_chinese
            else " (needs a decision: existing rows get a neutral value)"
        )
    return f"{operation.table}{'：' if is_chinese else ': '}{text}"


def reason(operation: MigrationOperation, language: str = "en") -> str:
    """Why it is destructive; "" where it is not."""
    return "" if operation.risk is None else _REASONS[operation.risk][language.startswith("zh")]


def _type(column: Column) -> str:
    if column.kind == REFERENCE:
        return "reference"
    if column.kind == "decimal":
        return f"decimal({column.precision}, {column.scale})"
    return f"{column.kind}({column.length})" if column.length else column.kind


def _add_column(one: AddColumn) -> Pair:
    column = one.column
    required = "" if column.nullable else ", required"
    needed = "" if column.nullable else "，必填"
    filled = f"; existing rows get {one.fill}" if one.fill else ""
    given = f"；已有的行得到 {one.fill}" if one.fill else ""
    return (
        f"adds column {column.name} ({_type(column)}{required}){filled}",
        f"新增列 {column.name}（{_type(column)}{needed}）{given}",
    )


def _rename_column(one: RenameColumn) -> Pair:
    return f"renames column {one.column.name} to {one.after}", f"列 {one.column.name} 改名为 {one.after}"


def _convert_column(one: ConvertColumn) -> Pair:
    before, after = _type(one.before), _type(one.column)
    return (
        f"column {one.column.name} becomes {after} (was {before})",
        f"列 {one.column.name} 的类型由 {before} 改为 {after}",
    )


def _set_nullable(one: SetNullable) -> Pair:
    name = one.column.name
    if one.column.nullable:
        return f"column {name} becomes optional", f"列 {name} 改为可空"
    return f"column {name} becomes required", f"列 {name} 改为必填"


def _change_values(one: ChangeValues) -> Pair:
    parts = [
        *((f"adds {name}", f"新增 {name}") for name in one.added),
        *((f"renames {old} to {new}", f"{old} 改名为 {new}") for old, new in one.renamed.items()),
        *((f"removes {name}", f"删除 {name}") for name in one.removed),
    ]
    name = one.column.name
    return (
        f"values of {name}: {', '.join(part[0] for part in parts)}",
        f"{name} 的取值：{'，'.join(part[1] for part in parts)}",
    )


def _change_default(one: ChangeDefault) -> Pair:
    name, value = one.column.name, one.column.default
    if value is None:
        return f"{name} has no default any more; rows are kept", f"{name} 不再有默认值；已有数据不变"
    return f"new rows get {value} as {name}; rows are kept", f"{name} 的默认值改为 {value}；已有数据不变"


def _create_constraint(one: CreateConstraint) -> Pair:
    kind, columns = _KINDS[one.kind], ", ".join(one.columns)
    return f"adds {kind[0]} {one.name} of {columns}", f"新增{kind[1]} {one.name}（{columns}）"


def _create_foreign_key(one: CreateForeignKey) -> Pair:
    return (
        f"adds foreign key {one.name}: {one.column} refers to {one.target} (on delete {one.on_delete})",
        f"新增外键 {one.name}：{one.column} 引用 {one.target}（删除时 {one.on_delete}）",
    )


def _drop_constraint(one: DropConstraint) -> Pair:
    kind = _KINDS[one.kind]
    return f"removes {kind[0]} {one.name}", f"删除{kind[1]} {one.name}"


def _renamed(one: RenameTable | RenameConstraint) -> Pair:
    if isinstance(one, RenameTable):
        return f"renames the table to {one.after}", f"表改名为 {one.after}"
    return f"renames {one.name} to {one.after}", f"{one.name} 改名为 {one.after}"


_WORDS: Mapping[str, Callable[[Any], Pair]] = MappingProxyType(
    {
        "create_table": lambda _one: ("creates the table", "新建表"),
        "drop_table": lambda _one: ("drops the table", "删除表"),
        "rename_table": _renamed,
        "add_column": _add_column,
        "drop_column": lambda one: (f"drops column {one.column.name}", f"删除列 {one.column.name}"),
        "rename_column": _rename_column,
        "convert_column": _convert_column,
        "set_nullable": _set_nullable,
        "change_values": _change_values,
        "change_default": _change_default,
        "create_constraint": _create_constraint,
        "create_foreign_key": _create_foreign_key,
        "drop_constraint": _drop_constraint,
        "rename_constraint": _renamed,
        "guard": lambda one: (f"stops if {one.message}", f"以下情况时停止：{one.message}"),
    }
)

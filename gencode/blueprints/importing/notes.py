"""Notes of an import: what of the source the blueprint does not represent, or has in another form.

    Note(element="dataModels/orders/fields/total", line=12, rule=NoteRule.CHECK, ...)

A note is shown as a finding is: element (by ids; "" where there is none), rule, and a message in English or
Chinese. `line` is a line of the source, from 1; 0 where the note is about the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

MAX_NOTES = 1000
_MAX_PARAMETER = 200
"""Characters of a parameter of a message."""


class NoteRule(StrEnum):
    PRIMARY_KEY = "primary-key"
    KEY_KEPT = "primary-key-kept"
    COLUMN_TYPE = "column-type"
    DEFAULT = "default-not-kept"
    CHECK = "check-not-kept"
    INDEX = "index-not-kept"
    FOREIGN_KEY_TARGET = "foreign-key-target"
    FOREIGN_KEY_COLUMN = "foreign-key-column"
    FOREIGN_KEY_COMPOSITE = "foreign-key-composite"
    FOREIGN_KEY_SECOND = "foreign-key-second"
    ON_DELETE = "on-delete-changed"
    ON_UPDATE = "on-update-not-kept"
    JOIN_TABLE = "join-table"
    OPTION = "option-not-kept"
    STATEMENT = "statement-not-kept"
    UNREADABLE = "statement-unreadable"
    PATTERN = "pattern-not-kept"
    TOO_MANY = "too-many"
    UNRESOLVED = "unresolved-name"
    BUILT_IN = "built-in-added"
    SCHEMA = "schema-not-kept"
    VARIANT = "variant-left-out"
    NOT_A_RECORD = "not-a-record"
    INFERRED = "inferred-reference"
    ADAPTED = "adapted"
    MORE = "more-notes"


MESSAGES: Mapping[NoteRule, tuple[str, str]] = MappingProxyType(
    {
        NoteRule.PRIMARY_KEY: (
            "The primary key {columns} ({type}) became `id`, an integer that the database numbers.",
            "主键 {columns}（{type}）已改为由数据库编号的整数 id。",
        ),
        NoteRule.KEY_KEPT: (
            "The primary key ({columns}) is kept as unique; every record has an integer `id` beside it.",
            "主键（{columns}）已保留为唯一约束，每条记录另有整数 id。",
        ),
        NoteRule.COLUMN_TYPE: (
            "The type {type} has no equal; {used} is used.",
            "类型 {type} 没有对应的类型，已改用 {used}。",
        ),
        NoteRule.DEFAULT: ("The default {value} is not kept.", "默认值 {value} 未保留。"),
        NoteRule.CHECK: (
            "The check {check} is not kept: write it as a business flow, or as limits of the field.",
            "检查约束 {check} 未保留，请改写为业务流程或字段限制。",
        ),
        NoteRule.INDEX: ("The index over {columns} is not kept.", "索引（{columns}）未保留。"),
        NoteRule.FOREIGN_KEY_TARGET: (
            "{target} is not defined in this text, so {columns} did not become a relation.",
            "此文本未定义 {target}，因此 {columns} 未转换为关系。",
        ),
        NoteRule.FOREIGN_KEY_COLUMN: (
            "{columns} refers to {target}; the relation refers to the `id` of that record.",
            "{columns} 引用 {target}；转换后的关系引用该记录的 id。",
        ),
        NoteRule.FOREIGN_KEY_COMPOSITE: (
            "({columns}) refers to {target} by several columns: a relation was added, and the columns are "
            "kept as fields.",
            "（{columns}）以多列引用 {target}：已添加关系，各列保留为字段。",
        ),
        NoteRule.FOREIGN_KEY_SECOND: (
            "{columns} refers to {target}, too; a relation has one target.",
            "{columns} 还引用了 {target}；一个关系只有一个目标。",
        ),
        NoteRule.ON_DELETE: ("ON DELETE {action} became {used}.", "ON DELETE {action} 已改为 {used}。"),
        NoteRule.ON_UPDATE: (
            "ON UPDATE is not kept ({count}): ids of records never change.",
            "ON UPDATE 未保留（{count} 处）：记录的 id 不会改变。",
        ),
        NoteRule.JOIN_TABLE: (
            "The table {table} only joins {source} and {target}; it became a ManyToMany relation.",
            "表 {table} 仅用于连接 {source} 与 {target}，已转换为多对多关系。",
        ),
        NoteRule.OPTION: ("{option} is not represented.", "{option} 未保留。"),
        NoteRule.STATEMENT: (
            "{statement} is not represented ({count}).",
            "{statement} 未保留（{count} 处）。",
        ),
        NoteRule.UNREADABLE: (
            "The statement that begins with {start} cannot be read: {problem}.",
            "无法读取以 {start} 开头的语句：{problem}。",
        ),
        NoteRule.PATTERN: (
            "The pattern {pattern} is not kept: no field has one.",
            "正则 {pattern} 未保留：字段没有此属性。",
        ),
        NoteRule.TOO_MANY: ("Only the first {most} of {what} are kept.", "{what} 仅保留前 {most} 个。"),
        NoteRule.UNRESOLVED: ("{name} is not defined in this text.", "此文本中没有定义 {name}。"),
        NoteRule.BUILT_IN: (
            "{name} is built into the source's tool; a data model with the field {fields} was added.",
            "{name} 为来源工具内置，已添加含字段 {fields} 的数据模型。",
        ),
        NoteRule.SCHEMA: (
            "The schema {schema} is not kept; it may be part of the names of tables.",
            "模式（schema）{schema} 未保留，可能成为表名的一部分。",
        ),
        NoteRule.VARIANT: (
            "{name} is a form of {base} for requests or answers; only {base} became a data model.",
            "{name} 是 {base} 用于请求或响应的形式，仅 {base} 转换为数据模型。",
        ),
        NoteRule.NOT_A_RECORD: (
            "{name} is no kind of record (it is used for errors only, or has no properties): it is left out.",
            "{name} 不是记录类型（仅用于错误，或没有属性），因此未转换。",
        ),
        NoteRule.INFERRED: (
            "{name} was read as a reference to {target}, because of its name.",
            "根据名称，{name} 被视为对 {target} 的引用。",
        ),
        NoteRule.ADAPTED: ("{change}", "{change_zh}"),
        NoteRule.MORE: ("{count} more notes are left out.", "另有 {count} 条说明未列出。"),
    }
)


class Note(BaseModel):
    """`parameters` are the values of the message, which `message` renders in a language."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    element: str
    line: int = 0
    rule: NoteRule
    parameters: dict[str, str] = Field(default_factory=dict)

    def message(self, language: str = "en") -> str:
        english, chinese = MESSAGES[self.rule]
        return (chinese if language.startswith("zh") else english).format_map(self.parameters)

    def shown(self, language: str = "en") -> Mapping[str, Any]:
        """The note as clients get it."""
        return {
            "element": self.element,
            "line": self.line,
            "rule": self.rule.value,
            "message": self.message(language),
        }


class NoteList:
    """Collects at most MAX_NOTES, each once, and counts the others."""

    def __init__(self) -> None:
        self._notes: list[Note] = []
        self._seen: set[tuple[str, ...]] = set()
        self._left_out = 0

    def add(self, rule: NoteRule, element: str = "", line: int = 0, **parameters: str) -> None:
        short = {name: _short(value) for name, value in parameters.items()}
        key = (element, rule.value, *short.values())
        if key in self._seen:
            return
        if len(self._notes) >= MAX_NOTES:
            self._left_out += 1
            return
        self._seen.add(key)
        self._notes.append(Note(element=element, line=line, rule=rule, parameters=short))

    def all(self) -> list[Note]:
        """In the order of the source's lines; those of the whole come first."""
        notes = sorted(self._notes, key=lambda note: note.line)
        if self._left_out:
            notes.append(Note(element="", rule=NoteRule.MORE, parameters={"count": str(self._left_out)}))
        return notes


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_PARAMETER else f"{line[: _MAX_PARAMETER - 3]}..."

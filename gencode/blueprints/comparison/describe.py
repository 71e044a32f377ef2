"""Differences in words, in English and Chinese."""

from __future__ import annotations

import json
from types import MappingProxyType

from pydantic import JsonValue

from gencode.blueprints.comparison.compare import ChangeType, Operation

_KINDS = MappingProxyType(
    {
        "dataModels": ("data model", "数据模型"),
        "fields": ("field", "字段"),
        "relations": ("relation", "关系"),
        "uniqueConstraints": ("unique constraint", "唯一约束"),
        "pages": ("page", "页面"),
        "components": ("component", "组件"),
        "children": ("component", "组件"),
        "apis": ("api", "接口"),
        "businessFlows": ("business flow", "业务流程"),
    }
)
_MOST = 60
"""Characters of a value that are shown."""


def describe(operation: Operation, language: str = "en") -> str:
    """One line: `Order: field "total" was renamed from "sum"; type: "integer" became "decimal"`."""
    is_chinese = language.startswith("zh")
    parts = operation.element.split("/")
    where = " / ".join(parts[1:-2:2])
    prefix = f"{where}: " if where and not is_chinese else f"{where}：" if where else ""
    return prefix + (_chinese(operation, parts) if is_chinese else _english(operation, parts))


def _english(operation: Operation, parts: list[str]) -> str:
    if operation.type is ChangeType.MOVED:
        return f"the order of the {_KINDS[parts[-1]][0]}s changed"
    kind = _KINDS[parts[-2]][0] if len(parts) > 1 else "the blueprint"
    title = f'{kind} "{operation.name}"' if len(parts) > 1 else kind
    if operation.type is not ChangeType.CHANGED:
        return f"{title} was {operation.type.value}"
    told = []
    for name, change in operation.changes.items():
        if name == "name":
            told.append(f"was renamed from {_shown(change.before)} to {_shown(change.after)}")
        else:
            told.append(f"{name}: {_shown(change.before)} became {_shown(change.after)}")
    return f"{title} {'; '.join(told)}" if "name" in operation.changes else f"{title}: {'; '.join(told)}"


def _chinese(operation: Operation, parts: list[str]) -> str:
    if operation.type is ChangeType.MOVED:
        return f"{_KINDS[parts[-1]][1]}的顺序已改变"
    title = f"{_KINDS[parts[-2]][1]}“{operation.name}”" if len(parts) > 1 else "蓝图"
    if operation.type is not ChangeType.CHANGED:
        return f"{'新增' if operation.type is ChangeType.ADDED else '删除'}{title}"
    told = [
        f"{'名称' if name == 'name' else name}由 {_shown(change.before)} 改为 {_shown(change.after)}"
        for name, change in operation.changes.items()
    ]
    return f"{title}：{'；'.join(told)}"


def _shown(value: JsonValue) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MOST else f"{text[: _MOST - 3]}..."

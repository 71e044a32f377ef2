"""Types of fields as models, databases and languages name them.

read_type("varchar(50)")         {"type": "string", "length": 50}
read_type("money")               {"type": "decimal", "precision": 12, "scale": 2}
read_type("enum('new','paid')")  {"type": "enum", "enumValues": [{"name": "new"}, {"name": "paid"}]}
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Any

from gencode.blueprints.types import MAX_LENGTH, MAX_PRECISION, MAX_SCALE, FieldType

_OPTIONAL = re.compile(r"[?!]\s*\Z|\|\s*(?:null|none|undefined)\b|\boptional\b", re.I)
"""Marks of types that say nothing of their values: `string?`, `date | null`."""
_FORM = re.compile(
    r"\s*([^\s(<\[]{1,60}(?:\s+(?:precision|varying))?)\s*(?:\((.{0,5000}?)\))?\s*(\[\])?", re.DOTALL
)
_WORDS = {
    FieldType.STRING: "varchar char nvarchar nchar str character charactervarying varchar2 email phone tel "
    "telephone mobile url uri link password image file avatar color slug ip 字符串 文本框 邮箱 手机 手机号 "
    "电话 密码 图片 文件 链接 网址",
    FieldType.TEXT: "longtext mediumtext tinytext clob richtext markdown html textarea multiline longstring "
    "长文本 文本 富文本 多行文本",
    FieldType.INTEGER: "int int32 int4 smallint tinyint mediumint short serial number integer32 year "
    "整数 整型 数字 数量",
    FieldType.BIGINT: "long int64 int8 bigserial snowflake 长整型 长整数",
    FieldType.DECIMAL: "numeric money currency price amount bigdecimal percent percentage "
    "金额 价格 货币 小数 十进制 百分比",
    FieldType.FLOAT: "double real doubleprecision float64 float32 浮点 浮点数 双精度",
    FieldType.BOOLEAN: "bool bit flag switch checkbox 布尔 布尔值 是否 开关",
    FieldType.DATE: "localdate day 日期",
    FieldType.TIME: "localtime 时刻",
    FieldType.DATETIME: "timestamp timestamptz datetimeoffset instant localdatetime 时间 日期时间 时间戳",
    FieldType.UUID: "guid uniqueidentifier",
    FieldType.JSON: "jsonb object dict map array list set struct any 对象 数组 列表",
    FieldType.BINARY: "blob bytea bytes varbinary longblob mediumblob 二进制",
    FieldType.ENUM: "enumeration select radio choice status dropdown 枚举 单选 状态 下拉",
}
_TYPES = MappingProxyType(
    {word: type_ for type_, words in _WORDS.items() for word in (type_.value, *words.split())}
)


def read_type(value: Any) -> dict[str, Any]:
    """Properties of a field by its type; {} for what names none, such as an entity."""
    found = _FORM.match(_OPTIONAL.sub("", value[:6000])) if isinstance(value, str) else None
    if found is None:
        return {}
    type_ = _TYPES.get(re.sub(r"[\s_-]+", "", found[1]).casefold())
    if found[3] and type_ is not None:
        return {"type": FieldType.JSON.value}
    if type_ is None:
        return {}
    return {"type": type_.value, **_parameters(type_, found[1].casefold(), found[2] or "")}


def _parameters(type_: FieldType, word: str, text: str) -> dict[str, Any]:
    if type_ is FieldType.ENUM:
        values = [one.strip(" '\"`") for one in re.split(r"[,|，、]", text)]
        return {"enumValues": [{"name": one[:100]} for one in values if one][:500]} if text else {}
    given = [int(one) for one in re.findall(r"\d{1,6}", text)]
    if type_ is FieldType.STRING and given:
        return {"length": min(max(given[0], 1), MAX_LENGTH)}
    if type_ is FieldType.DECIMAL:
        precision = min(max(given[0], 1), MAX_PRECISION) if given else 12
        scale = given[1] if len(given) > 1 else 0 if given else 2
        return {"precision": precision, "scale": min(scale, precision, MAX_SCALE)}
    return {}

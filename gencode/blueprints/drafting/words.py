"""The words of models for properties and kinds of elements, in English and Chinese, and what they mean."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Any

_CANONICAL = frozenset(
    [
        "id",
        "name",
        "label",
        "description",
        "kind",
        "type",
        "fields",
        "relations",
        "uniqueConstraints",
        "length",
        "precision",
        "scale",
        "enumValues",
        "default",
        "required",
        "unique",
        "index",
        "minimum",
        "maximum",
        "minLength",
        "target",
        "inverseName",
        "inverseLabel",
        "owner",
        "onDelete",
        "joinTable",
        "table",
        "path",
        "layout",
        "components",
        "props",
        "dataBinding",
        "entity",
        "action",
        "events",
        "children",
        "method",
        "parameters",
        "responses",
        "flow",
        "steps",
        "text",
        "on",
        "page",
        "api",
        "in",
        "projectName",
        "projectType",
        "dataModels",
        "pages",
        "apis",
        "businessFlows",
        "element",
        "nullable",
        "primaryKey",
        "madeBy",
        "field",
        "relation",
        "removeFields",
    ]
)
_ALIASES = {
    "name": "名称 名字 标识 标识符 identifier key code fieldname columnname entityname modelname column "
    "字段名 实体名 实体名称 页面名称 组件标识",
    "label": "标签 显示名 显示名称 中文名 中文名称 标题 title displayname caption chinesename",
    "description": "描述 说明 备注 注释 comment desc remark summary 接口描述",
    "kind": "种类 elementtype",
    "type": "datatype fieldtype columntype relationtype relationshiptype 类型 数据类型 字段类型 关系类型 "
    "组件类型",
    "fields": "字段 属性 字段列表 columns attributes properties 列",
    "relations": "关系 关联 关联关系 relationships associations references foreignkeys 外键",
    "uniqueConstraints": "唯一约束 联合唯一 uniques uniquekeys",
    "length": "长度 maxlength size max_len 最大长度",
    "precision": "精度 digits",
    "scale": "小数位 小数位数 decimals decimalplaces",
    "enumValues": "枚举值 枚举 可选值 选项 enum values options choices allowedvalues enums",
    "default": "默认 默认值 defaultvalue",
    "required": "必填 必需 非空 notnull mandatory isrequired",
    "nullable": "可空 可为空 optional isnullable 可选",
    "unique": "唯一 isunique",
    "index": "索引 indexed",
    "primaryKey": "主键 pk isprimarykey primary",
    "minimum": "最小值 min minvalue",
    "maximum": "最大值 max maxvalue",
    "minLength": "最小长度",
    "target": "目标 目标实体 关联实体 关联到 targetentity to ref reference model relatedentity with",
    "inverseName": "反向名称 反向字段 inverse inversedby mappedby backref backpopulates reversename",
    "onDelete": "删除策略 级联 删除时 ondeleteaction cascade",
    "joinTable": "中间表 关联表 through jointablename",
    "path": "路径 路由 路由路径 route url uri endpoint 接口路径",
    "components": "组件 组件列表 widgets elements",
    "children": "子组件",
    "dataBinding": "数据绑定 binding databind datasource",
    "entity": "实体 数据实体 entityid",
    "action": "操作 动作 operation",
    "events": "事件",
    "method": "方法 请求方法 httpmethod verb",
    "parameters": "参数 params arguments",
    "steps": "步骤 流程步骤",
    "projectName": "项目名 项目名称 appname applicationname 应用名称 系统名称",
    "projectType": "项目类型",
    "dataModels": "数据模型 实体列表 entities models tables datamodel 实体模型 数据实体列表",
    "pages": "页面 页面列表 views screens",
    "apis": "接口 接口列表 api列表 endpoints",
    "businessFlows": "业务流程 流程 workflows flows processes businessprocesses",
    "element": "元素 elementpath",
    "removeFields": "删除字段 removedfields dropfields",
    "layout": "布局 页面布局",
    "props": "属性配置",
}
_KIND_WORDS = {
    "application": "app project system 应用 系统 项目",
    "entity": "entities model datamodel table 实体 数据模型 模型 表",
    "field": "column attribute addfield setfield 字段 属性",
    "relation": "relationship association addrelation setrelation 关系 关联",
    "page": "pages view screen 页面",
    "api": "apis endpoint 接口",
    "flow": "flows businessflow workflow process 流程 业务流程",
    "remove": "delete drop removeentity removefield removepage 删除 移除",
    "rename": "renameentity renamefield renamepage 重命名 改名",
}


def _plain(word: str) -> str:
    return re.sub(r"[\s_\-.]+", "", word).casefold()


_PROPERTIES = MappingProxyType(
    {_plain(word): name for name, words in _ALIASES.items() for word in words.split()}
    | {_plain(name): name for name in _CANONICAL}
)
_KINDS = MappingProxyType(
    {word: kind for kind, words in _KIND_WORDS.items() for word in (kind, *words.split())}
    | {f"set{kind}": kind for kind in ("entity", "page", "api", "flow")}
    | {f"add{kind}": kind for kind in ("entity", "page", "api", "flow")}
)


def property_named(word: Any) -> str:
    """The property that a key means; the key itself where it means none."""
    return _PROPERTIES.get(_plain(str(word)[:100]), str(word)[:100])


def with_property_names(value: dict[Any, Any]) -> dict[str, Any]:
    """The same with the names of properties; a value that is there under its own name counts."""
    named: dict[str, Any] = {}
    for key, one in value.items():
        name = property_named(key)
        if name not in named or str(key) == name:
            named[name] = one
    return named


def kind_named(word: Any) -> str:
    """The kind of element that a word means, else ""."""
    return _KINDS.get(_plain(word[:100]), "") if isinstance(word, str) else ""

"""What a model says of pages, components and apis, in the form of the blueprint's document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gencode.blueprints.components import COMPONENT_TYPES
from gencode.blueprints.drafting.element_forms import Form, common, entries_of
from gencode.blueprints.drafting.field_types import read_type
from gencode.blueprints.drafting.texts import first_text, flag, identifier, text_of
from gencode.blueprints.drafting.words import with_property_names
from gencode.blueprints.identifiers import kebab
from gencode.blueprints.model import MAX_DEPTH
from gencode.blueprints.types import Action, HttpMethod

MAX_CHILDREN = 100
_COMPONENTS = {
    "table": "datatable grid list el-table eltable datagrid 表格 列表 数据表格",
    "form": "editform el-form elform input dialogform 表单 编辑表单 搜索表单",
    "detail": "details descriptions view profile 详情",
    "cards": "card cardlist gallery 卡片",
    "chart": "graph barchart linechart piechart echarts 图表 统计图",
    "tree": "treeview el-tree eltree 树 树形",
    "search": "searchbar filter searchform querybar 搜索 查询 筛选",
    "button": "btn el-button elbutton link action 按钮",
    "heading": "title header h1 h2 标题",
    "text": "paragraph label markdown 文字 文本",
    "container": "div row col column section panel layout dialog modal drawer 容器 面板",
    "tabs": "tabset el-tabs 标签页",
    "tab": "tabpane el-tab-pane",
    "divider": "separator 分割线",
    "statistic": "stat metric counter kpi 统计 指标",
    "image": "img picture avatar 图片",
}
_COMPONENT_WORDS = MappingProxyType(
    {word: type_ for type_, words in _COMPONENTS.items() for word in (type_, *words.split())}
)
_ACTIONS = {
    Action.LIST: "query search index findall browse 列表 查询 查询列表 展示",
    Action.GET: "read show view detail retrieve find 查看 详情",
    Action.CREATE: "add insert new post save submit 新增 创建 添加 注册",
    Action.UPDATE: "edit modify put patch change 编辑 修改 更新",
    Action.DELETE: "remove destroy del 删除",
}
_ACTION_WORDS = MappingProxyType(
    {word: action for action, words in _ACTIONS.items() for word in (action.value, *words.split())}
)


def page_form(raw: Mapping[str, Any]) -> Form:
    form = common(raw, is_class=True)
    if path := text_of(raw.get("path"), 500):
        form["path"] = _path(path, ":")
    if layout := text_of(raw.get("layout"), 50):
        form["layout"] = layout
    if "components" in raw:
        form["components"] = entries_of(raw["components"], lambda one: component_form(one, 1), MAX_CHILDREN)
    return form


def _path(path: str, mark: str) -> str:
    """A parameter is `:id` in the paths of pages, `{id}` in those of apis."""
    parts = re.sub(r"^https?://[^/]*", "", path).split("?")[0].split("/")
    read = [re.sub(r"^[:{]([A-Za-z0-9_]+)\}?$", r":\1" if mark == ":" else r"{\1}", part) for part in parts]
    return "/" + "/".join(part for part in read if part not in ("", ".", ".."))


def component_form(value: Any, depth: int) -> Form | None:
    """None below the greatest depth, and for what is no component."""
    if isinstance(value, str):
        value = {"type": value}
    if not isinstance(value, Mapping) or depth > MAX_DEPTH:
        return None
    raw = with_property_names(dict(value))
    form = common(raw)
    children = entries_of(raw.get("children"), lambda one: component_form(one, depth + 1), MAX_CHILDREN)
    form["type"] = component_type(raw.get("type"), has_children=bool(children))
    form.setdefault("name", identifier(form.get("id") or form["type"]))
    if props := _props(raw.get("props")):
        form["props"] = props
    if binding := _binding(raw.get("dataBinding") or raw.get("entity"), raw):
        form["dataBinding"] = binding
    if events := entries_of(raw.get("events"), _event, 50):
        form["events"] = events
    return form | ({"children": children} if children else {})


def component_type(value: Any, *, has_children: bool = False) -> str:
    word = re.sub(r"[\s_]+", "", text_of(value, 50)).casefold()
    known = _COMPONENT_WORDS.get(word) or _COMPONENT_WORDS.get(word.replace("-", ""))
    if known in COMPONENT_TYPES and known is not None:
        return known
    return "container" if has_children else "text"


def action_named(value: Any) -> Action | None:
    return _ACTION_WORDS.get(text_of(value, 50).casefold())


def _binding(value: Any, component: Mapping[str, Any]) -> Form | None:
    """`entity` and `fields` are what the model calls them; they may stand in the component itself."""
    raw = dict(component) | {"entity": value, "target": None, "name": None}
    if isinstance(value, Mapping):
        raw = with_property_names(dict(value))
    entity = first_text(raw, "entity", "target", "name")
    if not entity:
        return None
    form: Form = {"entity": entity, "action": (action_named(raw.get("action")) or Action.LIST).value}
    fields = raw.get("fields")
    names = [
        text
        for one in (fields if isinstance(fields, list) else ())
        if (text := text_of(one.get("name") if isinstance(one, Mapping) else one)) and text != "*"
    ]
    return form | {"fields": list(dict.fromkeys(names))[:500]}


def _event(value: Any) -> Form | None:
    if not isinstance(value, Mapping):
        return None
    raw = with_property_names(dict(value))
    targets = {name: text for name in ("page", "api", "flow") if (text := text_of(raw.get(name)))}
    if not targets:
        return None
    name, target = next(iter(targets.items()))
    return {"on": text_of(raw.get("on"), 50) or "click", name: target}


def _props(value: Any) -> Form:
    """What is short and flat."""
    if not isinstance(value, Mapping):
        return {}
    props: Form = {}
    for name, one in list(value.items())[:50]:
        if isinstance(one, bool | int | float) and one == one:
            props[text_of(name, 50)] = one
        elif text := text_of(one, 1000):
            props[text_of(name, 50)] = text
        elif isinstance(one, list) and all(isinstance(each, str | int | float) for each in one):
            props[text_of(name, 50)] = [text_of(each) for each in one[:50]]
    props.pop("", None)
    return props


def api_form(raw: Mapping[str, Any]) -> Form:
    form = common(raw)
    method = text_of(raw.get("method"), 10).upper()
    path = text_of(raw.get("path"), 500)
    if " " in path:  # "POST /orders"
        method, _, path = path.partition(" ")
    if path:
        form["path"] = _path(path, "{").removeprefix("/api/v1").removeprefix("/api") or "/"
    if method in HttpMethod.__members__:
        form["method"] = method
    if action := action_named(raw.get("action")):
        form["action"] = action.value
    form |= {name: text for name in ("entity", "flow") if (text := text_of(raw.get(name)))}
    if parameters := entries_of(raw.get("parameters"), _parameter, 100):
        form["parameters"] = parameters
    if "name" not in form and "id" not in form and path:
        form["name"] = identifier(kebab(f"{method} {path}"))
    return form


def _parameter(value: Any) -> Form | None:
    raw = with_property_names(dict(value)) if isinstance(value, Mapping) else {"name": value}
    name = first_text(raw, "name")
    if not name:
        return None
    where = text_of(raw.get("in") or raw.get("location"), 20).casefold()
    form: Form = {"name": identifier(name), "in": where if where in ("path", "query", "body") else "query"}
    form |= {"type": read_type(raw.get("type")).get("type", "string"), "required": flag(raw.get("required"))}
    description = first_text(raw, "description", longest=1000)
    return form | ({"description": description} if description else {})

"""What the words of requirements say of entities and fields, without understanding them.

用户管理、订单管理; inventory management, manage customers    name an entity each
业主、房屋、楼栋; vehicles, drivers and trips                  so do things in a row
Order (number, total, status); 订单（编号、金额、状态）          list fields of one
add a field phone to User; 给用户添加手机号字段                change one that is there
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

HAN = re.compile("[\u4e00-\u9fff]")
MAX_NAMED = 40
"""Entities that are named by patterns."""
_MANAGED_ZH = re.compile(r"([\u4e00-\u9fff]{2,6}?)(?:管理|列表|信息|档案|台账)")
_BEGINNINGS = re.compile(
    r"^(?:我们|我|需要|想要|一个|一款|一套|包含|包括|支持|提供|实现|以及|还有|可以|能够|进行|查看"
    r"|对|和|与|及|的|并|含|做|要|有)+"
)
_APPLICATION_ZH = re.compile(r"[\u4e00-\u9fff]{2,10}?(?:系统|平台|软件|后台)")
_APPLICATION_EN = re.compile(r"\b[a-z]{3,30} management\s*(?::|system\b|app\b|platform\b|software\b)", re.I)
"""Names of applications: what they manage is no entity by that."""
_ENUMERATED_ZH = re.compile(
    r"(?:[：:]|包括|包含|管理|有)((?:[\u4e00-\u9fff]{2,6}、){2,40}[\u4e00-\u9fff]{2,6})"
)
_DOING_ZH = re.compile(
    r"(?:注册|登录|登陆|入库|出库|盘点|审批|审核|查询|查看|导出|导入|统计|编辑|删除|新增|修改|展示|搜索|下单|支付"
    r"|结账|预警|打印|提醒|接单|点餐|功能|分析|报表)\Z"
)
_ENDINGS_ZH = re.compile(r"(?:管理|列表|信息|档案|台账|登记|安排|[和与及].*|等.*)\Z")
_ENUMERATED_EN = re.compile(r"((?:[a-z]+(?: [a-z]+){0,3}, ){1,40}[a-z]+(?: [a-z]+){0,5})", re.IGNORECASE)
_BEFORE_NOUN = re.compile(
    r".*\b(?:with|of|the|an?|our|for|as|their|its|has|have|are|is|manages?|and|team|needs?|includes?)\s+",
    re.I,
)
_VERBS = (
    *(
        "adds",
        "allows",
        "assigns",
        "borrows",
        "browses",
        "buys",
        "calls",
        "checks",
        "closes",
        "creates",
        "deletes",
    ),
    *(
        "edits",
        "enters",
        "exports",
        "has",
        "lists",
        "manages",
        "moves",
        "needs",
        "opens",
        "pays",
        "places",
        "prints",
    ),
    *(
        "publishes",
        "reads",
        "removes",
        "returns",
        "searches",
        "selects",
        "sends",
        "shows",
        "sorts",
        "submits",
    ),
    *("tracks", "updates", "uses", "views", "writes"),
)
_NO_PLURAL = frozenset(
    (
        *_VERBS,
        *("reports", "statistics", "features", "details", "dates", "amounts", "others", "users", "members"),
        *("admins", "news", "records", "access", "process", "business"),
    )
)
_NO_ENTITY = frozenset(
    ["系统", "后台", "平台", "权限", "数据", "功能", "基本", "相关", "详细", "全部", "所有", "登录"]
)
_MANAGED_EN = re.compile(
    r"\b(?:manag(?:e|es|ing)|maintain(?:s|ing)?|track(?:s|ing)?|record(?:s|ing)?)\s+"
    r"(?:(?:the|all|its|their|our|a|an)\s+)?([a-z]{3,30})\b|\b([a-z]{3,30})\s+management\b",
    re.IGNORECASE,
)
_NO_NOUN = frozenset(
    [
        "the",
        "all",
        "and",
        "our",
        "their",
        "its",
        "data",
        "system",
        "user",
        "users",
        "access",
        "record",
        "records",
        "information",
        "project",
        "task",
        "content",
        "them",
        "things",
        "everything",
        "which",
        "that",
        "with",
        "for",
        "from",
        "inventory",
        "stock",
        "permission",
        "role",
    ]
)
_LISTED = re.compile(r"([A-Za-z][A-Za-z0-9_]{1,40}|[\u4e00-\u9fff]{2,8})\s*[(（]([^()（）\n]{2,400})[)）]")
_SEPARATOR = re.compile(r"[,，、;；]|\band\b|和|以及")
_ADD = re.compile(
    r"\badds?\s+(?:an?\s+|the\s+)?(?:field|column|attribute)\s+['\"`]?([A-Za-z_]\w{0,49})['\"`]?"
    r"(?:\s+\(([^)\n]{2,40})\))?\s+to\s+(?:the\s+)?([A-Za-z]\w{1,49})"
    r"|[给为]([\u4e00-\u9fff]{2,8}?)(?:添加|增加|新增|加上)([\u4e00-\u9fff\w]{1,12}?)(?:字段|属性)",
    re.IGNORECASE,
)
_RENAME = re.compile(
    r"\brename\s+(?:the\s+)?(?:field|column)\s+(\w{1,50})\s+of\s+(?:the\s+)?(\w{1,50})\s+to\s+(\w{1,50})"
    r"|[把将]([\u4e00-\u9fff]{2,8}?)的([\u4e00-\u9fff\w]{1,12}?)(?:字段)?"
    r"(?:改名为|重命名为|改为)([\u4e00-\u9fff\w]{1,12})",
    re.IGNORECASE,
)
_REMOVE = re.compile(
    r"\b(?:remove|delete|drop)\s+(?:the\s+)?(?:field|column)\s+(\w{1,50})\s+(?:from|of)\s+(?:the\s+)?(\w{1,50})"
    r"|(?:删除|去掉|移除)([\u4e00-\u9fff]{2,8}?)的([\u4e00-\u9fff\w]{1,12}?)(?:字段|属性)",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedFields:
    entity: str
    fields: tuple[str, ...]


def listed_fields(text: str) -> list[ListedFields]:
    """Entities that are followed by their fields in brackets."""
    found = []
    for match in _LISTED.finditer(text):
        fields = [one.strip(" .。") for one in _SEPARATOR.split(match[2])]
        usable = tuple(one for one in fields if one and len(one) <= 30)
        if len(usable) > 1:
            found.append(ListedFields(entity=_BEGINNINGS.sub("", match[1]), fields=usable))
    return found[:MAX_NAMED]


def managed_nouns(text: str) -> list[str]:
    """What is said to be managed, listed or recorded."""
    text = _APPLICATION_EN.sub(" ", _APPLICATION_ZH.sub(" ", text))
    chinese = [_BEGINNINGS.sub("", match[1]) for match in _MANAGED_ZH.finditer(text)]
    english = [(match[1] or match[2]).lower() for match in _MANAGED_EN.finditer(text)]
    nouns = [one for one in chinese if len(one) > 1 and one not in _NO_ENTITY]
    nouns += [one for one in english if one not in _NO_NOUN]
    return list(dict.fromkeys(nouns))[:MAX_NAMED]


def enumerated_nouns(text: str) -> list[str]:
    """Three or more things in a row: `doctors, patients and departments`, 业主、房屋、楼栋."""
    plain = re.sub(r"[(（][^()（）]*[)）]", "", text)
    nouns: list[str] = []
    for match in _ENUMERATED_ZH.finditer(plain):
        words = [one for one in match[1].split("、") if not _DOING_ZH.search(one)]
        words = [_ENDINGS_ZH.sub("", _BEGINNINGS.sub("", one)) for one in words]
        nouns += [one for one in words if len(one) > 1 and one not in _NO_ENTITY]
    for match in _ENUMERATED_EN.finditer(plain):
        first, *others = re.split(r",|\band\b", match[1])
        parts = [first, *(one.partition(" with ")[0] for one in others)]
        parts = [_BEFORE_NOUN.sub("", one).strip().lower() for one in parts]
        plurals = [one for one in parts if _is_plural(one)]
        nouns += plurals if len(plurals) > 2 else []
    return list(dict.fromkeys(nouns))[:MAX_NAMED]


def _is_plural(words: str) -> bool:
    last = words.rpartition(" ")[2]
    is_one = len(last) < 4 or not last.endswith("s") or last.endswith(("ss", "us", "is"))
    return words.count(" ") < 2 and not is_one and last not in _NO_PLURAL


def field_changes(text: str) -> Iterator[dict[str, Any]]:
    """Entries that change a field of an entity that is there."""
    for found in _ADD.finditer(text):
        name, type_, entity = found[1] or found[5], found[2], found[3] or found[4]
        yield {"kind": "field", "entity": entity, **field_named(name), **({"type": type_} if type_ else {})}
    for found in _RENAME.finditer(text):
        old, entity, new = found[1] or found[5], found[2] or found[4], found[3] or found[6]
        entry = {"kind": "rename", "element": f"dataModels/{entity}/fields/{old}", "name": new}
        yield entry | ({"label": new} if HAN.search(new) else {})
    for found in _REMOVE.finditer(text):
        field, entity = found[1] or found[4], found[2] or found[3]
        yield {"kind": "remove", "element": f"dataModels/{entity}/fields/{field}"}


_TYPES = tuple(
    (re.compile(pattern, re.IGNORECASE), type_)
    for pattern, type_ in (
        (r"(?:_at|time)$|时间$", "datetime"),
        (r"(?:_on|date|birthday|day)$|日期$|生日$", "date"),
        (r"price|amount|total|cost|fee|salary|balance|金额|价格|单价|总价|费用|工资|余额", "decimal(12,2)"),
        (r"quantity|count|stock|\bage\b|number of|数量|库存|年龄|人数|次数", "int"),
        (r"^(?:is_|has_)|enabled$|active$|^是否", "boolean"),
        (r"description|content|note|remark|text|描述|内容|备注|说明", "text"),
    )
)


def field_named(name: str) -> dict[str, Any]:
    """Its type follows from its name; without one, it is a string."""
    type_ = next((type_ for pattern, type_ in _TYPES if pattern.search(name)), "varchar(255)")
    return {"name": name, "type": type_} | ({"label": name} if HAN.search(name) else {})

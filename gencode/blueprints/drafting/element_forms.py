"""What a model says of fields, relations and steps, in the form of the blueprint's document."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from gencode.blueprints.drafting.field_types import read_type
from gencode.blueprints.drafting.texts import (
    MAX_DESCRIPTION,
    first_text,
    flag,
    identifier,
    numbers,
    text_of,
)
from gencode.blueprints.drafting.words import with_property_names
from gencode.blueprints.identifiers import is_identifier
from gencode.blueprints.model import MAX_FIELDS
from gencode.blueprints.types import MAX_LENGTH, MAX_PRECISION, MAX_SCALE, OnDelete, RelationType

Form = dict[str, Any]
_RELATIONS = {
    RelationType.ONE_TO_ONE: "onetoone 1:1 1-1 hasone 一对一",
    RelationType.ONE_TO_MANY: "onetomany 1:n 1:m 1-n 1:* hasmany 一对多",
    RelationType.MANY_TO_ONE: "manytoone n:1 m:1 n-1 *:1 belongsto 多对一 reference ref foreignkey",
    RelationType.MANY_TO_MANY: "manytomany n:m m:n n:n n-m m-n *:* belongstomany hasandbelongstomany 多对多",
}
_RELATION_WORDS = MappingProxyType(
    {word: type_ for type_, words in _RELATIONS.items() for word in words.split()}
)
_ON_DELETE = MappingProxyType(
    {
        "cascade": OnDelete.CASCADE,
        "级联": OnDelete.CASCADE,
        "级联删除": OnDelete.CASCADE,
        "true": OnDelete.CASCADE,
        "restrict": OnDelete.RESTRICT,
        "noaction": OnDelete.RESTRICT,
        "限制": OnDelete.RESTRICT,
        "setnull": OnDelete.SET_NULL,
        "置空": OnDelete.SET_NULL,
    }
)
_NOW = frozenset({"now", "now()", "current_timestamp", "current_timestamp()", "currenttimestamp", "当前时间"})


def common(raw: Mapping[str, Any], *, is_class: bool = False) -> Form:
    """Identity, name, label and description, as far as they are said. A name that is no identifier is the
    label, beside one that is proposed."""
    word, label = first_text(raw, "name"), first_text(raw, "label")
    form: Form = {}
    if said := word or ("" if raw.get("id") else label):
        form["name"] = identifier(said, is_class=is_class)
        label = label or ("" if is_identifier(said) or said.isascii() else said)
    if label:
        form["label"] = label
    if description := first_text(raw, "description", longest=MAX_DESCRIPTION):
        form["description"] = description
    if identity := identity_of(raw.get("id")):
        form["id"] = identity
    return form


def identity_of(value: Any) -> str:
    return text_of(value).translate({ord(mark): None for mark in "/~\\"})


def entries_of(value: Any, form: Callable[[Any], Form | None], most: int = MAX_FIELDS) -> list[Form]:
    """The forms of a list, or of an object whose keys are names; what has none is left out."""
    return [made for one in list(_listed(value))[:most] if (made := form(one))]


def _listed(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for name, one in value.items():
            if isinstance(one, Mapping):
                yield {"name": name, **one}
            else:
                yield {"name": name, "type": one}
    elif isinstance(value, list | tuple):
        yield from value


def field_form(value: Any) -> Form | None:
    """`target` in it: it is said as a field, and means a relation. None for a primary key."""
    raw = _as_object(value)
    form = common(raw)
    if form.get("name", "").casefold() == "id" or (flag(raw.get("primaryKey")) and "name" not in form):
        return None
    if "name" not in form and "id" not in form:
        return None
    given = raw.get("type")
    form |= read_type(given)
    if "type" not in form and (target := text_of(raw.get("target") or given)):
        form["target"] = target
    return form | _limits(raw) | _flags(raw) | _values(raw)


def _as_object(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return with_property_names(dict(value))
    name, _, type_ = text_of(value).replace("：", ":").partition(":")
    return {"name": name.strip(), "type": type_.strip()} if type_ else {"name": name.strip()}


def _limits(raw: Mapping[str, Any]) -> Form:
    bounds = {"length": (1, MAX_LENGTH), "precision": (1, MAX_PRECISION), "scale": (0, MAX_SCALE)}
    bounds["minLength"] = (0, MAX_LENGTH)
    form: Form = {}
    for name, (low, high) in bounds.items():
        if (number := numbers(raw.get(name), low, high)) is not None:
            form[name] = number
    for name in ("minimum", "maximum"):
        if (number := numbers(raw.get(name), -(10**15), 10**15)) is not None:
            form[name] = number
    return form


def _flags(raw: Mapping[str, Any]) -> Form:
    form: Form = {name: flag(raw[name]) for name in ("required", "unique", "index") if name in raw}
    if "nullable" in raw and "required" not in form:
        form["required"] = not flag(raw["nullable"])
    return form


def _values(raw: Mapping[str, Any]) -> Form:
    form: Form = {}
    given = raw.get("enumValues")
    if isinstance(given, str):
        given = given.replace("，", ",").replace("、", ",").split(",")
    if values := entries_of(given, _enum_value):
        form |= {"enumValues": values} | ({} if read_type(raw.get("type")) else {"type": "enum"})
        form.pop("target", None)
    default = raw.get("default")
    if isinstance(default, str):
        default = "now" if default.strip().casefold() in _NOW else text_of(default)
    if isinstance(default, str | int | float | bool) and default != "":
        form["default"] = default
    return form


def _enum_value(value: Any) -> Form | None:
    raw = with_property_names(dict(value)) if isinstance(value, Mapping) else {"name": value}
    name = text_of(raw.get("name") or raw.get("value") or raw.get("label"), 100).strip(" '\"\\")
    label = first_text(raw, "label", "type")  # {"paid": "已支付"} has it as the type
    return ({"name": name, "label": label} if label else {"name": name}) if name else None


def relation_form(value: Any) -> Form | None:
    """`target` is what the model calls the other entity. None without one."""
    raw = _as_object(value)
    target = first_text(raw, "target", "entity")
    if not target and not raw.get("id"):
        return None
    form = common(raw)
    if target:
        form["target"] = target
    if type_ := relation_type(raw.get("type")):
        form["type"] = type_.value
    if (inverse := text_of(raw.get("inverseName"))) and raw.get("inverseName") is not True:
        form["inverseName"] = identifier(inverse)
    if inverse_label := text_of(raw.get("inverseLabel")):
        form["inverseLabel"] = inverse_label
    on_delete = _ON_DELETE.get(str(raw.get("onDelete")).replace(" ", "").replace("_", "").casefold())
    return (
        form
        | _flags({k: v for k, v in raw.items() if k in ("required", "nullable")})
        | ({"onDelete": on_delete.value} if on_delete else {})
    )


def relation_type(value: Any) -> RelationType | None:
    if not isinstance(value, str):
        return None
    word = value.casefold().replace(" ", "").replace("_", "")
    return _RELATION_WORDS.get(word) or _RELATION_WORDS.get(word.replace("-", ""))


def constraint_form(value: Any) -> Form | None:
    fields = value.get("fields") or value.get("字段") if isinstance(value, Mapping) else value
    names = [text for one in fields if (text := text_of(one))] if isinstance(fields, list) else []
    return {"fields": list(dict.fromkeys(names))[:16]} if names else None


def step_form(value: Any) -> Form | None:
    raw = with_property_names(dict(value)) if isinstance(value, Mapping) else {"text": value}
    text = first_text(raw, "text", "description", "name", "action", longest=2000)
    return {"text": text} if text else None

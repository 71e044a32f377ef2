"""Blueprints by rules: the entities that the words name, with their usual fields. Each answer begins with a
line that says that it comes from rules."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gencode.embedded.offline.blueprint_rules.sentences import (
    HAN,
    enumerated_nouns,
    field_changes,
    field_named,
    listed_fields,
    managed_nouns,
)
from gencode.embedded.offline.blueprint_rules.vocabulary import ENTITIES, FLOWS, fields_of
from gencode.embedded.offline.openai_protocol import ChatMessage

Line = dict[str, Any]
_SECTION = re.compile(r"([A-Z][A-Za-z ]{1,40}):\n<<<(\w+)\n(.*?)\n\2>>>", re.DOTALL)
_BY_RULES: Line = {"kind": "note", "made_by": "rules"}
MAX_TEXT = 60_000
"""Characters that the rules read: they run on the event loop."""
_TITLE_ZH = re.compile(r"([\u4e00-\u9fff]{2,10}(?:系统|平台|商城|网站|后台))")
_APPLICATION = "一个 一款 一套 我 需要 想要 做 开发 建 设计 要"


def outline(messages: Sequence[ChatMessage]) -> str:
    sections = _sections(messages)
    text, present = sections.get("Requirements", ""), sections.get("The application as it is", "")
    chinese = bool(HAN.search(text))
    said = f"{present}\n{sections.get('Said already', '')}"
    lines: list[Line] = [] if present else [_application(text)]
    lines += list(field_changes(text)) if present else []
    entities = [one for one in _entities(text, chinese=chinese) if not _is_there(one, said)]
    lines += entities
    for entity in entities:
        lines += _pages(entity, chinese=chinese)
    flows = [one for one in _flows(text, chinese=chinese) if not _is_there(one, said)]
    lines += flows
    lines += [page for flow in flows for page in _entrances(flow)]
    if not entities and not said.strip() and len(lines) == 1:
        lines.append({"kind": "entity", "name": "Entry", "label": "记录" if chinese else ""})
    return _answer(lines or [{"kind": "none"}])


def elements(messages: Sequence[ChatMessage]) -> str:
    sections = _sections(messages)
    text = sections.get("Requirements", "")
    asked = [json.loads(line) for line in sections.get("Write these elements", "").split("\n") if line]
    known = re.findall(r"^entity (\S+)", sections.get("Outline of the application", ""), re.MULTILINE)
    return _answer([line for one in asked for line in _described(one, text, known)] or [{"kind": "none"}])


def repair(messages: Sequence[ChatMessage]) -> str:
    """The rules know no better than they did."""
    return _answer([{"kind": "none"}])


def _answer(lines: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(json.dumps(line, ensure_ascii=False) for line in (_BY_RULES, *lines))


def _sections(messages: Sequence[ChatMessage]) -> dict[str, str]:
    return {found[1]: found[3][:MAX_TEXT] for found in _SECTION.finditer(messages[-1].content)}


def _application(text: str) -> Line:
    found = _TITLE_ZH.search(text)
    title = found[1] if found else ""
    for word in sorted(_APPLICATION.split(), key=len, reverse=True):
        title = title.rpartition(word)[2] or title
    if not title and (words := re.findall(r"\b([A-Za-z][a-z]+) (?:system|platform|app|shop|portal)\b", text)):
        return {"kind": "application", "name": f"{words[0].lower()}_app", "label": f"{words[0].title()} app"}
    shop = re.search(r"商城|网店|电商|\bshop\b|\bstore\b|e-?commerce", text, re.IGNORECASE)
    line: Line = {
        "kind": "application",
        "name": title or "app",
        "projectType": "ecommerce" if shop else "admin",
    }
    return line | ({"label": title} if title else {})


def _entities(text: str, *, chinese: bool) -> list[Line]:
    found: dict[str, Line] = {}
    for known in ENTITIES.values():
        if known.words.search(text):
            found[known.name] = _line("entity", known.name, known.label if chinese else "")
    for name in ("Role", "Permission"):  # 权限管理 names both
        if "Role" in found or "Permission" in found:
            found.setdefault(
                name, {"kind": "entity", "name": name} | ({"label": ENTITIES[name].label} if chinese else {})
            )
    listed = [one.entity for one in listed_fields(text)]
    for noun in (*managed_nouns(text), *enumerated_nouns(text), *listed):
        if not any(known.words.search(noun) for known in ENTITIES.values()):
            name = noun if HAN.search(noun) else _class_name(noun)
            found.setdefault(
                name, {"kind": "entity", "name": name} | ({"label": noun} if HAN.search(noun) else {})
            )
    return list(found.values())


def _line(kind: str, name: str, label: str) -> Line:
    return {"kind": kind, "name": name} | ({"label": label} if label else {})


def _class_name(noun: str) -> str:
    """`fuel records` is FuelRecord."""
    *first, last = noun.split()
    return "".join(one[:1].upper() + one[1:] for one in (*first, _singular(last)))


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _pages(entity: Line, *, chinese: bool) -> Iterator[Line]:
    name, label = entity["name"], entity.get("label") or entity["name"]
    titles = (f"{label}列表", f"编辑{label}") if chinese else (f"{label} list", f"Edit {label}")
    if HAN.search(name):
        yield {"kind": "page", "name": f"{label}列表", "label": titles[0], "entity": name}
        return
    path = "/" + re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()
    yield {"kind": "page", "name": f"{name}List", "label": titles[0], "path": path, "entity": name}
    yield {
        "kind": "page",
        "name": f"{name}Form",
        "label": titles[1],
        "path": f"{path}/:id/edit",
        "entity": name,
    }


def _flows(text: str, *, chinese: bool) -> Iterator[Line]:
    for flow in FLOWS.values():
        if flow.words.search(text):
            yield _line("flow", flow.name, flow.label if chinese else "")


_ENTRANCES = {"logIn": ("Login", "/login"), "register": ("Register", "/register")}


def _entrances(flow: Line) -> Iterator[Line]:
    """The page by which people log in, or register."""
    if found := _ENTRANCES.get(flow["name"]):
        yield _line("page", found[0], flow.get("label", "")) | {"path": found[1]}


def _is_there(line: Line, said: str) -> bool:
    """Said in the blueprint, which is JSON, or in the outline."""
    words = [line["name"], line.get("label") or line["name"]]
    return any(f'"{word}"' in said or f"{line['kind']} {word}" in said for word in words)


def _described(asked: Line, text: str, known: Sequence[str]) -> Iterator[Line]:
    if asked["kind"] == "entity":
        yield asked | _entity(asked, text, known)
    elif asked["kind"] == "page":
        yield asked | {"components": _components(asked, known)}
    elif flow := FLOWS.get(str(asked.get("name"))):
        entity = {"entity": flow.entity} if flow.entity in known else {}
        yield asked | {"steps": list(flow.steps), **entity}
        path = "/" + re.sub(r"(?=[A-Z])", "-", flow.name).lower()
        api = _line("api", flow.name, str(asked.get("label") or ""))
        yield api | {"method": "POST", "path": path, "flow": flow.name}


def _entity(asked: Line, text: str, known: Sequence[str]) -> Line:
    entity = ENTITIES.get(str(asked.get("name")))
    fields = fields_of(entity, chinese=bool(HAN.search(text))) if entity else []
    for listed in listed_fields(text):
        if listed.entity in (asked.get("name"), asked.get("label")) or (
            entity and entity.words.fullmatch(listed.entity)
        ):
            fields = [field_named(one) for one in listed.fields]
    if not fields:
        fields = [
            {"name": "name", "type": "varchar(100)", "required": True},
            {"name": "description", "type": "text"},
        ]
    relations = [
        {"type": type_, "target": target}
        for type_, targets in (
            ("ManyToOne", entity.belongs_to if entity else ()),
            ("ManyToMany", entity.has_many if entity else ()),
        )
        for target in targets
        if target in known
    ]
    return {"fields": fields, "relations": relations}


def _components(page: Line, known: Sequence[str]) -> list[Line]:
    """A list has a search and a table whose rows open the form; a form edits one record."""
    name = str(page.get("name"))
    if flow := next((flow for flow, (entrance, _) in _ENTRANCES.items() if entrance == name), ""):
        return _entrance(page, flow, known)
    base = next((one for one in known if name.startswith(one) and name[len(one) :] in ("List", "Form")), None)
    entity = base or str(page.get("label", "")).removesuffix("列表")
    if name.endswith("Form"):
        return [{"type": "form", "name": "form", "dataBinding": _binding(entity, "update")}]
    opened = [{"on": "rowClick", "page": f"{base}Form"}] if base else []
    return [
        {"type": "search", "name": "search", "dataBinding": _binding(entity, "list")},
        {"type": "table", "name": "table", "dataBinding": _binding(entity, "list"), "events": opened},
    ]


def _entrance(page: Line, flow: str, known: Sequence[str]) -> list[Line]:
    button = {"type": "button", "name": "submit", "label": page.get("label", ""), "events": [{"flow": flow}]}
    if flow == "logIn" or "User" not in known:
        return [{"type": "heading", "name": "title", "label": page.get("label", "")}, button]
    return [{"type": "form", "name": "form", "dataBinding": _binding("User", "create")}, button]


def _binding(entity: str, action: str) -> Line:
    """All fields but those that nobody is shown."""
    known = ENTITIES.get(entity)
    names = [one["name"] for one in fields_of(known, chinese=False)] if known else []
    shown = [name for name in names if name not in _SECRET]
    return {"entity": entity, "action": action, "fields": shown if len(shown) < len(names) else []}


_SECRET = frozenset({"password_hash"})

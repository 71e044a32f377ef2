"""The components of a page as elements of Vue: which props each has, and what its events do.

Adds to `page.ts`: `tree` (the elements), `texts` (what people see, by key), and what the page imports.
An element: `tag`, `attributes` (names and values of code, decided here), `text` (a key), `children`.
Texts of the blueprint are never part of an attribute or an element: they are constants of the script.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

Context = dict[str, Any]
Entities = Mapping[str, Context]
_OPENS = frozenset({"click", "rowclick", "select", "open", "dblclick", "rowdblclick"})
_SAVES = frozenset({"submit", "save", "saved", "success", "click"})
_SEARCHES = frozenset({"search", "input", "change"})
_SOURCE = re.compile(r"(?:https?://|/)[^\s\"'<>]*\Z")
_GROUPED = frozenset({"enum", "boolean", "reference", "collection", "date", "datetime"})
_NUMBERS = frozenset({"integer", "bigint", "float", "decimal"})


class _Page:
    """The elements of one page, with all that they use."""

    def __init__(self, page: Context, entities: Entities) -> None:
        self.page, self.entities = page, entities
        self.texts: dict[str, str] = {"title": page["label"]}
        self.components: set[str] = set()
        self.element_plus: set[str] = set()
        self.variables: set[str] = set()
        self.code: list[str] = []

    def text(self, value: str) -> str:
        """The expression of a text."""
        key = f"t{len(self.texts)}"
        self.texts[key] = value
        return f"texts.{key}"

    def element(
        self, tag: str, attributes: Sequence[tuple[str, str | None]] = (), text: str = "", children: Any = ()
    ) -> Context:
        """`attributes`: with a value of None, the name alone; those with a value of "" are left out."""
        if tag.startswith("El"):
            self.element_plus.add(tag)
        elif tag[0].isupper():
            self.components.add(tag)
        kept = [(name, value) for name, value in attributes if value != ""]
        self.code += [value for _, value in kept if value is not None]
        return {"tag": tag, "attributes": kept, "text": text, "children": list(children)}

    def entity(self, part: Context) -> Context:
        self.variables.add(part["entity"])
        return self.entities[part["entity"]]

    def parts(self, parts: Sequence[Context]) -> list[Context]:
        return [element for part in parts for element in self.part(part)]

    def part(self, part: Context) -> list[Context]:
        made, handled = _MAKERS[part["type"]](self, part)
        rest = [event for event in part["events"] if id(event) not in handled]
        buttons = [
            self.element("ElButton", [("@click", self.handler([event]))], self.text(event["label"]))
            for event in rest
            if event["page"] or event["call"]
        ]
        return [*made, *buttons]

    def handler(self, events: Sequence[Context], argument: str = "") -> str:
        """Code that does what the events say, one after another."""
        values = f", {argument}" if argument else ""
        done = [
            f"open('{event['page']}'{values})" if event["page"] else f"run(calls.{event['call']}{values})"
            for event in events
            if event["page"] or event["call"]
        ]
        if not done:
            return ""
        body = done[0] if len(done) == 1 else f"{{ {'; '.join(f'void {one}' for one in done)}; }}"
        return f"({argument}) => {body}"


Made = tuple[list[Context], set[int]]
"""Elements, and the `id()` of the events that they handle."""


def add_vue_parts(page: Context, entities: Entities) -> None:
    made = _Page(page, entities)
    tree = made.parts(page["components"])
    code = "\n".join(made.code)
    used = ["changes", "idOf", "leave", "open", "openRelated", "queries", "query", "run"]
    uses = [name for name in used if re.search(rf"\b{name}\b(?!=)", code)]
    page["ts"] |= {
        "tree": tree,
        "texts": list(made.texts.items()),
        "element_plus": sorted(made.element_plus),
        "parts": sorted({*made.components, *(["usePage"] if uses else [])}),
        "entities": [
            {"module": module, "variable": entities[module]["ts"]["variable"]}
            for module in sorted(made.variables)
        ],
        "used": uses,
        "uses_calls": "calls." in code,
    }


def _names(columns: Sequence[str]) -> str:
    return "[" + ", ".join(f"'{column}'" for column in columns) + "]"


def _split(part: Context, names: frozenset[str]) -> tuple[list[Context], set[int]]:
    """The events with one of these names."""
    chosen = [event for event in part["events"] if re.sub(r"[^a-z]", "", event["on"].lower()) in names]
    return chosen, {id(event) for event in chosen}


def _query(page: _Page, part: Context) -> str:
    has_search = any(one["type"] == "search" for one in _all(page.page["components"]))
    return f"query('{part['entity']}')" if has_search else ""


def _all(components: Sequence[Context]) -> list[Context]:
    return [one for component in components for one in (component, *_all(component["children"]))]


def _opened(page: _Page, part: Context) -> tuple[str, set[int]]:
    """What opening a record does: the events that say so, else the entity's page of one record."""
    events, handled = _split(part, _OPENS)
    code = page.handler(events, "record")
    detail = page.entity(part)["ts"]["pages"]["detail"]
    if not code and detail and detail != page.page["name"]:
        code = f"(record) => open('{detail}', record)"
    return code, handled


def _whole(part: Context, name: str, most: int) -> str:
    """A prop that is a whole number from 1 to `most`, else ""."""
    value = part["props"].get(name)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= most else ""


def _table(page: _Page, part: Context) -> Made:
    entity = page.entity(part)
    opened, handled = _opened(page, part)
    create = entity["ts"]["pages"]["create"]
    create = create if create and create != page.page["name"] else ""
    attributes: list[tuple[str, str | None]] = [
        (":entity", entity["ts"]["variable"]),
        (":columns", _names(part["columns"] or ["id"])),
        (":changes", "changes"),
        (":query", _query(page, part)),
        (":page-size", _whole(part, "pageSize", 200)),
        ("can-create", None if create else ""),
        ("can-open", None if opened else ""),
        ("can-remove", None if part["props"].get("deletable") is True else ""),
        ("@create", f"open('{create}')" if create else ""),
        ("@open", opened),
    ]
    return [page.element("RecordTable", attributes)], handled


def _cards(page: _Page, part: Context) -> Made:
    opened, handled = _opened(page, part)
    attributes: list[tuple[str, str | None]] = [
        (":entity", page.entity(part)["ts"]["variable"]),
        (":columns", _names(part["columns"] or ["id"])),
        (":changes", "changes"),
        (":query", _query(page, part)),
        (":page-size", _whole(part, "pageSize", 200)),
        ("can-open", None if opened else ""),
        ("@open", opened),
    ]
    return [page.element("RecordCards", attributes)], handled


def _tree(page: _Page, part: Context) -> Made:
    entity = page.entity(part)
    opened, handled = _opened(page, part)
    parents = [reference["column"] for reference in entity["references"] if reference["is_self"]]
    attributes: list[tuple[str, str | None]] = [
        (":entity", entity["ts"]["variable"]),
        ("parent", parents[0] if parents else ""),
        (":changes", "changes"),
        (":query", _query(page, part)),
        ("can-open", None if opened else ""),
        ("@open", opened),
    ]
    return [page.element("RecordTree", attributes)], handled


def _form(page: _Page, part: Context) -> Made:
    entity = page.entity(part)
    events, handled = _split(part, _SAVES)
    is_new = part["mode"] == "create"
    saved = page.handler(events, "record")
    detail = entity["ts"]["pages"]["detail"]
    if not saved and is_new and detail and detail != page.page["name"]:
        saved = f"(record) => open('{detail}', record)"
    attributes: list[tuple[str, str | None]] = [
        (":entity", entity["ts"]["variable"]),
        (":columns", _names(_form_columns(entity, part))),
        (":id", f"idOf('{part['param']}')" if part["param"] and not is_new else ""),
        ("choose", None if not is_new else ""),
        ("@saved", saved or "changes += 1"),
    ]
    return [page.element("RecordForm", attributes)], handled


def _form_columns(entity: Context, part: Context) -> list[str]:
    """A form for a new record has all that the record needs."""
    known = [column["name"] for column in entity["ts"]["columns"]]
    columns = [name for name in part["columns"] if name in known]
    needed = [column["name"] for column in entity["ts"]["columns"] if not column["is_optional"]]
    missing = [name for name in needed if name not in columns] if part["mode"] == "create" else []
    return [*columns, *missing]


def _detail(page: _Page, part: Context) -> Made:
    entity = page.entity(part)
    events, handled = _split(part, frozenset({"edit"}))
    update = entity["ts"]["pages"]["update"]
    edited = page.handler(events, "record")
    if not edited and update and update != page.page["name"]:
        edited = f"(record) => open('{update}', record)"
    columns = [*part["columns"], *(["created_at", "updated_at"] if part.get("is_whole") else [])]
    attributes: list[tuple[str, str | None]] = [
        (":entity", entity["ts"]["variable"]),
        (":columns", _names(columns or ["id"])),
        (":inverses", _names(part["inverses"]) if part["inverses"] else ""),
        (":id", f"idOf('{part['param']}')" if part["param"] else ""),
        (":changes", "changes"),
        ("can-edit", None if edited else ""),
        ("can-remove", None if part["props"].get("deletable") is True else ""),
        ("@edit", edited),
        ("@related", "openRelated" if part["inverses"] else ""),
        ("@removed", "leave" if part["props"].get("deletable") is True else ""),
    ]
    return [page.element("RecordDetail", attributes)], handled


def _chart(page: _Page, part: Context) -> Made:
    entity = page.entity(part)
    kinds = {column["name"]: column["description"]["kind"] for column in entity["ts"]["columns"]}
    names = {field["id"]: field["name"] for field in entity["fields"]}

    def named(*props: str) -> str:
        values = [part["props"].get(prop) for prop in props]
        found = [names.get(value, value) for value in values if isinstance(value, str)]
        return next((name for name in found if name in kinds), "")

    columns = part["columns"]
    grouped = [name for name in columns if kinds.get(name) in _GROUPED]
    by = named("by", "groupBy", "x", "xField", "category") or next(iter([*grouped, *columns]), "created_at")
    total = named("sum", "y", "yField", "value")
    attributes: list[tuple[str, str | None]] = [
        (":entity", entity["ts"]["variable"]),
        ("by", by),
        ("sum", total if kinds.get(total) in _NUMBERS else ""),
        (":label", page.text(part["text"])),
        (":changes", "changes"),
        (":query", _query(page, part)),
    ]
    return [page.element("RecordChart", attributes)], set()


def _statistic(page: _Page, part: Context) -> Made:
    label = page.text(part["text"])
    if part["entity"]:
        variable = page.entity(part)["ts"]["variable"]
        attributes = [(":entity", variable), (":label", label), (":changes", "changes")]
        return [page.element("RecordCount", attributes)], set()
    value = part["props"].get("value")
    shown = page.text(str(value) if isinstance(value, (str, int, float)) else "–")
    strong = page.element("strong", text=shown)
    return [page.element("p", [("class", "part")], f"{label}", [strong])], set()


def _search(page: _Page, part: Context) -> Made:
    attributes: list[tuple[str, str | None]] = [
        (":label", page.text(part["text"])),
        ("@search", f"(text) => queries.set('{part['entity']}', text)"),
    ]
    return [page.element("SearchField", attributes)], _split(part, frozenset({"search", "input", "change"}))[
        1
    ]


def _button(page: _Page, part: Context) -> Made:
    primary = part["props"].get("type") == "primary" or part["props"].get("variant") == "primary"
    attributes: list[tuple[str, str | None]] = [
        ("class", "part"),
        ("type", "primary" if primary else ""),
        ("@click", page.handler(part["events"])),
    ]
    return [page.element("ElButton", attributes, page.text(part["text"]))], {
        id(one) for one in part["events"]
    }


def _container(page: _Page, part: Context) -> Made:
    is_row = part["props"].get("direction") in ("row", "horizontal")
    title = [page.element("h2", text=page.text(part["label"]))] if part["label"] else []
    attributes = [("class", "part part-grid" if is_row else "part")]
    return [page.element("section", attributes, children=[*title, *page.parts(part["children"])])], set()


def _tabs(page: _Page, part: Context) -> Made:
    panes = []
    for child in part["children"]:
        inside = page.parts(child["children"] if child["type"] == "tab" else [child])
        panes.append(page.element("ElTabPane", [(":label", page.text(child["text"]))], children=inside))
    return [page.element("ElTabs", [("class", "part")], children=panes)], set()


def _heading(page: _Page, part: Context) -> Made:
    level = _whole(part, "level", 6) or "2"
    return [page.element(f"h{level}", text=page.text(part["text"]))], set()


def _text(page: _Page, part: Context) -> Made:
    return [page.element("p", [("class", "part")], page.text(part["text"]))], set()


def _divider(page: _Page, part: Context) -> Made:
    return [page.element("ElDivider", text=page.text(part["label"]) if part["label"] else "")], set()


def _image(page: _Page, part: Context) -> Made:
    source = part["props"].get("src")
    if not isinstance(source, str) or not _SOURCE.match(source):
        return _text(page, part)
    attributes: list[tuple[str, str | None]] = [
        ("class", "part"),
        (":src", page.text(source)),
        (":alt", page.text(part["text"])),
        ("fit", "contain"),
    ]
    return [page.element("ElImage", attributes)], set()


_MAKERS: Mapping[str, Callable[[_Page, Context], Made]] = MappingProxyType(
    {
        "table": _table,
        "cards": _cards,
        "tree": _tree,
        "form": _form,
        "detail": _detail,
        "chart": _chart,
        "statistic": _statistic,
        "search": _search,
        "button": _button,
        "container": _container,
        "tab": _container,
        "tabs": _tabs,
        "heading": _heading,
        "text": _text,
        "divider": _divider,
        "image": _image,
    }
)

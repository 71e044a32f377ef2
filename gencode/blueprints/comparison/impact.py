"""What a newer version breaks: pages that show what is gone, routes and fields with another name.

The generated code is adapted; what people have written beside it, bookmarks and other programs are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from gencode.blueprints.identifiers import kebab, snake
from gencode.blueprints.index import BlueprintIndex
from gencode.blueprints.model import Blueprint, Component, EntityField, Page


class Break(StrEnum):
    ROUTE_REMOVED = "route-removed"
    ROUTE_CHANGED = "route-changed"
    FIELD_REMOVED = "field-removed"
    FIELD_RENAMED = "field-renamed"
    FIELD_TYPE = "field-type"
    FIELD_REQUIRED = "field-required"
    PAGE_BINDING = "page-binding"


_TEXTS = MappingProxyType(
    {
        Break.ROUTE_REMOVED: ("{name} is not there any more", "{name} 已不存在"),
        Break.ROUTE_CHANGED: ("{name} becomes {after}", "{name} 改为 {after}"),
        Break.FIELD_REMOVED: ("{name} is not there any more", "{name} 不再返回，提交会被拒绝"),
        Break.FIELD_RENAMED: ("{name} is called {after} now", "{name} 改名为 {after}"),
        Break.FIELD_TYPE: ("{name} has another type: {after}", "{name} 的类型改为 {after}"),
        Break.FIELD_REQUIRED: ("{name} is required now", "{name} 现在必填"),
        Break.PAGE_BINDING: (
            "page {name} shows {after}, which is removed or changed",
            "页面 {name} 使用了已删除或已更改的 {after}",
        ),
    }
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Broken:
    """element  of the older version, such as `pages/orders`
    name     a route or a field as callers know it, or the title of a page
    after    what it is now, or what a page shows
    """

    type: Break
    element: str
    name: str
    after: str = ""

    def text(self, language: str = "en") -> str:
        return _TEXTS[self.type][language.startswith("zh")].format(name=self.name, after=self.after)


def broken(old: Blueprint, new: Blueprint) -> list[Broken]:
    before, after = BlueprintIndex(old), BlueprintIndex(new)
    affected = dict(_entities(before, after))
    found = [one for broken_ones in affected.values() for one in broken_ones]
    return [*found, *_apis(before, after), *_pages(before, after, affected)]


def _route(index: BlueprintIndex, entity_id: str) -> str:
    return f"/api/{kebab(index.table(entity_id))}"


def _entities(before: BlueprintIndex, after: BlueprintIndex) -> Iterator[tuple[str, list[Broken]]]:
    """By id, those that something of is broken."""
    for entity_id in before.entities:
        element, route = f"dataModels/{entity_id}", _route(before, entity_id)
        if entity_id not in after.entities:
            yield entity_id, [Broken(type=Break.ROUTE_REMOVED, element=element, name=route)]
            continue
        found = []
        if route != (now := _route(after, entity_id)):
            found.append(Broken(type=Break.ROUTE_CHANGED, element=element, name=route, after=now))
        found += _fields(before, after, entity_id)
        if found:
            yield entity_id, found


def _fields(before: BlueprintIndex, after: BlueprintIndex, entity_id: str) -> Iterator[Broken]:
    old, new = before.entities[entity_id], after.entities[entity_id]
    known = {field.id: field for field in old.fields}
    present = {field.id: field for field in new.fields}
    for field in old.fields:
        yield from _field(f"dataModels/{entity_id}/fields/{field.id}", old.name, field, present.get(field.id))
    for field in new.fields:
        is_new = field.id not in known or not known[field.id].required
        if is_new and field.required and field.default is None:
            element, name = f"dataModels/{entity_id}/fields/{field.id}", f"{old.name}.{snake(field.name)}"
            yield Broken(type=Break.FIELD_REQUIRED, element=element, name=name)


def _field(element: str, entity: str, old: EntityField, new: EntityField | None) -> Iterator[Broken]:
    name = f"{entity}.{snake(old.name)}"
    if new is None:
        yield Broken(type=Break.FIELD_REMOVED, element=element, name=name)
        return
    if snake(old.name) != snake(new.name):
        yield Broken(type=Break.FIELD_RENAMED, element=element, name=name, after=snake(new.name))
    if old.type != new.type:
        yield Broken(type=Break.FIELD_TYPE, element=element, name=name, after=new.type.value)


def _apis(before: BlueprintIndex, after: BlueprintIndex) -> Iterator[Broken]:
    for api in before.blueprint.apis:
        element, name = f"apis/{api.id}", f"{api.method} {api.path}"
        now = after.apis.get(api.id)
        if now is None:
            yield Broken(type=Break.ROUTE_REMOVED, element=element, name=name)
        elif (now.method, now.path) != (api.method, api.path):
            yield Broken(
                type=Break.ROUTE_CHANGED, element=element, name=name, after=f"{now.method} {now.path}"
            )


def _pages(
    before: BlueprintIndex, after: BlueprintIndex, affected: Mapping[str, list[Broken]]
) -> Iterator[Broken]:
    for page in before.blueprint.pages:
        element, now = f"pages/{page.id}", after.pages.get(page.id)
        if now is None:
            yield Broken(type=Break.ROUTE_REMOVED, element=element, name=page.path)
            continue
        if now.path != page.path:
            yield Broken(type=Break.ROUTE_CHANGED, element=element, name=page.path, after=now.path)
        shown = {name for component in _components(page) for name in _shown(before, component, affected)}
        if shown:
            names = ", ".join(sorted(shown))
            yield Broken(type=Break.PAGE_BINDING, element=element, name=page.shown_name, after=names)


def _components(page: Page) -> Iterator[Component]:
    waiting = list(page.components)
    while waiting:
        component = waiting.pop()
        yield component
        waiting += component.children


def _shown(
    index: BlueprintIndex, component: Component, affected: Mapping[str, list[Broken]]
) -> Iterator[str]:
    """Of what a component is bound to, what is broken: the entity, or its fields that are shown."""
    binding = component.data_binding
    if binding is None:
        return
    for one in affected.get(binding.entity, []):
        field = one.element.partition("/fields/")[2]
        if not field:
            yield index.entities[binding.entity].name
        elif one.type is not Break.FIELD_REQUIRED and (not binding.fields or field in binding.fields):
            yield one.name

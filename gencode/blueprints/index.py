"""A blueprint with its references resolved, and the names of its tables, columns and attributes.

Renderers, migrations and the validator ask here, so that all of them have the same names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cached_property

from gencode.blueprints.identifiers import MAX_IDENTIFIER, pascal, plural, snake
from gencode.blueprints.links import Link, links_of
from gencode.blueprints.model import Api, Blueprint, BusinessFlow, Entity, Page
from gencode.blueprints.types import RelationType


class BlueprintIndex:
    """Look-ups by id; of elements with the same id, the first counts."""

    def __init__(self, blueprint: Blueprint) -> None:
        self.blueprint = blueprint
        self.links: Sequence[Link] = links_of(blueprint)

    @cached_property
    def entities(self) -> dict[str, Entity]:
        return {entity.id: entity for entity in reversed(self.blueprint.data_models)}

    @cached_property
    def pages(self) -> dict[str, Page]:
        return {page.id: page for page in reversed(self.blueprint.pages)}

    @cached_property
    def apis(self) -> dict[str, Api]:
        return {api.id: api for api in reversed(self.blueprint.apis)}

    @cached_property
    def flows(self) -> dict[str, BusinessFlow]:
        return {flow.id: flow for flow in reversed(self.blueprint.business_flows)}

    @cached_property
    def links_from(self) -> dict[str, list[Link]]:
        """By entity, the links whose source it is."""
        return _grouped(self.links, lambda link: link.source)

    @cached_property
    def links_to(self) -> dict[str, list[Link]]:
        """By entity, the links whose target it is."""
        return _grouped(self.links, lambda link: link.target)

    def references_of(self, entity_id: str) -> list[Link]:
        """The links whose column is in the table of this entity."""
        return [link for link in self.links_from.get(entity_id, []) if link.held_by(entity_id)]

    def table(self, entity_id: str) -> str:
        entity = self.entities[entity_id]
        return entity.table or plural(snake(entity.name))

    def class_name(self, entity_id: str) -> str:
        return pascal(self.entities[entity_id].name)

    def attribute(self, link: Link) -> str:
        """Of the source: the declared name, else the target's."""
        return snake(link.name) or snake(self.entities[link.target].name)

    def inverse_attribute(self, link: Link) -> str:
        """Of the target; "" where the link has no name there."""
        return snake(link.inverse_name)

    def column(self, link: Link) -> str:
        """The column of the reference, in the table of the source."""
        return f"{self.attribute(link)}_id"

    def join_table(self, link: Link) -> str:
        """Of a ManyToMany."""
        name = link.join_table or f"{snake(self.entities[link.source].name)}_{self.attribute(link)}"
        return name[: MAX_IDENTIFIER + 10].strip("_")

    def join_columns(self, link: Link) -> tuple[str, str]:
        """Of a join table: to the source, and to the target."""
        source = f"{snake(self.entities[link.source].name)}_id"
        target = f"{snake(self.entities[link.target].name)}_id"
        return (source, target) if source != target else (source, f"other_{target}")

    @cached_property
    def join_links(self) -> list[Link]:
        return [link for link in self.links if link.type is RelationType.MANY_TO_MANY]


def _grouped(links: Sequence[Link], key: Callable[[Link], str]) -> dict[str, list[Link]]:
    groups: defaultdict[str, list[Link]] = defaultdict(list)
    for link in links:
        groups[key(link)].append(link)
    return groups

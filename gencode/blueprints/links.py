"""Relations as the back end stores them: each is one link between two ends, whoever declares it.

A blueprint may declare a relation at either end, or at both:

    Customer  OneToMany  orders    -> Order     inverse customer
    Order     ManyToOne  customer  -> Customer  inverse orders

Both lines are one link: `source` is Order, which holds the reference, `target` is Customer. Two declarations
are the two ends of one link if each names the other as its inverse. If the inverse is not named, they are so
only when no other relation between the two entities could be meant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from gencode.blueprints.model import Blueprint, Entity, Relation
from gencode.blueprints.types import OnDelete, RelationType

_OPPOSITE = {
    RelationType.ONE_TO_MANY: RelationType.MANY_TO_ONE,
    RelationType.MANY_TO_ONE: RelationType.ONE_TO_MANY,
    RelationType.ONE_TO_ONE: RelationType.ONE_TO_ONE,
    RelationType.MANY_TO_MANY: RelationType.MANY_TO_MANY,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A relation between two entities.

    type          ManyToOne, OneToOne or ManyToMany: read from `source`
    source        id of the entity that holds the reference; of a ManyToMany the end that declares it
    name          of the attribute of `source`; "" where `source` has none
    inverse_name  of the attribute of `target`; "" where `target` has none
    relation      as it is declared, at `declared_by`, which is the source or the target
    other         the declaration of the other end, if there is one
    """

    type: RelationType
    source: str
    target: str
    name: str
    inverse_name: str
    required: bool
    on_delete: OnDelete
    join_table: str
    declared_by: str
    relation: Relation
    is_declared_at_source: bool
    other: Relation | None = None

    @property
    def is_self(self) -> bool:
        return self.source == self.target

    def held_by(self, entity_id: str) -> bool:
        """Whether the table of this entity has the column of the reference."""
        return self.source == entity_id and self.type is not RelationType.MANY_TO_MANY


def links_of(blueprint: Blueprint) -> list[Link]:
    """Every link, in the order of the declarations; relations to entities that do not exist are left out."""
    known = {entity.id for entity in blueprint.data_models}
    declared = [
        (entity, relation) for entity, relation in declarations(blueprint) if relation.target in known
    ]
    partners = _partners(declared)
    links = []
    for index, (entity, relation) in enumerate(declared):
        partner = partners.get(index)
        if partner is None:
            links.append(_link(entity, relation))
        elif index < partner:
            links.append(_joined(_link(entity, relation), *declared[partner]))
    return links


def normalised(blueprint: Blueprint) -> Blueprint:
    """Each link declared once, at its source where both ends declare it, with what the other end said.

    A declaration that is left out may still be named by a binding: its name is then the inverse name.
    """
    kept: dict[int, Relation] = {}
    left_out: set[int] = set()
    for link in links_of(blueprint):
        if link.other is not None:
            at_source, at_target = link.relation, link.other
            if not link.is_declared_at_source:
                at_source, at_target = at_target, at_source
            left_out.add(id(at_target))
            kept[id(at_source)] = at_source.model_copy(update=_merged(link, at_source, at_target))
    if not left_out:
        return blueprint
    entities = [
        entity.model_copy(
            update={
                "relations": [
                    kept.get(id(relation), relation)
                    for relation in entity.relations
                    if id(relation) not in left_out
                ]
            }
        )
        for entity in blueprint.data_models
    ]
    return blueprint.model_copy(update={"data_models": entities})


def _merged(link: Link, at_source: Relation, at_target: Relation) -> dict[str, object]:
    return {
        "inverse_name": at_target.name,
        "inverse_label": at_source.inverse_label or at_target.label,
        "required": link.required,
        "on_delete": at_source.on_delete or at_target.on_delete,
        "join_table": link.join_table,
    }


def declarations(blueprint: Blueprint) -> Iterator[tuple[Entity, Relation]]:
    """Every relation with the entity that declares it."""
    return ((entity, relation) for entity in blueprint.data_models for relation in entity.relations)


def _partners(declared: list[tuple[Entity, Relation]]) -> dict[int, int]:
    """The declarations that are two ends of one link, each with the index of the other."""
    candidates: defaultdict[tuple[str, str, RelationType], list[int]] = defaultdict(list)
    for index, (entity, relation) in enumerate(declared):
        candidates[entity.id, relation.target, relation.type].append(index)
    partners: dict[int, int] = {}
    for index, (entity, relation) in enumerate(declared):
        opposite = candidates[relation.target, entity.id, _OPPOSITE[relation.type]]
        same = candidates[entity.id, relation.target, relation.type]
        others = [other for other in opposite if other != index]
        match = [other for other in others if _names_each_other(relation, declared[other][1])]
        if (
            not match
            and len(others) == 1
            and len(same) == 1
            and _could_pair(relation, declared[others[0]][1])
        ):
            match = others
        if index not in partners and match and match[0] not in partners:
            partners[index] = match[0]
            partners[match[0]] = index
    return partners


def _names_each_other(relation: Relation, other: Relation) -> bool:
    return (
        bool(relation.inverse_name)
        and relation.inverse_name == other.name
        and other.inverse_name
        in (
            "",
            relation.name,
        )
    )


def _could_pair(relation: Relation, other: Relation) -> bool:
    return relation.inverse_name in ("", other.name) and other.inverse_name in ("", relation.name)


def _link(entity: Entity, relation: Relation) -> Link:
    holds = relation.type is not RelationType.ONE_TO_MANY and (
        relation.type is not RelationType.ONE_TO_ONE or relation.owner
    )
    ends = (entity.id, relation.target) if holds else (relation.target, entity.id)
    names = (relation.name, relation.inverse_name) if holds else (relation.inverse_name, relation.name)
    is_set = relation.type is RelationType.MANY_TO_MANY
    required = relation.required and not is_set
    return Link(
        type=RelationType.MANY_TO_ONE if relation.type is RelationType.ONE_TO_MANY else relation.type,
        source=ends[0],
        target=ends[1],
        name=names[0],
        inverse_name=names[1],
        required=required,
        on_delete=relation.on_delete or _default_on_delete(required, is_set),
        join_table=relation.join_table if is_set else "",
        declared_by=entity.id,
        relation=relation,
        is_declared_at_source=holds,
    )


def _default_on_delete(required: bool, is_set: bool) -> OnDelete:
    if is_set:
        return OnDelete.CASCADE
    return OnDelete.RESTRICT if required else OnDelete.SET_NULL


def _joined(link: Link, entity: Entity, other: Relation) -> Link:
    """The link with what the declaration of the other end adds."""
    second = _link(entity, other)
    swapped = second.source != link.source or (link.is_self and second.name != link.name)
    names = (
        (second.inverse_name, second.name)
        if swapped and link.type in _SYMMETRIC
        else (
            second.name,
            second.inverse_name,
        )
    )
    required = link.required or second.required
    chosen = link.relation.on_delete or other.on_delete
    is_set = link.type is RelationType.MANY_TO_MANY
    return replace(
        link,
        name=link.name or names[0],
        inverse_name=link.inverse_name or names[1],
        required=required,
        on_delete=chosen or _default_on_delete(required, is_set),
        join_table=link.join_table or second.join_table,
        other=other,
    )


_SYMMETRIC = frozenset({RelationType.ONE_TO_ONE, RelationType.MANY_TO_MANY})
"""Types in which each end may hold the reference."""

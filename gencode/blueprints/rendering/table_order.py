"""The order in which tables can be made, and the references that must be added afterwards."""

from __future__ import annotations

from collections.abc import Iterator

from gencode.blueprints.index import BlueprintIndex
from gencode.blueprints.links import Link


def table_order(index: BlueprintIndex) -> list[str]:
    """Ids of entities: what a table refers to comes before it, but for the references that are deferred."""
    return _searched(index)[0]


def deferred_references(index: BlueprintIndex) -> set[int]:
    """`id()` of the links that close a circle of references: their keys are added when all tables exist.

    Of two tables that refer to each other only one can be made with its key. A table may refer to itself.
    """
    return _searched(index)[1]


def _searched(index: BlueprintIndex) -> tuple[list[str], set[int]]:
    """A depth-first search without recursion, in the order of the blueprint."""
    order: list[str] = []
    deferred: set[int] = set()
    state: dict[str, bool] = {}  # False: on the way, True: in the order
    for entity in index.blueprint.data_models:
        if entity.id in state:
            continue
        state[entity.id] = False
        stack: list[tuple[str, Iterator[Link]]] = [(entity.id, iter(index.references_of(entity.id)))]
        while stack:
            current, links = stack[-1]
            link = next(links, None)
            if link is None:
                stack.pop()
                state[current] = True
                order.append(current)
            elif link.target not in state:
                state[link.target] = False
                stack.append((link.target, iter(index.references_of(link.target))))
            elif not state[link.target] and not link.is_self:
                deferred.add(id(link))
    return order, deferred

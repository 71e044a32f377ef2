"""The versions that a blueprint was made from: its project has a revision of the database for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gencode.blueprints import Blueprint, is_valid, validate
from gencode.domain.errors import NotFound
from gencode.workspace.blueprints.resource import blueprint_of
from gencode.workspace.blueprints.table import BlueprintRow
from gencode.workspace.resources.store import ResourceStore

MAX_PREDECESSORS = 100


async def published_predecessors(
    store: ResourceStore[BlueprintRow, Any], row: BlueprintRow, principal: str
) -> list[BlueprintRow]:
    """The oldest first. Drafts are left out, as they change; the first is the oldest that is still there."""
    found: list[BlueprintRow] = []
    parent, seen = row.parent_id, {row.id}
    while parent and parent not in seen and len(found) < MAX_PREDECESSORS:
        seen.add(parent)
        try:
            older = await store.get(parent, principal)
        except NotFound:
            break
        if not older.is_draft:
            found.insert(0, older)
        parent = older.parent_id
    return found


def usable(rows: Sequence[BlueprintRow]) -> list[Blueprint]:
    """Their documents; not those before one in which newer rules of the validator find errors. Takes
    milliseconds for hundreds of data models."""
    found: list[Blueprint] = []
    for row in rows:
        blueprint = blueprint_of(row)
        found = [*found, blueprint] if is_valid(validate(blueprint)) else []
    return found

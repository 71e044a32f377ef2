"""A migration: the operations between two blueprints, there and back, as a revision of Alembic."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from gencode.blueprints.migrations.operations import MigrationOperation
from gencode.blueprints.migrations.planner import planned
from gencode.blueprints.migrations.schema import schemas_of
from gencode.blueprints.model import Blueprint
from gencode.blueprints.rendering.template_set import official_set
from gencode.blueprints.stack import Stack

INITIAL_REVISION = "0001"
TEMPLATE = "migration_revision.py.j2"
_STATEMENTS = ("statement", "query")
"""Facts that are SQL, in which a colon would begin a parameter."""


@dataclass(frozen=True, kw_only=True)
class Migration:
    """`upgrade`, `downgrade`: operations in order; both are empty where the tables are alike."""

    upgrade: Sequence[MigrationOperation]
    downgrade: Sequence[MigrationOperation]

    @property
    def destructive(self) -> list[MigrationOperation]:
        return [operation for operation in self.upgrade if operation.destructive]

    @cached_property
    def digest(self) -> str:
        """Of what is done to the tables: labels, and what is not stored, do not count."""
        done = [[_told(one) for one in way] for way in (self.upgrade, self.downgrade)]
        return hashlib.sha256(json.dumps(done, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def revision(self, predecessor: str) -> str:
        """Its id, which also depends on the revision that it follows."""
        return hashlib.sha256(f"{predecessor}/{self.digest}".encode()).hexdigest()[:12]


def migration_between(old: Blueprint, new: Blueprint, stack: Stack) -> Migration:
    """Both blueprints must be valid."""
    before, after = schemas_of(old, new, stack)
    return Migration(
        upgrade=planned(before, after, stack.database), downgrade=planned(after, before, stack.database)
    )


def destructive_steps(old: Blueprint, new: Blueprint, stack: Stack) -> list[MigrationOperation]:
    """What loses data, or fails on data that the older version allowed: a person approves it before."""
    return migration_between(old, new, stack).destructive


def revision_text(migration: Migration, *, predecessor: str, title: str, stack: Stack) -> str:
    """The file. `title`: of the version, in any language."""
    facts = {
        "title": title,
        "revision": migration.revision(predecessor),
        "predecessor": predecessor,
        "database": stack.database.value,
        "upgrade": _facts(migration.upgrade),
        "downgrade": _facts(migration.downgrade),
    }
    return official_set(stack.backend).render_template(TEMPLATE, _with_imports(facts))


def revisions_of(blueprint: Blueprint, stack: Stack, predecessors: Iterable[Blueprint]) -> Mapping[str, str]:
    """The files of the revisions after the initial one, by name: one for each step that changes tables."""
    versions = [*predecessors, blueprint]
    files: dict[str, str] = {}
    predecessor = INITIAL_REVISION
    for old, new in pairwise(versions):
        migration = migration_between(old, new, stack)
        if migration.upgrade:
            text = revision_text(migration, predecessor=predecessor, title=_title(migration), stack=stack)
            predecessor = migration.revision(predecessor)
            files[f"{len(files) + 2:04d}_{predecessor}.py"] = text
    return files


def _title(migration: Migration) -> str:
    tables = list(dict.fromkeys(operation.table for operation in migration.upgrade))
    more = f" and {len(tables) - 3} more" if len(tables) > 3 else ""
    return f"Changes {', '.join(tables[:3])}{more}"


def _told(operation: MigrationOperation) -> dict[str, Any]:
    facts = {name: value for name, value in asdict(operation).items() if name not in {"label", "element"}}
    if operation.type == "create_table":
        facts["source"] = _stored(facts["source"])
    for column in (facts.get("column"), facts.get("before")):
        if isinstance(column, dict):
            del column["label"], column["element"]
    return {**facts, "type": operation.type}


def _stored(source: Any) -> Any:
    """What templates see of a table, without what people read."""
    if isinstance(source, Mapping):
        return {
            name: _stored(value)
            for name, value in source.items()
            if name not in {"label", "labels", "description", "title", "inverses", "collections", "python"}
        }
    return [_stored(one) for one in source] if isinstance(source, list) else source


def _facts(operations: Sequence[MigrationOperation]) -> list[dict[str, Any]]:
    facts = []
    for operation in operations:
        fact = {**asdict(operation), "type": operation.type}
        for name in _STATEMENTS:
            if name in fact:
                fact[name] = fact[name].replace(":", "\\:")
        facts.append(fact)
    return facts


def _with_imports(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The names of `app.database` that the operations need."""
    written = json.dumps([facts["upgrade"], facts["downgrade"]], default=str)
    has_tables = '"create_table"' in written
    used = [
        name
        for name, is_used in (
            ("Key", has_tables or '"Key"' in written),
            ("UtcDateTime", has_tables or "UtcDateTime()" in written),
        )
        if is_used
    ]
    return {**facts, "used": used, "has_guards": '"guard"' in written}

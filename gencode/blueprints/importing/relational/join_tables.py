"""Finds the tables that only join two others: they become relations ManyToMany."""

from __future__ import annotations

from gencode.blueprints.importing.relational.references import Key, Reference, References
from gencode.blueprints.importing.relational.schema import Schema


def join_tables(schema: Schema, references: References) -> dict[Key, tuple[Reference, Reference]]:
    """Tables with two references of one column each that have no other column, and that no table refers to.

    Where they have a primary key, it is the two columns.
    """
    targets = {one.target for many in references.by_table.values() for one in many}
    targets |= {key for link in schema.set_links for key in (link.source.key, link.target.key)}
    found = {}
    for key, table in schema.tables.items():
        ends = references.by_table.get(key, [])
        columns = {column for one in ends for column in one.columns}
        names = {column.lower() for column in table.primary_key}
        if (
            len(ends) == len(columns) == 2
            and columns == set(table.columns)
            and names in (set(), columns)
            and not any(one.is_one or len(one.columns) > 1 for one in ends)
            and key not in targets
        ):
            found[key] = (ends[0], ends[1])
    return {key: ends for key, ends in found.items() if not {one.target for one in ends} & found.keys()}

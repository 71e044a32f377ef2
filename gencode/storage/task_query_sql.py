"""The statements that find and count tasks, for every database."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain
from typing import Any

from gencode.domain.task import FINAL_STATUSES, PENDING, TERMINAL, State
from gencode.engine.ports.store import TaskQuery
from gencode.storage.rows import TASK_COLUMNS, replace_surrogates

# ruff: noqa: S608 - only constants are put into the texts

UNFINISHED = "state NOT IN ('succeeded', 'failed', 'cancelled')"
"""SQLite uses a partial index only for a query that repeats the index's condition word for word."""

HAS_CACHE_KEY = "cache_key <> ''"
"""The condition of another partial index: most tasks have no key while the prompt cache is off."""

_FINAL_STATES = dict(zip(FINAL_STATUSES, (State.SUCCEEDED, State.FAILED, State.CANCELLED), strict=True))


def select_tasks(query: TaskQuery, table: str = "tasks") -> tuple[str, list[Any]]:
    """The statement, with a question mark for each value, and its values."""
    where, values = _condition(query)
    sql = f"SELECT {', '.join(TASK_COLUMNS)} FROM {table} WHERE {where} ORDER BY id DESC LIMIT ?"
    return sql, [*values, query.limit]


def count_tasks(query: TaskQuery, table: str = "tasks") -> tuple[str, list[Any]]:
    """The statement that counts what `select_tasks` selects."""
    where, values = _condition(query)
    return f"SELECT count(*) FROM {table} WHERE {where}", values


def _condition(query: TaskQuery) -> tuple[str, list[Any]]:
    terms: dict[str, list[Any]] = {}
    columns = {"id = ?": query.id, "principal = ?": query.principal, "kind = ?": query.kind}
    columns |= {"cache_key = ?": query.cache_key, "id < ?": query.before}
    terms |= {term: [replace_surrogates(value)] for term, value in columns.items() if value is not None}
    if query.ids is not None:
        terms[_is_in("id", query.ids)] = [replace_surrogates(one) for one in query.ids]
    if query.cache_key is not None:
        terms[HAS_CACHE_KEY] = []
    if query.states is not None:
        terms |= _state_terms(query.states)
    if query.statuses is not None:
        terms |= _status_terms(query.statuses)
    if query.expired is not None:
        terms |= {UNFINISHED: [], "paused_until <= ?": [query.expired.isoformat()]}
    return " AND ".join(terms) or "TRUE", [*chain.from_iterable(terms.values())]


def _state_terms(states: Collection[State]) -> dict[str, list[Any]]:
    """States that this version does not know are State.UNKNOWN."""
    term, values = _is_in("state", states), [state.value for state in states]
    if State.UNKNOWN in states:
        known = [state.value for state in State if state is not State.UNKNOWN]
        term, values = f"({term} OR NOT {_is_in('state', known)})", [*values, *known]
    return {term: values} if TERMINAL & set(states) else {term: values, UNFINISHED: []}


def _status_terms(statuses: Collection[str]) -> dict[str, list[Any]]:
    """See Task.status: the name of a final state, or of an unfinished task's stage."""
    final = [state.value for status, state in _FINAL_STATES.items() if status in statuses]
    stages = [_stage(status) for status in statuses if status not in FINAL_STATUSES]
    in_stage = _is_in("stage", stages)
    if not final:
        return {UNFINISHED: [], in_stage: stages}
    in_state = _is_in("state", final)
    return (
        {f"({in_state} OR {UNFINISHED} AND {in_stage})": [*final, *stages]} if stages else {in_state: final}
    )


def _stage(status: str) -> str:
    return "" if status == PENDING else replace_surrogates(status)


def _is_in(column: str, values: Collection[Any]) -> str:
    """PostgreSQL has no syntax for an empty list."""
    return f"{column} IN ({', '.join('?' * len(values))})" if values else "FALSE"

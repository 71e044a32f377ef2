"""What the databases of a service must say after a campaign over all kinds of the workspace."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.campaigns.billing_model import FIRST, BilledCall
from tests.campaigns.build_jobs import repository_faults, results_of

ENCODED = "encoded"
"""The checkpoint of what a task of kind `index` has used."""
Rows = Sequence[tuple[Any, ...]]
_NUMBER = re.compile(r"\b7\d{6}\b")
_STATES = {
    "code_diffs": ("task_id", "status"),
    "requirement_documents": ("parse_task_id", "status"),
    "knowledge_documents": ("task_id", "processing_status"),
    "git_repositories": ("sync_task_id", "sync_status"),
    "chat_messages": ("task_id", "status"),
}
"""Of each table: the columns of the task and of its state."""
_AGREES = {
    "succeeded": ("completed", "complete", "success"),
    "cancelled": ("failed", "stopped"),
}
_DOUBLES = {
    "code diffs": "SELECT name FROM code_diffs WHERE NOT is_deleted",
    "uploads": "SELECT name FROM requirement_documents WHERE NOT is_deleted",
    "documents": "SELECT name FROM knowledge_documents WHERE NOT is_deleted",
    "questions": "SELECT content FROM chat_messages WHERE role = 'user'",
    "answers": "SELECT parent_id FROM chat_messages WHERE role = 'assistant'",
    "drafts": "SELECT name FROM blueprints WHERE NOT is_deleted",
    "proposals": "SELECT blueprint_id FROM blueprint_proposals WHERE NOT is_deleted",
    "written flows": "SELECT digest FROM blueprint_holes",
    "findings": "SELECT subject || path || line || title FROM review_findings",
}


@dataclass(kw_only=True)
class Audit:
    """`repeated`: calls for what was stored. `lost_calls`: those for an answer that a kill has lost."""

    faults: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    tasks: Counter[str] = field(default_factory=Counter)
    settled: int = 0
    unsettled: int = 0
    lost_calls: int = 0


class Databases:
    """The files of a service that does not run."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir

    def rows(self, database: str, query: str) -> Rows:
        with closing(sqlite3.connect(self.folder / database)) as connection:
            return connection.execute(query).fetchall()

    def tasks(self, query: str) -> Rows:
        return self.rows("gencode.db", query)

    def workspace(self, query: str) -> Rows:
        return self.rows("workspace.db", query)


def indexed_texts(databases: Databases) -> frozenset[str]:
    """The chunks that have a vector."""
    query = "SELECT text FROM chunks JOIN vectors ON chunk = chunks.id"
    return frozenset(row[0] for row in databases.rows("retrieval.db", query))


def audit(databases: Databases, calls: Sequence[BilledCall], accepted: Mapping[str, str]) -> Audit:
    """`accepted`: the tasks that were answered with, by the key of their submission."""
    found = Audit()
    states: dict[str, str] = dict(databases.tasks("SELECT id, state FROM tasks"))
    for kind, state in databases.tasks("SELECT kind, state FROM tasks"):
        found.tasks[f"{kind} {state}"] += 1
    found.faults += [f"{key}: task {task} is lost" for key, task in accepted.items() if task not in states]
    found.faults += [f"task {task} is {state}" for task, state in states.items() if state not in _AGREES]
    found.faults += _gaps(databases)
    found.faults += _disagreeing(databases, states)
    found.faults += _doubles(databases)
    found.faults += _wrong_chunks(databases)
    built = "SELECT id, result FROM tasks WHERE kind = 'build' AND state = 'succeeded'"
    found.faults += repository_faults(databases.folder, results_of(databases.tasks(built)))
    found.faults += _wrong_answers(databases, calls)
    _check_calls(found, databases, calls)
    _check_ledger(found, databases, calls)
    return found


def _gaps(databases: Databases) -> Iterator[str]:
    ids: defaultdict[str, list[int]] = defaultdict(list)
    for task, event in databases.tasks("SELECT task_id, id FROM events ORDER BY task_id, id"):
        ids[task].append(event)
    for task, sequence in databases.tasks("SELECT id, sequence FROM tasks"):
        if ids[task] != list(range(1, sequence + 1)):
            yield f"task {task} has the events {ids[task]}, and not those up to {sequence}"


def _disagreeing(databases: Databases, states: Mapping[str, str]) -> Iterator[str]:
    for table, (task, status) in _STATES.items():
        is_shown = "NOT is_deleted" if table != "chat_messages" else "role = 'assistant'"
        where = f"{is_shown} AND {task} IS NOT NULL"
        query = f"SELECT id, {task}, {status} FROM {table} WHERE {where}"
        for row, task_id, said in databases.workspace(query):
            state = states.get(task_id, "lost")
            if said not in _AGREES.get(state, ()):
                yield f"{table} {row} is {said}, and its task {task_id} is {state}"


def _doubles(databases: Databases) -> Iterator[str]:
    for what, query in _DOUBLES.items():
        for (value,), count in Counter(databases.workspace(query)).items():
            if count > 1:
                yield f"{count} {what}: {str(value)[:100]}"


def _wrong_chunks(databases: Databases) -> Iterator[str]:
    """The chunks of a document that is indexed are its text, each once."""
    ordinals: defaultdict[str, list[int]] = defaultdict(list)
    query = "SELECT name, ordinal FROM documents JOIN chunks ON document = documents.id ORDER BY ordinal"
    for name, ordinal in databases.rows("retrieval.db", query):
        ordinals[name].append(ordinal)
    query = "SELECT id, chunk_count FROM knowledge_documents WHERE processing_status = 'completed'"
    for row, count in databases.workspace(query):
        if ordinals[row] != list(range(count)):
            yield f"document {row} has the chunks {ordinals[row]}, and says {count}"


def _wrong_answers(databases: Databases, calls: Sequence[BilledCall]) -> Iterator[str]:
    """Each question has an answer, and a complete one is what the model has written."""
    written = {call.text for call in calls}
    rows = databases.workspace("SELECT id, parent_id, role, status, content FROM chat_messages")
    answered = {row[1] for row in rows if row[2] == "assistant"}
    for row_id, _, role, status, content in rows:
        if role == "user" and row_id not in answered:
            yield f"question {row_id} has no answer"
        if role == "assistant" and status == "complete" and content not in written:
            yield f"answer {row_id} is {content[:200]!r}"


def _check_calls(found: Audit, databases: Databases, calls: Sequence[BilledCall]) -> None:
    """A call whose bill is in a checkpoint is completed: nothing may ask the same again."""
    stored = _stored(databases, ())
    completed: set[str] = set()
    sent: set[str] = set()
    for call in calls:
        if call.content in completed:
            found.repeated.append(f"{call.purpose} {call.number}: what was stored was asked again")
        found.lost_calls += call.content in sent and call.purpose != "embeddings"
        sent.update([call.content] if call.is_sent else [])
        completed.update([call.content] if call.number in stored else [])


def _check_ledger(found: Audit, databases: Databases, calls: Sequence[BilledCall]) -> None:
    """The ledger has what was billed once, and the reserve of each call that a kill has broken off."""
    query = "SELECT task_id, prompt_tokens, is_settled, is_estimated FROM model_calls"
    rows = databases.workspace(query)
    billed = Counter(prompt for _, prompt, settled, estimated in rows if settled and not estimated and prompt)
    found.settled, found.unsettled = sum(row[2] for row in rows), sum(not row[2] for row in rows)
    known = {call.number for call in calls}
    for number, count in billed.items():
        if count > 1 or (number >= FIRST and number not in known):
            found.faults.append(f"the ledger has the bill of {number} {count} times")
    if len(rows) < len(calls):
        found.faults.append(f"{len(calls)} calls have arrived, and the ledger has {len(rows)}")
    missing = len(known - billed.keys())
    others = len(rows) - billed.total()
    if others < missing:
        found.faults.append(f"{missing} calls are not billed, and the ledger has {others} that broke off")
    for number in _stored(databases, ()):
        if billed[number] != 1:
            found.faults.append(f"the answer {number} is stored, and is {billed[number]} times in the ledger")
    for task, total in _totals(databases).items():
        if (expected := _expected_total(databases, task)) != total:
            found.faults.append(f"task {task} has used {total}; by its answers and reserves {expected}")


def _stored(databases: Databases, tasks: Sequence[str]) -> set[int]:
    """The bills of the answers that are stored, of these tasks or of all."""
    found: set[int] = set()
    for task, name, text in databases.tasks("SELECT task_id, name, data FROM checkpoints"):
        if not name.startswith(("call:", "wasted:")) and (not tasks or task in tasks):
            found.update(int(number) for number in _NUMBER.findall(text))
    return found


def _expected_total(databases: Databases, task: str) -> int:
    """What a task has used: the bills of stored answers, and the reserves of calls that were broken off. The
    answers of an encoder are stored as vectors, and their bills as a sum."""
    query = f"SELECT name, data FROM checkpoints WHERE task_id = '{task}'"
    broken, encoded = 0, False
    for name, data in databases.tasks(query):
        if name == ENCODED or name.startswith(("call:", "wasted:")):
            broken += json.loads(data)["usage"]["prompt"]
            encoded = encoded or name == ENCODED
    return broken + (0 if encoded else sum(_stored(databases, [task])))


def _totals(databases: Databases) -> Mapping[str, int]:
    """The prompt tokens that each task says it has used at its end."""
    found: dict[str, int] = {}
    for task, data in databases.tasks("SELECT task_id, data FROM events WHERE kind = 'usage' ORDER BY id"):
        found[task] = json.loads(data)["total"]["prompt"]
    return found

"""The stored commit: each text is stored once, and restored exactly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gencode.codegen.file_checkpoints import Piece, StoredText, stored_text
from gencode.githosts.commit import commit_sha
from gencode.pipelines.generate.commit_checkpoint import (
    SNAPSHOT,
    CommitContent,
    commit_checkpoint,
    read_commit,
)
from gencode.pipelines.generate.committed_report import REPORT
from gencode.pipelines.generate.replay_bundle import bundle
from gencode.pipelines.generate.report import report
from gencode.pipelines.generate.task_files import files
from tests.servers.generate_harness import INSTRUCTED, generate_harness
from tests.servers.github import Fault
from tests.servers.model import plan_and_files
from tests.unit.codegen.test_repair_loop import BAD, ScriptedRepairs, check

COMMIT = CommitContent(
    files={"b.py": "b = 1\n", "a.py": "a = 'é'\n"},
    message="A project\n",
    author="gencode <gencode@localhost>",
    at=datetime(2026, 11, 22, 7, 13, 44, tzinfo=UTC),
    branch="main",
)
LARGE = "".join(f"line_{n} = 'a large file'\n" for n in range(4000))


def stored_files(checkpoints: Mapping[str, str]) -> dict[str, Any]:
    """The files of the snapshot checkpoint as they are stored."""
    found: dict[str, Any] = json.loads(checkpoints[SNAPSHOT])["files"]
    return found


def test_a_text_that_a_checkpoint_holds_is_stored_as_a_reference() -> None:
    piece = Piece(text="a = 'é'\n", whole=True)
    other = Piece(text="b = 2\n", whole=True)
    stored = {"a.py": stored_text("piece", "a.py", [piece]), "b.py": stored_text("piece", "b.py", [other])}
    snapshot = commit_checkpoint(COMMIT, {path: text for path, text in stored.items() if text})
    checkpoints = {"piece:1:a.py": piece.model_dump_json(), SNAPSHOT: snapshot}
    assert stored_files(checkpoints) == {"b.py": "b = 1\n", "a.py": {"checkpoint": "piece:1:a.py"}}
    restored = read_commit(checkpoints)
    assert restored == COMMIT
    assert list(restored.files) == list(COMMIT.files), "in the same order"


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [Piece(text="a = 1\n", whole=False)],
        [Piece(text="a = ", whole=False), Piece(text="1\n", follows=4, whole=True)],
    ],
)
def test_only_a_file_of_one_complete_piece_is_referred_to(pieces: list[Piece]) -> None:
    assert stored_text("piece", "a.py", pieces) is None


def test_a_snapshot_of_an_older_version_is_read() -> None:
    """Version 0.1.0 stored every text inline."""
    old = json.dumps(
        {
            "files": {"b.py": "b = 1\n", "a.py": "a = 'é'\n"},
            "message": "A project\n",
            "author": "gencode <gencode@localhost>",
            "at": "2026-11-22T07:13:44Z",
            "branch": "main",
        }
    )
    restored = read_commit({SNAPSHOT: old})
    assert restored == COMMIT
    assert commit_sha(restored.snapshot()) == commit_sha(COMMIT.snapshot())
    assert {path: file.text for path, file in files({SNAPSHOT: old}).by_path.items()} == COMMIT.files


def test_there_is_no_commit_before_the_files_are_merged() -> None:
    assert read_commit({"piece:1:a.py": Piece(text="", whole=True).model_dump_json()}) is None


async def test_a_large_file_is_stored_once(tmp_path: Path) -> None:
    async with generate_harness(tmp_path, plan_and_files({"a.py": LARGE, "b.py": "b = 1\n"})) as harness:
        task = await harness.run()
        checkpoints = await harness.store.checkpoints(task.id)
        assert sum(map(len, checkpoints.values())) < 1.1 * len(json.dumps(LARGE))
        assert [name for name, content in checkpoints.items() if "line_3999" in content] == ["piece:1:a.py"]
        assert (await harness.pushed())["a.py"] == LARGE.encode()


async def test_every_reader_resolves_the_references(tmp_path: Path) -> None:
    texts = {"a.py": LARGE, "README.md": "# Hello\n"}
    async with generate_harness(tmp_path, plan_and_files(texts)) as harness:
        task = await harness.run(include_report=True)
        events, checkpoints = await harness.store.events(task.id), await harness.store.checkpoints(task.id)
        pushed = await harness.pushed()
    assert stored_files(checkpoints)["a.py"] == {"checkpoint": "piece:1:a.py"}
    committed = {path: file.text.encode() for path, file in files(checkpoints).by_path.items()}
    assert committed == pushed
    packed = bundle(task, {}, events, checkpoints)
    assert {path: text.encode() for path, text in packed.commit.files.items()} == pushed
    assert commit_sha(packed.commit.snapshot()) == task.result["commit"] == packed.sha
    sizes = {file.path: file.bytes for file in report(task, events, checkpoints).files}
    assert sizes == {path: len(data) for path, data in pushed.items()}


async def test_the_commit_is_restored_with_the_same_sha_after_a_failed_push(tmp_path: Path) -> None:
    async with generate_harness(tmp_path, plan_and_files({"a.py": LARGE})) as harness:
        harness.github.fail("info_refs", Fault(status=500))
        task = await harness.run(include_report=True)
        assert task.failure
        assert task.failure.stage == "pushing"
        checkpoints = await harness.store.checkpoints(task.id)
        assert isinstance(stored_files(checkpoints)[REPORT], str), "no other checkpoint holds the report"
        restored = await harness.restored(task, checkpoints)
        await harness.task_service.retry(task)
        await harness.stream_of(task)
        task = await harness.task(task)
        assert task.result["commit"] == commit_sha(restored.project.snapshot)
        assert (await harness.pushed())["a.py"] == LARGE.encode()


async def test_a_repaired_file_refers_to_its_repair_and_the_warning_is_stored(tmp_path: Path) -> None:
    broken = {**BAD, "b.py": "y = BAD\n"}
    answers = ScriptedRepairs("x = 2\n", "BAD\n", "BAD 2\n")
    async with generate_harness(tmp_path, plan_and_files(broken, replace=answers), check=check) as harness:
        task = await harness.run(deliver="best_effort")
        checkpoints = await harness.store.checkpoints(task.id)
        pushed = await harness.pushed()
    found = stored_files(checkpoints)
    assert (found["a.py"], found["b.py"]) == (
        {"checkpoint": "repair1:1:a.py"},
        {"checkpoint": "repair2:1:b.py"},
    )
    assert "## Known faults" in found["README.md"]
    restored = read_commit(checkpoints)
    assert restored
    assert {path: text.encode() for path, text in restored.files.items()} == pushed


async def test_fenced_and_continued_files_are_stored_inline(tmp_path: Path) -> None:
    whole = "".join(f"line_{n} = {n}\n" for n in range(60))
    texts = {"a.py": "```python\nx = 1\n```\n", "b.py": whole}
    script = plan_and_files(texts, cut_at=len(whole) // 3)
    async with generate_harness(tmp_path, script, quirks=INSTRUCTED) as harness:
        task = await harness.run()
        checkpoints = await harness.store.checkpoints(task.id)
    assert stored_files(checkpoints) == {"a.py": "x = 1\n", "b.py": whole}


def test_stored_text_names_the_checkpoint() -> None:
    found = stored_text("repair2", "a.py", [Piece(text="x", whole=True)])
    assert found
    assert asdict(found) == asdict(StoredText(checkpoint="repair2:1:a.py", text="x"))

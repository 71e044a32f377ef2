"""The files of a task as far as they are stored, and their archive."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime

from gencode.codegen.file_checkpoints import Piece
from gencode.codegen.plan import Plan, PlanCheckpoint, PlannedFile
from gencode.pipelines.generate.commit_checkpoint import CommitContent
from gencode.pipelines.generate.task_files import Files, FileState, archive, files

AT = datetime(2026, 11, 22, 7, 13, 44, tzinfo=UTC)


def plan(*paths: str) -> dict[str, str]:
    entries = tuple(PlannedFile(path=path, purpose=f"is {path}") for path in paths)
    return {"plan": PlanCheckpoint(plan=Plan(files=entries)).model_dump_json()}


def piece(text: str, *, whole: bool = True, follows: int = 0) -> str:
    return Piece(text=text, whole=whole, follows=follows).model_dump_json()


def snapshot(**texts: str) -> dict[str, str]:
    made = CommitContent(files=texts, message="m", author="a <a@b>", at=AT, branch="main")
    return {"snapshot": made.model_dump_json()}


def states(found: Files) -> dict[str, FileState]:
    return {path: file.state for path, file in found.by_path.items()}


def test_the_state_of_each_file_follows_from_its_answers() -> None:
    checkpoints = plan("a", "b", "c") | {
        "piece:1:a": piece("first ", whole=False),
        "piece:1:b": piece("half", whole=False),
        "piece:2:a": piece("second", follows=6),
    }
    found = files(checkpoints)
    assert states(found) == {"a": FileState.WHOLE, "b": FileState.WRITING, "c": FileState.PLANNED}
    assert (found.by_path["a"].text, found.by_path["a"].purpose) == ("first second", "is a")
    assert found.whole() == {"a": "first second"}
    assert not found.complete


def test_a_fence_around_the_file_is_removed() -> None:
    assert files(plan("a.py") | {"piece:1:a.py": piece("```python\nx = 1\n```\n")}).whole() == {
        "a.py": "x = 1\n"
    }


def test_a_repair_counts_once_it_is_complete() -> None:
    checkpoints = plan("a") | {"piece:1:a": piece("old"), "repair1:1:a": piece("ne", whole=False)}
    assert files(checkpoints).whole() == {"a": "old"}
    assert files(checkpoints | {"repair1:2:a": piece("w", follows=2)}).whole() == {"a": "new"}
    again = {"repair1:2:a": piece("w", follows=2), "repair2:1:a": piece("newest")}
    assert files(checkpoints | again).whole() == {"a": "newest"}


def test_the_commit_precedes_everything_else() -> None:
    found = files(plan("b", "a") | {"piece:1:a": piece("x")} | snapshot(a="A", README="# Hello", b="B"))
    assert list(found.by_path) == ["b", "a", "README"]
    assert set(states(found).values()) == {FileState.COMMITTED}
    assert found.complete


def test_without_a_plan_started_files_are_listed_and_never_complete() -> None:
    """Of paths that cannot be in one tree, which failed attempts at a plan may leave, the first is listed."""
    begun = {"piece:1:a": piece("x"), "piece:1:A": piece("y"), "piece:1:a/b": piece("z")}
    found = files(begun)
    assert found.whole() == {"a": "x"}
    assert not found.complete
    assert not files({}).complete


def test_an_archive_has_every_file_in_one_folder_and_is_deterministic() -> None:
    texts = {"src/é.py": "x = 'é'\n", "README.md": "# Hello\n"}
    data = archive(texts, "my.repo", AT)
    assert data == archive(dict(reversed(texts.items())), "my.repo", AT)
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert opened.testzip() is None
        assert {entry.filename for entry in opened.infolist()} == {f"my.repo/{path}" for path in texts}
        assert {entry.date_time for entry in opened.infolist()} == {(2026, 11, 22, 7, 13, 44)}
        assert {entry.external_attr >> 16 for entry in opened.infolist()} == {0o100644}
        assert opened.read("my.repo/src/é.py").decode() == texts["src/é.py"]


def test_an_archive_can_be_made_with_a_clock_that_was_never_set() -> None:
    assert zipfile.ZipFile(io.BytesIO(archive({"a": ""}, "r", datetime(1970, 1, 1, tzinfo=UTC)))).namelist()

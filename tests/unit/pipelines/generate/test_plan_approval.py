"""Changes and approvals of a plan."""

from __future__ import annotations

import pytest

from gencode.codegen.plan import LeftOut, Plan, PlanCheckpoint, PlannedFile
from gencode.domain.errors import Invalid
from gencode.llm.port import Usage
from gencode.pipelines.generate.checkpoints import saved_plan
from gencode.pipelines.generate.errors import PlanChanged
from gencode.pipelines.generate.plan_approval import approve_plan, change_plan, validate_plan

CHECKPOINTS = {
    "plan": PlanCheckpoint(
        plan=Plan(summary="a tool", files=(PlannedFile(path="a.py"),)), usage=Usage(prompt=7), revision=3
    ).model_dump_json()
}
FILES = [PlannedFile(path="b.py", needs=("c.py",)), PlannedFile(path="c.py", lines=9)]


def problems(*files: PlannedFile, workflows: bool = False) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        validate_plan(files, workflows=workflows)
    assert all(problem["message"] for problem in caught.value.problems)
    return [(problem["field"], problem["rule"]) for problem in caught.value.problems]


def test_a_valid_plan_passes() -> None:
    validate_plan(FILES, workflows=False)
    validate_plan([PlannedFile(path=".github/workflows/ci.yml")], workflows=True)


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", ".git/config", "a\\b", "con", "x\u200d", "a/"])
def test_paths_are_validated_like_those_of_a_model(path: str) -> None:
    assert problems(PlannedFile(path="ok"), PlannedFile(path=path)) == [("files.1.path", "unsafe_path")]


def test_workflows_need_the_setting() -> None:
    assert problems(PlannedFile(path=".github/workflows/ci.yml")) == [("files.0.path", "unsafe_path")]


def test_each_problem_is_named_with_its_field() -> None:
    files = [
        PlannedFile(path="a", needs=("b", "gone")),
        PlannedFile(path="b"),
        PlannedFile(path="B"),
        PlannedFile(path="a"),
        PlannedFile(path="a/b"),
    ]
    assert problems(*files) == [
        ("files.0.needs.1", "unknown"),
        ("files.2.path", "unsafe_tree"),
        ("files.3.path", "duplicate"),
        ("files.4.path", "unsafe_tree"),
    ]


def test_a_change_makes_a_new_revision_with_the_same_usage() -> None:
    update = change_plan(CHECKPOINTS, FILES, None, "scripted", lambda revision: revision == 3)
    changed = saved_plan(update.checkpoints)
    assert changed
    assert (changed.revision, changed.usage) == (4, Usage(prompt=7))
    assert (changed.plan.summary, list(changed.plan.files)) == ("a tool", FILES)
    assert (update.kind, update.data["revision"], update.data["model"]) == ("plan", 4, "scripted")
    again = saved_plan(change_plan(CHECKPOINTS, FILES, "another", "scripted", lambda _: True).checkpoints)
    assert again
    assert again.plan.summary == "another"


def test_a_removed_file_is_named_with_the_files_that_needed_it() -> None:
    """Also when a later change concerns something else; no longer when it is planned again."""
    entries = [
        PlannedFile(path="store.py"),
        PlannedFile(path="a.py", needs=("store.py",)),
        PlannedFile(path="b.py", needs=("a.py", "store.py")),
        PlannedFile(path="lonely.py"),
    ]
    logo = LeftOut(path="logo.png", reason="binary", needed_by=("a.py", "lonely.py"))
    plan = PlanCheckpoint(plan=Plan(files=tuple(entries), left_out=(logo,)))
    checkpoints = {"plan": plan.model_dump_json()}
    rest = [PlannedFile(path="a.py"), PlannedFile(path="b.py", needs=("a.py",))]
    told = (
        LeftOut(path="logo.png", reason="binary", needed_by=("a.py",)),
        LeftOut(path="store.py", reason="removed", needed_by=("a.py", "b.py")),
    )
    for files, left_out in ((rest, told), ([*rest, PlannedFile(path="c.py")], told), (entries, told[:1])):
        update = change_plan(checkpoints, files, None, "scripted", lambda _: True)
        changed = saved_plan(checkpoints := dict(update.checkpoints))
        assert changed
        assert changed.plan.left_out == left_out
        assert [entry["path"] for entry in update.data["left_out"]] == [entry.path for entry in left_out]


def test_a_binary_file_is_no_part_of_a_plan() -> None:
    assert problems(PlannedFile(path="logo.png")) == [("files.0.path", "binary")]


def test_another_revision_is_refused() -> None:
    with pytest.raises(PlanChanged, match="revision 3"):
        change_plan(CHECKPOINTS, FILES, None, "scripted", lambda revision: revision == 2)
    with pytest.raises(PlanChanged):
        approve_plan(CHECKPOINTS, lambda revision: revision == 2)
    assert approve_plan(CHECKPOINTS, lambda _: True).data == {"revision": 3}

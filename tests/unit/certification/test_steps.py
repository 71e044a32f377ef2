"""Which steps prove a project."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.resources import files as resource_files
from pathlib import Path

import pytest

from gencode.blueprints import Blueprint
from gencode.blueprints.rendering import Database, Stack, render_project
from gencode.certification.environments import environment_name, prepared_environment
from gencode.certification.lock_files import Lock, Tool, official_locks
from gencode.certification.steps import groups_of

Same = Callable[[object, object], bool]
INITIAL = {"backend/migrations/versions/0001_initial.py": b""}
SECOND = {"backend/migrations/versions/0002_rename.py": b""}


def names(files: dict[str, bytes]) -> list[str]:
    return [step.name for group in groups_of(files, Stack(database=Database.MYSQL)) for step in group.steps]


def test_a_back_end_is_installed_checked_tested_migrated_and_used() -> None:
    assert names(INITIAL) == [
        *("install", "compile", "lint", "types", "tests"),
        *("migrate_up", "migration_check", "crud", "migrate_down", "migrate_up_again", "tests_on_database"),
    ]


def test_a_project_with_several_revisions_goes_back_and_forth_with_its_rows() -> None:
    steps = [step for group in groups_of({**INITIAL, **SECOND}, Stack()) for step in group.steps]
    (between,) = [step for step in steps if step.name == "migrate_between"]
    assert between.options["first"] == "0001"
    assert [one.name for one in steps].index("crud") < steps.index(between)


def test_a_front_end_is_installed_checked_built_and_tested() -> None:
    *_, group = groups_of(INITIAL, Stack(frontend="vue"))
    assert [step.name for step in group.steps] == [
        *("frontend_install", "frontend_types", "frontend_build", "frontend_tests"),
    ]
    assert group.tool is Tool.NODE


def test_only_the_last_group_has_a_database() -> None:
    assert [group.database for group in groups_of(INITIAL, Stack())] == ["", "", "", "postgresql"]


def test_an_environment_belongs_to_a_lock_file_and_is_there_when_it_is_whole(tmp_path: Path) -> None:
    lock, other = (
        Lock(tool=Tool.PYTHON, folder="backend", files={"requirements.lock": text})
        for text in (b"a==1\n", b"a==2\n")
    )
    name = environment_name(lock)
    assert name != environment_name(other)
    assert prepared_environment(tmp_path, lock) is None
    (tmp_path / name).mkdir()
    assert prepared_environment(tmp_path, lock) is None
    (tmp_path / name / "ready.json").write_text('{"versions": {"a": "1"}}')
    found = prepared_environment(tmp_path, lock)
    assert found is not None
    assert found.versions == {"a": "1"}


@pytest.fixture
def same(monkeypatch: pytest.MonkeyPatch) -> Same:
    """Of the program that judges answers, which is loaded as in the sandbox."""
    for package in ("gencode.certification", "gencode.sandbox"):
        monkeypatch.syspath_prepend(str(resource_files(package) / "programs"))
    function: Same = import_module("gencode_build_requests").same
    return function


@pytest.mark.parametrize(
    ("sent", "answered"),
    [("1.5", "1.50"), (1.5, 1.5), ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00+00:00"), (None, None)],
)
def test_values_may_come_back_in_another_form(same: Same, sent: object, answered: object) -> None:
    assert same(sent, answered)


@pytest.mark.parametrize(
    ("sent", "answered"), [("a", "b"), (True, 1.5), (None, 0), (1, None), ([1], [2]), ("1.5", "1.6")]
)
def test_other_values_are_not_the_same(same: Same, sent: object, answered: object) -> None:
    assert not same(sent, answered)


def test_a_lock_file_is_in_a_project_that_has_exactly_its_files() -> None:
    lock = Lock(tool=Tool.NODE, folder="frontend", files={"package-lock.json": b"{}", "package.json": b"{}"})
    project = {"frontend/package-lock.json": b"{}", "frontend/package.json": b"{}", "README.md": b""}
    assert lock.is_in(project)
    assert not lock.is_in({**project, "frontend/package.json": b'{"scripts": {}}'})
    assert not lock.is_in({"frontend/package-lock.json": b"{}"})
    assert lock.path == "frontend/package-lock.json"


def test_rendered_projects_have_the_lock_files_of_their_templates() -> None:
    model = {"projectName": "shop", "dataModels": [{"name": "Tag"}]}
    rendered = render_project(Blueprint.model_validate(model), Stack()).files
    assert official_locks()["fastapi"].is_in({path: text.encode() for path, text in rendered.items()})

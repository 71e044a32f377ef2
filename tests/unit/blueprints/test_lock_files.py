"""The lock files of rendered projects: alike for all blueprints, with hashes, from the public registries."""

import re

import pytest

from gencode.blueprints import Blueprint
from gencode.blueprints.rendering import Database, Stack, render_project

_PIN = re.compile(r"^(?P<name>[a-z0-9.-]+)==(?P<version>\S+)", re.M)
_NEEDED = re.compile(r'"([a-z0-9-]+)(?:\[binary\])?>=')


def rendered(database: Database, name: str = "A") -> dict[str, str]:
    blueprint = Blueprint.model_validate({"dataModels": [{"name": name}]})
    return dict(render_project(blueprint, Stack(database=database)).files)


def pins(text: str) -> dict[str, str]:
    return {one["name"]: one["version"] for one in _PIN.finditer(text)}


@pytest.mark.parametrize("database", Database)
def test_the_lock_file_of_the_back_end_has_all_that_it_needs(database: Database) -> None:
    files = rendered(database)
    locked = pins(files["backend/requirements.lock"])
    project = files["backend/pyproject.toml"].replace('"setuptools>=68"', "")
    assert set(_NEEDED.findall(project)) <= set(locked)
    running = pins(files["backend/requirements-run.lock"])
    assert running.items() < locked.items()
    assert "pytest" not in running
    for lock in ("requirements.lock", "requirements-run.lock"):
        text = files[f"backend/{lock}"]
        assert text.count("--hash=sha256:") >= len(pins(text))
        assert "://" not in text


def test_lock_files_do_not_depend_on_the_blueprint() -> None:
    one, other = rendered(Database.MYSQL), rendered(Database.POSTGRESQL, "B")
    locks = [path for path in one if path.endswith(".lock")]
    assert len(locks) == 2
    assert [one[path] for path in locks] == [other[path] for path in locks]

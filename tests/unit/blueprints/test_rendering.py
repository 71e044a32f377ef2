"""Projects are rendered alike for alike blueprints, and always parse."""

import ast
from pathlib import PurePosixPath
from typing import Any

import pytest

from gencode.blueprints import Blueprint, is_valid, repaired
from gencode.blueprints.rendering import Database, Stack, render_project
from gencode.blueprints.rendering.literals import docstring, line, python, sql, typescript
from gencode.blueprints.rendering.project import InvalidBlueprint
from tests.campaigns.blueprints import examine
from tests.unit.blueprints.generated_blueprints import generated_blueprint


@pytest.mark.parametrize("seed", range(10))
def test_whatever_the_names_are_the_repaired_blueprint_is_rendered_and_parses(seed: int) -> None:
    blueprint, findings = repaired(generated_blueprint(seed))
    assert is_valid(findings), [one.shown() for one in findings]
    files = render_project(blueprint, Stack(database=list(Database)[seed % 2])).files
    assert files == render_project(blueprint, Stack(database=list(Database)[seed % 2])).files
    for path, text in files.items():
        assert not {"..", ""} & set(PurePosixPath(path).parts), path
        if path.endswith(".py"):
            ast.parse(text, path)


@pytest.mark.parametrize("seed", [2, 12, 15, 17, 48, 65, 88])
def test_every_file_of_a_project_parses_and_every_path_is_in_its_folder(seed: int) -> None:
    """A slice of `make blueprint-campaign`: of these most failed before."""
    examined = examine(seed)
    assert examined.faults == []
    assert examined.files > 80


def test_a_blueprint_with_errors_is_not_rendered() -> None:
    with pytest.raises(InvalidBlueprint):
        render_project(Blueprint.model_validate({"dataModels": [{"name": "../x", "id": "x"}]}), Stack())


def test_a_circle_of_references_defers_one_key() -> None:
    spec = {
        "dataModels": [
            {"name": "A", "relations": [{"name": "b", "type": "ManyToOne", "target": "B"}]},
            {"name": "B", "relations": [{"name": "a", "type": "ManyToOne", "target": "A"}]},
        ]
    }
    spec["dataModels"][0]["relations"][0]["inverseName"] = "owners"  # else both are one link
    files = render_project(Blueprint.model_validate(spec), Stack()).files
    migration = files["backend/migrations/versions/0001_initial.py"]
    assert migration.count("batch.create_foreign_key(") == 1
    assert migration.count("sa.ForeignKey(") == 1


@pytest.mark.parametrize(
    ("field", "least"),
    [({}, 0), ({"required": True}, 1), ({"required": True, "default": ""}, 0), ({"minLength": 3}, 3)],
)
def test_back_end_and_form_ask_for_a_text_of_the_same_length(field: dict[str, Any], least: int) -> None:
    """What is empty by default may be sent empty: else a record that was created could not be updated."""
    spec = {"dataModels": [{"name": "A", "fields": [{"name": "b", "type": "string", **field}]}]}
    files = render_project(Blueprint.model_validate(spec), Stack(frontend="vue")).files
    assert f"min_length={least}," in files["backend/app/schemas/a.py"]
    assert f'"minLength": {least}' in files["frontend/src/entities/a.ts"]


def test_flows_are_holes() -> None:
    spec = {
        "dataModels": [{"name": "A", "fields": [{"name": "b", "type": "string"}]}],
        "businessFlows": [{"name": "send", "steps": [{"text": "Send it."}]}],
    }
    (hole,) = render_project(Blueprint.model_validate(spec), Stack()).holes
    assert (hole.name, hole.path, hole.body) == (
        "flow/send",
        "backend/app/flows/send.py",
        '    from app.errors import FlowNotWritten\n\n    raise FlowNotWritten("send")\n',
    )


@pytest.mark.parametrize(
    "text", ['"""', "\\", "a\nb", "客户's", "\u2028\u202e", "{%", "\x00", "*/", "</script>", "${x}`"]
)
def test_literals_are_the_text(text: str) -> None:
    assert ast.literal_eval(python(text)) == text
    assert ast.literal_eval(f'"""x {docstring(text)}"""').startswith("x")
    assert "\n" not in line(text)
    assert "</" not in typescript(text)
    assert "\n" not in typescript(text)
    assert sql(text).count("'") % 2 == 0


def test_chinese_stays_readable_in_every_literal() -> None:
    assert [make("客户") for make in (python, typescript, sql)] == ['"客户"', '"客户"', "'客户'"]


def test_tests_of_records_of_which_there_can_be_few_make_no_more_than_that() -> None:
    fields = [{"name": "open", "type": "boolean", "unique": True, "required": True}]
    relation = {"name": "channel", "type": "OneToOne", "target": "Channel", "required": True}
    models = [
        {"name": "Channel", "fields": fields},
        {"name": "Order", "relations": [relation]},
        {"name": "Line", "relations": [{**relation, "type": "ManyToOne", "target": "Order"}]},
    ]
    blueprint = Blueprint.model_validate({"projectName": "shop", "dataModels": models})
    files = render_project(blueprint, Stack()).files
    names = ("channel", "order", "line")
    few = {name for name in names if "range(3)" not in files[f"backend/tests/test_{name}.py"]}
    assert few == {"channel", "order"}

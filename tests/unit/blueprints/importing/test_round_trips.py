"""What is exported is imported again as it was."""

from typing import Any

import pytest

from gencode.blueprints import Blueprint, BlueprintIndex, is_valid, repaired, validate
from gencode.blueprints.exporting import Dialect, exported_dbml, exported_sql
from gencode.blueprints.identifiers import snake
from gencode.blueprints.model import EntityField
from gencode.blueprints.rendering import Stack, render_project
from tests.unit.blueprints.generated_blueprints import generated_blueprint
from tests.unit.blueprints.importing.imports import imported


def shape(blueprint: Blueprint, *, mysql: bool = False, sql: bool = False) -> dict[str, Any]:
    """Tables with what both forms say: labels, names of inverse ends and ids are not part of it."""
    index = BlueprintIndex(blueprint)
    joined = {
        index.join_table(link): sorted((index.table(link.source), index.table(link.target)))
        for link in index.join_links
    }
    return {"joined": joined} | {
        index.table(entity.id): {
            "fields": {snake(one.name): field(one, mysql=mysql, sql=sql) for one in entity.fields},
            "references": {
                index.column(link): (
                    str(link.type),
                    index.table(link.target),
                    link.required,
                    str(link.on_delete),
                )
                for link in index.references_of(entity.id)
            },
            "uniques": sorted(len(one.fields) for one in entity.unique_constraints),
        }
        for entity in blueprint.data_models
    }


def field(one: EntityField, *, mysql: bool, sql: bool) -> tuple[Any, ...]:
    kind, length = str(one.type), one.length
    if kind == "string":
        length = one.length or 255
    elif kind == "binary" and sql:
        length = None  # PostgreSQL has no length of bytes
    elif kind == "uuid" and mysql:
        kind, length = "string", 36
    digits = one.column_digits if kind == "decimal" else ()
    default = str(one.default) if kind in ("decimal", "float") and one.default is not None else one.default
    values = tuple(value.name for value in one.enum_values)
    limits = (one.minimum, one.maximum, one.min_length or None)
    return (
        kind,
        length,
        digits,
        one.required,
        one.unique,
        one.index and not one.unique,
        default,
        values,
        limits,
    )


@pytest.mark.parametrize("seed", range(8))
def test_tables_come_back_from_dbml_and_both_kinds_of_sql(seed: int) -> None:
    blueprint, _ = repaired(generated_blueprint(seed))
    assert shape(imported("dbml", exported_dbml(blueprint)).blueprint) == shape(blueprint)
    text = exported_sql(blueprint, Dialect.POSTGRES)
    assert shape(imported("sql", text, "postgres").blueprint, sql=True) == shape(blueprint, sql=True)
    text = exported_sql(blueprint, Dialect.MYSQL)
    made = imported("sql", text, "mysql").blueprint
    assert shape(made, mysql=True) == shape(blueprint, mysql=True)


def test_a_decimal_without_digits_is_exported_as_the_column_that_the_project_has() -> None:
    fields = [
        {"name": "plain", "type": "decimal", "default": "1.50"},
        {"name": "short", "type": "decimal", "precision": 1},
        {"name": "whole", "type": "decimal", "precision": 9, "scale": 0},
    ]
    blueprint = Blueprint.model_validate({"dataModels": [{"name": "Price", "fields": fields}]})
    assert is_valid(validate(blueprint))
    model = render_project(blueprint, Stack()).files["backend/app/models/price.py"]
    sql, dbml = exported_sql(blueprint, Dialect.POSTGRES), exported_dbml(blueprint)
    for precision, scale in ((18, 2), (1, 1), (9, 0)):
        assert f"sa.Numeric({precision}, {scale})" in model
        assert f" decimal({precision},{scale})" in sql
        assert f" decimal({precision},{scale})" in dbml


def test_texts_with_quotes_lines_and_other_scripts_come_back() -> None:
    said = 'It\'s \\ a "test"\nof `two` lines'
    spec = {
        "dataModels": [
            {
                "name": "A",
                "description": said,
                "fields": [{"name": "b", "type": "string", "label": "客户", "default": "x'y\\"}],
            }
        ]
    }
    blueprint = Blueprint.model_validate(spec)
    texts = {
        "dbml": (exported_dbml(blueprint), ""),
        "postgres": (exported_sql(blueprint, Dialect.POSTGRES), "postgres"),
        "mysql": (exported_sql(blueprint, Dialect.MYSQL), "mysql"),
    }
    for name, (text, dialect) in texts.items():
        (entity,) = imported("dbml" if name == "dbml" else "sql", text, dialect).blueprint.data_models
        assert entity.description == said, name
        assert (entity.fields[0].label, entity.fields[0].default) == ("客户", "x'y\\"), name

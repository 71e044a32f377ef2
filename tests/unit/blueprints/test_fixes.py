"""Applying the proposed fixes leads to a valid blueprint."""

from typing import Any

import pytest

from gencode.blueprints import Blueprint, Severity, is_valid, validate
from gencode.blueprints.findings import Finding, Fix
from gencode.blueprints.fixes import repaired, with_fixes
from gencode.blueprints.rules import Rule
from tests.unit.blueprints.generated_faults import faulty_blueprint


def _assert_repaired(seed: int) -> None:
    blueprint = faulty_blueprint(seed)
    without = [one for one in validate(blueprint) if one.severity is Severity.ERROR and one.fix is None]
    assert not without, (seed, without[0])
    _, left = repaired(blueprint)
    assert is_valid(left), (seed, left[0])


@pytest.mark.parametrize("seed", range(12))
def test_every_error_has_a_fix_and_all_fixes_make_a_valid_blueprint(seed: int) -> None:
    _assert_repaired(seed)


@pytest.mark.campaign
def test_so_do_those_of_many_blueprints() -> None:
    for seed in range(1000, 1250):
        _assert_repaired(seed)


def _fixed(**part: Any) -> Blueprint:
    entity = {"name": "Order", "fields": [{"name": "total", "type": "integer"}]}
    blueprint, left = repaired(Blueprint.model_validate({"dataModels": [entity], **part}))
    assert is_valid(left), left
    return blueprint


def test_an_enum_keeps_its_values_without_what_they_cannot_have() -> None:
    values = [{"name": "it's"}, {"name": "B", "label": "乙"}, {"name": "b"}, {"name": '"'}]
    field = {"name": "kind", "type": "enum", "enumValues": values}
    (entity,) = _fixed(dataModels=[{"name": "Order", "fields": [field]}]).data_models
    found = {one.name: one.label for one in entity.fields[0].enum_values}
    assert found == {"its": "it's", "B": "乙"}


def test_the_longest_strings_become_texts_until_a_row_fits() -> None:
    fields = [{"name": f"s{number}", "type": "string", "length": 1000 + number} for number in range(20)]
    fields[19]["index"] = True
    fields[19]["length"] = 768
    (entity,) = _fixed(dataModels=[{"name": "Order", "fields": fields}]).data_models
    assert [one.name for one in entity.fields if one.type == "text"] == ["s15", "s16", "s17", "s18"]


def test_an_event_keeps_a_target_that_is_there() -> None:
    button = {"name": "b", "type": "button", "events": [{"page": "p", "api": "gone"}, {"flow": "gone"}]}
    page = {"id": "p", "name": "p", "path": "/p", "components": [button]}
    (component,) = _fixed(pages=[page]).pages[0].components
    assert [(one.page, one.api, one.flow) for one in component.events] == [("p", None, None)]


def test_parameters_of_an_api_get_names_that_code_can_have() -> None:
    parameters = [
        {"name": "class", "in": "path"},
        {"name": "gone", "in": "path"},
        {"name": "你", "in": "body"},
    ]
    api = {"name": "pay", "path": "/pay/{class}", "flow": "f", "parameters": parameters}
    flow = {"id": "f", "name": "f", "description": "d"}
    found = _fixed(apis=[api], businessFlows=[flow]).apis[0]
    assert found.path == "/pay/{class_value}"
    shown = [(one.name, one.location) for one in found.parameters]
    assert shown == [("class_value", "path"), ("gone", "query"), ("ni", "body")]


def test_the_second_of_two_elements_with_one_id_gets_another() -> None:
    fields = [{"id": "a", "name": "a", "type": "text"}, {"id": "a", "name": "b", "type": "text"}]
    relation = {"id": "a", "name": "c", "type": "ManyToOne", "target": "Order"}
    entity = {"name": "Order", "fields": fields, "relations": [relation]}
    made = _fixed(dataModels=[entity]).data_models[0]
    assert [one.id for one in (*made.fields, *made.relations)] == ["a", "a_2", "a_3"]


def test_a_fix_that_makes_no_valid_form_leaves_the_others() -> None:
    blueprint = Blueprint.model_validate({"dataModels": [{"name": "A"}, {"name": "B"}, {"name": "C"}]})
    fixes = {"A": {"name": "AA"}, "B": {"fields": 5}, "C": {"name": "CC"}}
    findings = [
        Finding(element=f"dataModels/{name}", rule=Rule.CLASS_NAME, fix=Fix(changes=changes))
        for name, changes in fixes.items()
    ]
    assert [one.name for one in with_fixes(blueprint, findings).data_models] == ["AA", "B", "CC"]

"""The front end of a project: its pages, and that no text of a blueprint becomes code."""

import json
import re
from typing import Any

import pytest

from gencode.blueprints import Blueprint, BlueprintIndex, is_valid, repaired, validate
from gencode.blueprints.default_pages import with_default_pages
from gencode.blueprints.rendering import Stack, render_project
from gencode.blueprints.rendering.page_context import ends_of
from gencode.blueprints.rendering.template_set import official_set
from gencode.domain.tree import MAX_RENDERED_FILES, Tree
from tests.unit.blueprints.generated_blueprints import generated_blueprint
from tests.unit.blueprints.generated_pages import with_generated_pages

SHOP: dict[str, Any] = {
    "dataModels": [
        {"name": "Customer", "label": "客户", "fields": [{"name": "email", "type": "string"}]},
        {
            "name": "Order",
            "fields": [
                {"name": "total", "type": "decimal", "required": True},
                {"name": "note", "type": "text"},
            ],
            "relations": [
                {
                    "name": "customer",
                    "type": "ManyToOne",
                    "target": "Customer",
                    "inverseName": "orders",
                    "required": True,
                },
                {"name": "tags", "type": "ManyToMany", "target": "Tag", "inverseName": "orders"},
            ],
        },
        {"name": "Tag", "fields": [{"name": "name", "type": "string"}]},
    ],
    "businessFlows": [{"name": "ship", "label": "Ship it", "steps": [{"text": "Ship."}]}],
}
_SCRIPT = re.compile(r"<script setup lang=\"ts\">\n(.*?)\n</script>\n\n<template>\n(.*)</template>\n\Z", re.S)


def rendered(spec: dict[str, Any]) -> dict[str, str]:
    return dict(render_project(Blueprint.model_validate(spec), Stack(frontend="vue")).files)


def test_each_data_model_has_pages_where_a_blueprint_has_none() -> None:
    blueprint = with_default_pages(Blueprint.model_validate(SHOP))
    assert is_valid(validate(blueprint))
    assert [page.path for page in blueprint.pages[:3]] == ["/customers", "/customers/new", "/customers/:id"]
    assert with_default_pages(blueprint) is blueprint
    files = rendered(SHOP)
    assert files == rendered(json.loads(blueprint.model_dump_json()))
    page = files["frontend/src/pages/OrderListPage.vue"]
    assert ":columns=\"['total']\"" in page
    assert "open('OrderNew')" in page


def test_pages_name_columns_lists_and_calls_as_the_back_end_has_them() -> None:
    parts = [
        {
            "name": "table",
            "type": "table",
            "dataBinding": {"entity": "Order", "fields": ["customer", "tags", "total"]},
            "events": [{"on": "rowClick", "flow": "ship"}],
        },
        {
            "name": "form",
            "type": "form",
            "dataBinding": {"entity": "Order", "action": "create", "fields": ["note"]},
        },
        {"name": "detail", "type": "detail", "dataBinding": {"entity": "Customer", "action": "get"}},
    ]
    files = rendered({**SHOP, "pages": [{"name": "One", "path": "/one/:customerId", "components": parts}]})
    page = files["frontend/src/pages/OnePage.vue"]
    assert ":columns=\"['customer_id', 'tags_ids', 'total']\"" in page
    assert '@open="(record) => run(calls.run_ship, record)"' in page
    assert ":columns=\"['note', 'total', 'customer_id']\"" in page, (
        "a form for a new record has what it needs"
    )
    assert ":inverses=\"['orders']\" :id=\"idOf('customerId')\"" in page
    assert 'path: "/flows/ship"' in files["frontend/src/calls.ts"]
    assert '@router.post("/flows/ship", name="run_ship")' in files["backend/app/api/calls.py"]


def test_both_ends_of_a_relation_may_be_named_whoever_declares_it() -> None:
    spec = {
        "dataModels": [
            {
                "name": "A",
                "relations": [
                    {"id": "r", "name": "bs", "type": "OneToMany", "target": "B", "inverseName": "a"}
                ],
            },
            {"name": "B"},
        ]
    }
    index = BlueprintIndex(Blueprint.model_validate(spec))
    assert ends_of(index, "A") == {"r": "bs", "bs": "bs", "id": "id"}
    assert ends_of(index, "B") == {"a": "a_id", "id": "id"}
    bound = {"name": "t", "type": "table", "dataBinding": {"entity": "B", "fields": ["a"]}}
    page = {"name": "P", "path": "/p", "components": [bound]}
    assert is_valid(validate(Blueprint.model_validate({**spec, "pages": [page]})))


@pytest.mark.parametrize("seed", range(6))
def test_texts_of_a_blueprint_are_constants_of_scripts_only(seed: int) -> None:
    blueprint = with_generated_pages(repaired(generated_blueprint(seed))[0], seed)
    assert is_valid(validate(blueprint)), [one.shown() for one in validate(blueprint)]
    files = render_project(blueprint, Stack(frontend="vue")).files
    assert files == render_project(blueprint, Stack(frontend="vue")).files
    for path, text in files.items():
        if path.startswith("frontend/src/pages/"):
            match = _SCRIPT.match(text)
            assert match is not None, path
            script, template = match[1], match[2]
            assert "</" not in script
            assert set(re.findall(r"\{\{(.*?)\}\}", template)) <= set(
                re.findall(r"\{\{( texts\.\w+ )\}\}", template)
            )
            assert re.fullmatch(r"[\x20-\x7e\n]*", template), "names and code only"
            assert not set("`$\\") & set(template)
            elements = {one for one in re.findall(r"<([A-Za-z]\w*)", template) if one[0].islower()}
            assert elements <= {"div", "h1", "h2", "h3", "h4", "h5", "h6", "p", "section", "strong"}


def test_every_file_of_the_set_is_rendered_or_copied() -> None:
    manifest = official_set("vue").manifest
    used = {entry.template for entry in manifest.files} | {entry.source for entry in manifest.copies}
    assert used == set(official_set("vue").sources)


def test_packages_come_from_the_public_registry() -> None:
    lock = json.loads(rendered(SHOP)["frontend/package-lock.json"])
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert packages
    for name, one in packages.items():
        assert one["resolved"].startswith("https://registry.npmjs.org/"), name
        assert one["integrity"].startswith("sha512-"), name
    wanted = json.loads(rendered(SHOP)["frontend/package.json"])
    assert lock["packages"][""]["dependencies"] == wanted["dependencies"]
    assert lock["packages"][""]["devDependencies"] == wanted["devDependencies"]


@pytest.mark.campaign
def test_a_project_of_the_largest_blueprint_is_a_tree() -> None:
    spec = {
        "dataModels": [{"name": f"Thing{number}"} for number in range(500)],
        "businessFlows": [{"name": f"flow{number}", "steps": [{"text": "x"}]} for number in range(500)],
    }
    files = rendered(spec)
    tree = Tree.of({path: text.encode() for path, text in files.items()}, most=MAX_RENDERED_FILES)
    assert len(tree.files) == len(files) > 4000


def test_no_secret_stands_in_the_files_of_compose() -> None:
    files = rendered(SHOP)
    assert "DATABASE_PASSWORD=\n" in files[".env.example"]
    assert files["compose.yaml"].count("PASSWORD: ${DATABASE_PASSWORD:?") == 1
    assert ".env\n" in files[".gitignore"]

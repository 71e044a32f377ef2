"""OpenAPI becomes a blueprint."""

import json
from typing import Any

import pytest

from gencode.blueprints.importing import ImportFailed, SourceFormat
from gencode.blueprints.importing.reading import import_text
from tests.unit.blueprints.importing.imports import entities, fields, imported, relations, rules

SHOP = """
openapi: 3.1.0
info: {title: Pet Shop, description: Sells pets}
paths:
  /pets:
    parameters: [{name: X-Trace, in: header, schema: {type: string}}]
    get:
      operationId: listPets
      parameters: [{$ref: '#/components/parameters/limit'}, {name: class, in: query, schema: {type: string}}]
      responses:
        200:
          description: all
          content: {j: {schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}}}
        default: {description: error, content: {j: {schema: {$ref: '#/components/schemas/Problem'}}}}
    post: {requestBody: {content: {j: {schema: {$ref: '#/components/schemas/NewPet'}}}}, responses: {}}
  /pets/{petId}:
    get: {parameters: [{name: petId, in: path, required: true, schema: {type: integer}}], responses: {}}
    delete: {parameters: [{name: petId, in: path, required: true, schema: {type: integer}}], responses: {}}
  /pets/{petId}/sell:
    post:
      summary: Sell a pet
      parameters: [{name: petId, in: path, required: true, schema: {type: integer}}]
      requestBody:
        content: {j: {schema: {type: object, required: [price], properties: {price: {type: number}}}}}
      responses: {}
  /:
    get: {responses: {}}
components:
  parameters:
    limit: {name: limit, in: query, schema: {type: integer, format: int64}}
  schemas:
    NewPet:
      type: object
      required: [name, owner]
      properties:
        name: {type: string, maxLength: 40, minLength: 2, pattern: '^a'}
        owner: {$ref: '#/components/schemas/Owner'}
        kind: {$ref: '#/components/schemas/Kind'}
        tags: {type: array, items: {$ref: '#/components/schemas/Tag'}}
        weight: {type: [number, 'null'], exclusiveMinimum: 0}
        born: {type: string, format: date-time}
        extra: {type: object, additionalProperties: true}
        legs: {type: integer, default: 4, minimum: 0, maximum: 100}
        shelterId: {type: integer}
    Pet:
      allOf: [{$ref: '#/components/schemas/NewPet'}, {type: object, properties: {id: {type: integer}}}]
    Owner: {type: object, properties: {id: {type: string, format: uuid}, email: {type: string}}}
    Shelter: {type: object, properties: {city: {type: string}}}
    Tag: {type: object, properties: {label: {type: string}}}
    Kind: {type: string, enum: [cat, dog]}
    Problem: {type: object, properties: {code: {type: integer}}}
"""


def test_schemas_become_entities_with_relations() -> None:
    made = imported("openapi", SHOP)
    found = entities(made)
    assert (made.blueprint.project_name, list(found)) == ("pet_shop", ["Pet", "Owner", "Shelter", "Tag"])
    assert fields(found["Pet"]) == {
        "name": "string(40) required minLength=2",
        "kind": "enum cat|dog",
        "weight": "float",
        "born": "datetime",
        "extra": "json",
        "legs": "integer default=4 >=0 <=100",
    }
    assert relations(found["Pet"]) == {
        "owner": "ManyToOne Owner required",
        "tags": "OneToMany Tag",
        "shelter": "ManyToOne Shelter",
    }
    expected = {
        "variant-left-out",
        "not-a-record",
        "inferred-reference",
        "pattern-not-kept",
        "option-not-kept",
    }
    assert expected <= rules(made)


def test_operations_become_apis_of_entities_or_of_flows() -> None:
    made = imported("openapi", SHOP)
    shown = {
        f"{api.method} {api.path}": (api.entity, str(api.action) if api.action else api.flow)
        for api in made.blueprint.apis
    }
    assert shown == {
        "GET /pets": ("Pet", "list"),
        "POST /pets": ("Pet", "create"),
        "GET /pets/{pet_id}": ("Pet", "get"),
        "DELETE /pets/{pet_id}": ("Pet", "delete"),
        "POST /pets/{pet_id}/sell": (None, "post_pets_pet_id_sell"),
        "GET /get": (None, "get"),
    }
    assert [(one.name, one.location, one.type) for one in made.blueprint.apis[0].parameters] == [
        ("limit", "query", "bigint"),
        ("class_value", "query", "string"),
    ]
    sell = made.blueprint.apis[4]
    assert {one.name: one.location for one in sell.parameters} == {"pet_id": "path", "price": "body"}
    assert made.blueprint.business_flows[0].steps[0].text == "Sell a pet"


def document(schemas: dict[str, Any]) -> str:
    return json.dumps({"openapi": "3.0.0", "components": {"schemas": schemas}})


def test_json_and_circles_of_references_are_read() -> None:
    schemas = {
        "A": {
            "type": "object",
            "properties": {"b": {"$ref": "#/components/schemas/B"}, "n": {"type": "integer"}},
        },
        "B": {
            "allOf": [{"$ref": "#/components/schemas/B"}],
            "properties": {"a": {"$ref": "#/components/schemas/A"}},
        },
        "Loop": {"$ref": "#/components/schemas/Loop"},
        "Away": {"$ref": "other.yaml#/x"},
    }
    assert {"A", "B"} <= set(entities(imported("openapi", document(schemas))))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{", 1),
        ('{"openapi": 3,\n x}', 2),
        ("openapi: 3\n  x: [", 2),
        ("a: &a [*b]", 1),
        ("- x", 1),
        ("{}", 1),
        ("openapi: 3.0.0", 0),
        ("{" * 100_000, 0),
        ("[" * 100_000, 0),
        ("openapi: !!python/object:os.system x", 1),
        ("\x00", 0),
    ],
)
def test_what_cannot_be_read_is_named(text: str, line: int) -> None:
    with pytest.raises(ImportFailed) as caught:
        import_text(SourceFormat.OPENAPI, text)
    assert caught.value.line == line or line == 0, str(caught.value)

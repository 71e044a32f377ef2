"""DBML becomes a blueprint."""

import pytest

from gencode.blueprints.importing import ImportFailed, SourceFormat
from gencode.blueprints.importing.reading import import_text
from tests.unit.blueprints.importing.imports import entities, fields, imported, relations, rules

SHOP = """
Project "My Shop" { database_type: 'PostgreSQL'  Note: '''Sells
  things''' }
Enum order_status { new [note: 'New order'] "in work" done }
Table customers as C [headercolor: #fff] {
  id integer [pk, increment]
  email varchar(200) [unique, not null, note: 'where to write']
  "full name" varchar
  created timestamp [default: `now()`]
  Note: 'People who buy'
  indexes {
    (email, "full name") [unique]
    created
    `lower(email)`
  }
}
Table orders { // a comment
  id bigint [pk]
  customer_id integer [not null, ref: > C.id]
  status order_status [default: order_status.new]
  total decimal(10,2) [not null, default: 0.5]
  paid boolean [default: true]
  tags text[]
  parent_id bigint [ref: > orders.id]
}
Table products {
  code char(8) [pk]
  price numeric(8,2) [check: `price >= 0`]
}
Table order_products {
  order_id bigint [ref: > orders.id]
  product varchar [ref: > products.code]
  indexes { (order_id, product) [pk] } }
Table profiles {
  id int [pk]
  customer_id int [unique]
  bio text
}
Ref: profiles.customer_id - C.id [delete: cascade, update: cascade]
TableGroup g { orders }
"""


def test_a_schema_is_read_with_types_keys_references_and_notes() -> None:
    made = imported("dbml", SHOP)
    found = entities(made)
    assert (made.blueprint.project_name, made.blueprint.label) == ("my_shop", "My Shop")
    assert [entity.id for entity in found.values()] == ["customers", "orders", "products", "profiles"]
    customer = found["Customer"]
    assert customer.description == "People who buy"
    assert fields(customer) == {
        "email": "string(200) required unique",
        "full_name": "string",
        "created": "datetime index default=now",
    }
    assert customer.fields[1].label == "full name"
    assert [one.fields for one in customer.unique_constraints] == [["email", "full name"]]
    order = next(entity for entity in found.values() if entity.id == "orders")
    assert fields(order) == {
        "status": "enum default=new new|in work|done",
        "total": "decimal(10,2) required default=0.5",
        "paid": "boolean default=True",
        "tags": "json",
    }
    assert relations(order) == {
        "customer": "ManyToOne customers required restrict",
        "parent": "ManyToOne orders restrict",
        "products": f"ManyToMany products <- {order.relations[-1].inverse_name}",
    }
    assert order.relations[-1].join_table == "order_products"
    assert fields(found["Product"])["code"] == "string(8) required unique"
    assert fields(found["Product"])["price"] == "decimal(8,2) >=0"
    assert relations(found["Profile"]) == {"customer": "OneToOne customers cascade"}
    expected = {"join-table", "primary-key-kept", "statement-not-kept", "column-type", "on-update-not-kept"}
    assert expected | {"index-not-kept", "option-not-kept"} <= rules(made)


def test_partial_tables_are_put_in_where_they_are_named() -> None:
    text = """
    TablePartial stamps {
      created date
      name varchar(9)
    }
    Table a {
      id int [pk]
      ~stamps
      name varchar(20)
    }
    """
    assert fields(entities(imported("dbml", text))["A"]) == {"created": "date", "name": "string(20)"}


@pytest.mark.parametrize(
    ("reference", "holder", "shown"),
    [
        ("a.b_id > b.id", "A", {"b": "ManyToOne b restrict"}),
        ("b.id < a.b_id", "A", {"b": "ManyToOne b restrict"}),
        ("b.id - a.b_id", "A", {"b": "OneToOne b restrict"}),
        ("a.b_id - b.id", "A", {"b": "OneToOne b restrict"}),
        ("a.b_id > b.id [delete: set null]", "A", {"b": "ManyToOne b setNull"}),
        ("a.id <> b.id", "A", {"bs": "ManyToMany b <- as_value"}),
        ("a.(id, b_id) > b.(id, k)", "A", {"b_2": "ManyToOne b restrict"}),
        ("A.b_id > public.b.id", "A", {"b": "ManyToOne b restrict"}),
        ("a.b_id > c.id", "A", {}),
    ],
)
def test_references_of_every_kind(reference: str, holder: str, shown: dict[str, str]) -> None:
    tables = "Table a {; id int [pk]; b_id int; x int; } Table b {; id int [pk]; k int; }"
    made = imported("dbml", f"{tables} Ref: {reference}".replace(";", "\n"))
    assert relations(entities(made)[holder]) == shown


def test_names_that_are_no_identifiers_get_one_and_stay_as_labels() -> None:
    text = 'Table "订单" {; id int [pk]; "金额" int; class int; "model" int; "2nd" int; }'
    made = imported("dbml", text.replace(";", "\n"))
    (entity,) = made.blueprint.data_models
    assert (entity.label, entity.id) == ("订单", "订单")
    assert entity.name.isascii()
    assert [field.label for field in entity.fields if field.id == "金额"] == ["金额"]
    assert "adapted" in rules(made)


def test_two_schemas_with_one_name_of_table() -> None:
    text = "Table a.users {; id int [pk]; x int; } Table b.users {; id int [pk]; y int [ref: > a.users.id]; }"
    made = imported("dbml", text.replace(";", "\n"))
    assert [(entity.name, entity.id) for entity in made.blueprint.data_models] == [
        ("User", "users"),
        ("BUser", "b.users"),
    ]
    assert relations(entities(made)["BUser"]) == {"y": "ManyToOne users restrict"}


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("Table a {\n  id int [pk\n", 3, 1),
        ("Table a {\n  name 'x\n}", 2, 8),
        ("Table a {\n  b `x", 2, 5),
        ("/* never", 1, 1),
        ("Table a {\n  b\n}", 2, 3),
        ("Table a { b int }\nTable a { b int }", 2, 1),
        ("Table a { b int\nb int }", 2, 1),
        ("Tabel a { b int }", 1, 1),
        ("Table a { b int }\nRef: a.b >> c.d", 2, 11),
        ("Table a { b int [default: }", 1, 28),
        ("Table a { ~p\n b int }", 1, 12),
        ("Enum e { a a }", 1, 1),
        ("Table a { b int [" + "(" * 10_000, 1, 10_019),
        ("'''", 1, 1),
        ("Enum e { a }\nuse { table users } from './users.dbml'", 2, 1),
    ],
)
def test_what_cannot_be_read_is_named_with_line_and_column(text: str, line: int, column: int) -> None:
    with pytest.raises(ImportFailed) as caught:
        import_text(SourceFormat.DBML, text)
    assert caught.value.line == line, str(caught.value)
    assert abs(caught.value.column - column) <= 2 or column > 10_000, str(caught.value)


@pytest.mark.parametrize("text", ["", "Enum e { a }", "Table a { b int }\n" * 2, "x" * 5_000_000])
def test_what_has_no_table_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(ImportFailed):
        import_text(SourceFormat.DBML, text)
    many = "".join(f"Table t{number} {{ a int }}\n" for number in range(501))
    with pytest.raises(ImportFailed, match="501 tables"):
        import_text(SourceFormat.DBML, many)

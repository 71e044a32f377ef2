"""Identifiers, plurals and proposals."""

import pytest

from gencode.blueprints.identifiers import camel, kebab, pascal, plural, proposed, snake


def test_forms() -> None:
    assert [form("HTTPServerID2") for form in (snake, kebab, pascal, camel)] == [
        "http_server_id2",
        "http-server-id2",
        "HttpServerId2",
        "httpServerId2",
    ]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("order", "orders"),
        ("category", "categories"),
        ("day", "days"),
        ("address", "addresses"),
        ("box", "boxes"),
        ("status", "statuses"),
        ("sales_person", "sales_people"),
        ("news", "news"),
        ("orders", "orders"),
        ("area51", "area51_list"),
    ],
)
def test_plurals(word: str, expected: str) -> None:
    assert plural(word) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Höhe (cm)", "hohe_cm"),
        ("订单", "ding_dan"),
        ("!!!", "item"),
        ("order", "order_item"),
        ("taken", "taken_2"),
        ("x" * 100, "x" * 40),
    ],
)
def test_proposals_are_free_identifiers(text: str, expected: str) -> None:
    assert proposed(text, taken={"taken"}, reserved={"order"}) == expected

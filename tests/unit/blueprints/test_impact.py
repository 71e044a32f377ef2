"""What a newer version breaks, in words."""

from __future__ import annotations

from typing import Any

from gencode.blueprints import Blueprint
from gencode.blueprints.comparison import broken


def shop(**changes: Any) -> Blueprint:
    """An order with a total, shown on a page."""
    fields = [{"id": "t", "name": "total", "type": "integer"}, {"id": "n", "name": "note", "type": "text"}]
    table = {"id": "x", "name": "x", "type": "table", "dataBinding": {"entity": "o", "fields": ["t"]}}
    box = {"id": "y", "name": "y", "type": "container", "children": [table]}
    spec = {
        "dataModels": [{"id": "o", "name": "Order", "fields": fields}],
        "pages": [{"id": "p", "name": "Orders", "label": "订单", "path": "/orders", "components": [box]}],
        "apis": [{"id": "a", "name": "ship", "path": "/ship", "method": "POST"}],
    }
    return Blueprint.model_validate(spec | changes)


def words(new: Blueprint, language: str = "en") -> list[str]:
    return [one.text(language) for one in broken(shop(), new)]


def entity(*fields: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
    return [{"id": "o", "name": "Order", "fields": list(fields), **changes}]


TOTAL = {"id": "t", "name": "total", "type": "integer"}
NOTE = {"id": "n", "name": "note", "type": "text"}


def test_what_stays_breaks_nothing() -> None:
    more = entity(TOTAL | {"label": "合计"}, NOTE, {"id": "m", "name": "m", "type": "date"})
    assert words(shop(dataModels=more)) == []


def test_changed_fields_break_callers_and_the_pages_that_show_them() -> None:
    assert words(shop(dataModels=entity(TOTAL | {"name": "sum"}, NOTE))) == [
        "Order.total is called sum now",
        "page 订单 shows Order.total, which is removed or changed",
    ]
    assert words(shop(dataModels=entity(TOTAL))) == ["Order.note is not there any more"]
    assert words(shop(dataModels=entity(TOTAL | {"required": True}, NOTE)), "zh") == ["Order.total 现在必填"]


def test_routes_that_change_are_told() -> None:
    renamed = shop(dataModels=entity(TOTAL, NOTE, table="purchases"), apis=[])
    assert words(renamed) == [
        "/api/orders becomes /api/purchases",
        "POST /ship is not there any more",
        "page 订单 shows Order, which is removed or changed",
    ]
    assert words(shop(pages=[])) == ["/orders is not there any more"]

"""A blueprint with a business flow, for tests of builds."""

from __future__ import annotations

from typing import Any

STEPS = ("Load the order by order_id.", "Check that status is new", "Set status to shipped", "Return it")


def shop(*steps: str) -> dict[str, Any]:
    return {
        "projectName": "shop",
        "dataModels": [
            {"name": "Customer", "fields": [{"name": "email", "type": "string", "required": True}]},
            {
                "name": "Order",
                "fields": [
                    {"name": "total", "type": "decimal", "required": True},
                    {"name": "status", "type": "enum", "enumValues": [{"name": "new"}, {"name": "shipped"}]},
                ],
                "relations": [{"name": "customer", "type": "ManyToOne", "target": "Customer"}],
            },
        ],
        "apis": [
            {
                "name": "ship",
                "path": "/orders/{order_id}/ship",
                "method": "POST",
                "flow": "ship_order",
                "parameters": [{"name": "order_id", "in": "path", "type": "integer", "required": True}],
            }
        ],
        "businessFlows": [
            {"name": "ship_order", "entity": "Order", "steps": [{"text": text} for text in steps or STEPS]}
        ],
    }

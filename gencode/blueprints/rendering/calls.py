"""The operations of the back end beyond those of records, as its templates and those of pages see them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gencode.blueprints.identifiers import kebab, snake
from gencode.blueprints.index import BlueprintIndex
from gencode.blueprints.model import Api

Context = dict[str, Any]
_ADDRESSES = {
    "list": ("GET", "/{route}"),
    "get": ("GET", "/{route}/{{id}}"),
    "create": ("POST", "/{route}"),
    "update": ("PUT", "/{route}/{{id}}"),
    "delete": ("DELETE", "/{route}/{{id}}"),
}


def api_contexts(index: BlueprintIndex) -> list[Context]:
    """The apis, and `POST /flows/NAME` for each flow that no api runs."""
    apis = [_api(index, api) for api in index.blueprint.apis]
    run = {api["flow_id"] for api in apis}
    names = {api["name"] for api in apis}
    paths = {(api["method"], api["path"].lower()) for api in apis}
    for flow in index.blueprint.business_flows:
        if flow.id not in run:
            name = _free(f"run_{snake(flow.name)}", names)
            path = f"/flows/{kebab(flow.name)}"
            if ("POST", path) in paths:
                path = f"/flows/{kebab(name)}"
            names.add(name)
            apis.append(_default(flow.id, name, path, flow.shown_name, snake(flow.name)))
    return apis


def call_contexts(apis: list[Context], entities: Mapping[str, Context]) -> list[Context]:
    """What pages call: the apis, with those of records at the addresses that records have."""
    return [_call(api, entities) for api in apis]


def _free(name: str, taken: set[str]) -> str:
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name}_{number}", number + 1
    return candidate


def _default(flow_id: str, name: str, path: str, label: str, flow: str) -> Context:
    return {
        "id": "",
        "api_id": "",
        "flow_id": flow_id,
        "name": name,
        "label": label,
        "description": "",
        "path": path,
        "method": "POST",
        "parameters": [],
        "responses": {},
        "entity": "",
        "entity_id": "",
        "action": None,
        "flow": flow,
    }


def _api(index: BlueprintIndex, api: Api) -> Context:
    value = api.model_dump(mode="json", by_alias=False)
    flow = index.flows.get(api.flow or "")
    declared = {parameter.name for parameter in api.parameters}
    missing = [name for name in re.findall(r"\{([^}]*)\}", api.path) if name not in declared]
    value["parameters"] += [
        {"name": name, "location": "path", "type": "string", "required": True} for name in missing
    ]
    is_known = api.entity in index.entities
    return {
        **value,
        "api_id": api.id,
        "flow_id": api.flow or "",
        "name": snake(api.name),
        "label": api.shown_name,
        "entity": index.class_name(api.entity) if is_known and api.entity else "",
        "entity_id": api.entity if is_known else "",
        "flow": snake(flow.name) if flow else "",
    }


def _call(api: Context, entities: Mapping[str, Context]) -> Context:
    parameters = [
        {**one, "required": one["required"] or one["location"] == "path"} for one in api["parameters"]
    ]
    if api["flow"] or not api["entity_id"] or not api["action"]:
        return {**api, "parameters": parameters}
    method, path = _ADDRESSES[api["action"]]
    in_body = [one for one in parameters if one["location"] != "path"]
    identity = {"name": "id", "location": "path", "required": True}
    return {
        **api,
        "method": method,
        "path": path.format(route=entities[api["entity_id"]]["route"]),
        "parameters": [*([identity] if "id}" in path else []), *in_body],
    }

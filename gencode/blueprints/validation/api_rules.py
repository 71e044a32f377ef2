"""Apis and business flows: names, paths, and what they do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from pydantic import JsonValue

from gencode.blueprints.findings import Finding, Fix, Severity
from gencode.blueprints.identifiers import is_identifier, kebab, proposed, snake
from gencode.blueprints.index import BlueprintIndex
from gencode.blueprints.model import Api, BusinessFlow, Element
from gencode.blueprints.reserved_words import DEVICES, PYTHON
from gencode.blueprints.rules import Rule
from gencode.blueprints.validation.names import identifier_finding, reserved
from gencode.blueprints.validation.relation_rules import dangling

_PATH = re.compile(
    r"/(?:[A-Za-z0-9][A-Za-z0-9_.-]*|\{[a-z][a-z0-9_]*\})(?:/(?:[A-Za-z0-9][A-Za-z0-9_.-]*|\{[a-z][a-z0-9_]*\}))*\Z"
)
_NO_PARAMETER = PYTHON | {"session", "values"}
_PARAMETER = re.compile(r"\{([^}]*)\}")


def check(index: BlueprintIndex) -> Iterator[Finding]:
    blueprint = index.blueprint
    yield from _names("apis", blueprint.apis)
    yield from _names("businessFlows", blueprint.business_flows)
    paths: dict[tuple[str, str], str] = {}
    for api in blueprint.apis:
        yield from _path(f"apis/{api.id}", api, paths)
        yield from _purpose(index, f"apis/{api.id}", api)
    for flow in blueprint.business_flows:
        yield from _flow(index, f"businessFlows/{flow.id}", flow)


def _names(path: str, elements: Sequence[Element]) -> Iterator[Finding]:
    taken: dict[str, str] = {}
    for element in elements:
        where, key = f"{path}/{element.id}", snake(element.name)
        if not is_identifier(element.name) or not key[:1].isalpha():
            yield identifier_finding(where, element, partial(_proposal, taken=taken))
            continue
        if key in taken:
            yield Finding(
                element=where,
                rule=Rule.DUPLICATE_NAME,
                parameters={"name": element.name, "other": taken[key]},
                fix=_renamed(element.name, taken),
            )
        taken.setdefault(key, where)
        yield from reserved(
            where,
            key,
            {"Python": PYTHON, "Windows": DEVICES},
            Rule.RESERVED_WORD,
            partial(_renamed, element.name, taken),
        )


def _renamed(text: str, taken: dict[str, str]) -> Fix:
    return Fix(changes={"name": _proposal(text, taken)})


def _proposal(text: str, taken: dict[str, str]) -> str:
    return proposed(text, taken=taken, reserved=PYTHON | DEVICES, suffix="call")


def _path(path: str, api: Api, taken: dict[tuple[str, str], str]) -> Iterator[Finding]:
    if not _PATH.match(api.path):
        yield Finding(
            element=path,
            rule=Rule.PATH_FORM,
            parameters={"path": api.path or '""', "example": "{id}"},
            fix=Fix(changes={"path": f"/{kebab(api.name) or 'call'}"}),
        )
        return
    names = _PARAMETER.findall(api.path)
    yield from _parameters(path, api, names)
    for parameter in api.parameters:
        if parameter.location == "path" and parameter.name not in names:
            yield Finding(
                element=path,
                rule=Rule.PATH_PARAMETER,
                parameters={"name": parameter.name, "path": api.path},
                fix=_usable(api),
            )
    key = (api.method, _PARAMETER.sub("{}", api.path).lower())
    if key in taken:
        yield Finding(
            element=path,
            rule=Rule.DUPLICATE_PATH,
            parameters={"path": f"{api.method} {api.path}", "other": taken[key]},
            fix=Fix(changes={"path": _free_path(api, taken)}),
        )
    taken.setdefault(key, path)


def _parameters(path: str, api: Api, in_path: Sequence[str]) -> Iterator[Finding]:
    seen: set[str] = set()
    declared = [one.name for one in api.parameters]
    for name in (*declared, *(one for one in in_path if one not in declared)):
        key, problem = snake(name), ""
        if not is_identifier(name) or not key[:1].isalpha():
            problem = "it is not an identifier"
        elif key in _NO_PARAMETER:
            problem = "the generated code uses this word"
        elif key in seen or in_path.count(name) > 1:
            problem = "it is there twice"
        seen.add(key)
        if problem:
            yield Finding(
                element=path,
                rule=Rule.PARAMETER_NAME,
                parameters={"name": name, "problem": problem},
                fix=_usable(api),
            )


def _free_path(api: Api, taken: Mapping[tuple[str, str], str]) -> str:
    """The path, or one after the name of the api, with a number where that is taken, too."""
    base = f"{api.path.rstrip('/')}/{kebab(api.name) or 'call'}"[:480]
    candidate, number = base, 2
    while (api.method, _PARAMETER.sub("{}", candidate).lower()) in taken:
        candidate, number = f"{base}-{number}", number + 1
    return candidate


def _usable(api: Api) -> Fix:
    """Parameters with names that the generated code can have, in the path and in the list: a parameter of the
    path that the path does not name is one of the query; of two with one name, the first is kept."""
    new: dict[str, str] = {}
    in_path = _PARAMETER.findall(api.path)
    taken: dict[str, str] = {}
    for name in (*in_path, *(one.name for one in api.parameters)):
        if name not in new:
            new[name] = proposed(name, taken=taken, reserved=_NO_PARAMETER, suffix="value")
            taken[new[name]] = name
    met: set[str] = set()

    def in_braces(match: re.Match[str]) -> str:
        name = new[match[1]]
        while name in met:
            name = f"{name}_2"
        met.add(name)
        return f"{{{name}}}"

    path = _PARAMETER.sub(in_braces, api.path)
    parameters: dict[str, JsonValue] = {}
    for one in api.parameters:
        said = one.model_dump(mode="json", by_alias=True) | {"name": new[one.name]}
        if one.location == "path" and one.name not in in_path:
            said["in"] = "query"
        parameters.setdefault(new[one.name], said)
    return Fix(changes={"path": path, "parameters": list(parameters.values())})


def _purpose(index: BlueprintIndex, path: str, api: Api) -> Iterator[Finding]:
    if api.entity is not None and api.entity not in index.entities:
        yield dangling(path, "entity", api.entity, Fix(remove=True))
    if api.flow is not None and api.flow not in index.flows:
        yield dangling(path, "flow", api.flow, Fix(changes={"flow": None}))
    if (api.flow is None) == (api.entity is None or api.action is None):
        yield Finding(element=path, rule=Rule.API_PURPOSE, severity=Severity.WARNING)


def _flow(index: BlueprintIndex, path: str, flow: BusinessFlow) -> Iterator[Finding]:
    if flow.entity is not None and flow.entity not in index.entities:
        yield dangling(path, "entity", flow.entity, Fix(changes={"entity": None}))
    if not flow.steps and not flow.description:
        yield Finding(
            element=path, rule=Rule.NO_STEPS, severity=Severity.WARNING, parameters={"name": flow.name}
        )

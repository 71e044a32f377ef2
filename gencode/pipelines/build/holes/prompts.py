"""The prompts. Blueprint and files are data: they stand between marks, after all instructions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gencode.blueprints import Blueprint, BlueprintIndex, BusinessFlow
from gencode.blueprints.identifiers import snake
from gencode.llm.port import Message
from gencode.pipelines.build.holes.checks import BUILTINS, LIBRARY
from gencode.pipelines.build.holes.filling import Hole

PURPOSE = "build_hole"
FILE_CHARACTERS = 16_000
FLOW = "flow/"
SYSTEM = f"""\
Task: {PURPOSE}
You are a senior Python engineer. A generated FastAPI application has one function that is not written: a
business flow. Write the body of this function, and nothing else: statements without indentation, no `def`
line, no explanation, no code fence.
Rules:
- Do exactly what the steps say. `session` is an open SQLAlchemy session; `parameters` has what the call was
  given, by name, unchecked.
- Commit with `session.commit()` where something was changed. Return a dict of JSON values.
- Raise `NotFound()` for a record that does not exist, `HTTPException(status_code, detail)` for what the
  caller did wrong. `find(session, Model, id)` of app.api.records returns a record or raises NotFound.
- It must pass mypy and ruff: no unused name, no attribute of what may be None.
- Import inside the body, only by `from ... import ...`: classes from app.models and app.schemas, and
  {"; ".join(f"{module}: {', '.join(sorted(names))}" for module, names in sorted(LIBRARY.items()))}.
- Builtins that may be used: {", ".join(sorted(name for name in BUILTINS if name.islower()))}.
- No other module, no SQL text, no names with two underscores, no text of several lines.
- If the steps do not say enough to write it, answer with one line: # not written: REASON
"""


def messages_of(hole: Hole, blueprint: Blueprint, files: Mapping[str, str]) -> tuple[Message, ...]:
    """() for a hole that no prompt is known for."""
    index = BlueprintIndex(blueprint)
    flow = next((one for one in blueprint.business_flows if FLOW + snake(one.name) == hole.name), None)
    if flow is None:
        return ()
    parts = [
        f"Request: {json.dumps(_request(index, flow), ensure_ascii=False)}",
        *(_shown(path, files[path]) for path in _paths(index, flow, hole, files)),
        f"Write the body of the function run in {hole.path} now.",
    ]
    return (Message(role="system", content=SYSTEM), Message(role="user", content="\n\n".join(parts)))


def repair_messages(told: Sequence[Message], answer: str, faults: Sequence[str]) -> tuple[Message, ...]:
    listed = "\n".join(f"- {fault}" for fault in faults)
    request = f"The body has these faults:\n{listed}\nWrite the whole body again without them."
    return (*told, Message(role="assistant", content=answer), Message(role="user", content=request))


def digest_of(messages: Sequence[Message]) -> str:
    """Of all that shapes the answer, but the model."""
    text = json.dumps([[one.role, one.content] for one in messages], ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _request(index: BlueprintIndex, flow: BusinessFlow) -> Mapping[str, Any]:
    entity = index.entities.get(flow.entity or "")
    return {
        "flow": snake(flow.name),
        "title": flow.shown_name,
        "description": flow.description,
        "steps": [step.text for step in flow.steps],
        "model": index.class_name(entity.id) if entity else None,
        "fields": [_field(field) for field in entity.fields] if entity else [],
        "calls": [_call(api) for api in index.blueprint.apis if api.flow == flow.id],
    }


def _field(field: Any) -> Mapping[str, Any]:
    values = [value.name for value in field.enum_values]
    return {"name": snake(field.name), "type": field.type.value, **({"values": values} if values else {})}


def _call(api: Any) -> Mapping[str, Any]:
    parameters = [
        {"name": one.name, "in": one.location, "type": one.type.value, "required": one.required}
        for one in api.parameters
    ]
    return {"method": api.method.value, "path": api.path, "parameters": parameters}


def _paths(index: BlueprintIndex, flow: BusinessFlow, hole: Hole, files: Mapping[str, str]) -> Iterator[str]:
    """The file of the hole, the helper modules, model and schema of the entity, models that it refers to.
    What else is in the project does not matter to the hole."""
    root = hole.path.partition("/app/")[0]
    names = ["api/records.py", "errors.py"]
    if flow.entity in index.entities:
        near = [flow.entity, *(link.target for link in index.links_from.get(flow.entity, ()))]
        near += [link.source for link in index.links_to.get(flow.entity, ())]
        modules = dict.fromkeys(snake(index.entities[one].name) for one in near)
        names += [f"models/{module}.py" for module in modules]
        names += [f"schemas/{snake(index.entities[flow.entity].name)}.py"]
    else:
        names += ["models/__init__.py"]
    for path in (hole.path, *(f"{root}/app/{name}" for name in names)):
        if path in files:
            yield path


def _shown(path: str, text: str) -> str:
    cut = text if len(text) <= FILE_CHARACTERS else text[:FILE_CHARACTERS] + "\n# (cut)"
    return f'<file path="{path}">\n{cut}\n</file>'

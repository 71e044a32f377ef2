"""What may stand in a hole, and how it gets there."""

from __future__ import annotations

import ast
from collections.abc import Mapping

import pytest

from gencode.blueprints import Blueprint
from gencode.embedded.offline.openai_protocol import ChatMessage
from gencode.embedded.offline.rule_answers import rule_answer
from gencode.pipelines.build.artifacts import RenderedProject
from gencode.pipelines.build.holes.answers import Declined, Unusable, body_of
from gencode.pipelines.build.holes.checks import faults_of
from gencode.pipelines.build.holes.filling import Hole, filled, hole_in
from gencode.pipelines.build.holes.project_names import project_names
from gencode.pipelines.build.holes.prompts import digest_of, messages_of
from gencode.pipelines.build.rendering import render
from tests.unit.pipelines.build.shop import shop

POSTGRESQL = {"backend": "fastapi", "database": "postgresql"}
GOOD = """\
from app.api.records import find
from app.models import Order
from fastapi import HTTPException

order = find(session, Order, parameters["order_id"])
if order.status == "shipped":
    raise HTTPException(409, "it is shipped already")
order.status = "shipped"
session.commit()
return {"id": order.id}
"""


@pytest.fixture(scope="module")
def project() -> RenderedProject:
    return render(shop(), POSTGRESQL)


def faults(project: RenderedProject, body: str) -> str:
    (hole,) = project.holes
    return "; ".join(faults_of(body, hole, project_names(project.files, hole)))


def test_a_body_stands_between_the_marks(project: RenderedProject) -> None:
    (hole,) = project.holes
    assert faults(project, GOOD) == ""
    files = filled(project.files, project.holes, {hole.name: GOOD})
    text = files[hole.path]
    ast.parse(text)
    assert "    # hole: flow/ship_order\n    from app.api.records import find\n" in text
    assert text.endswith('    return {"id": order.id}\n    # end of hole\n')
    assert "FlowNotWritten" not in text
    again = filled(files, project.holes, {hole.name: "return {}"})
    assert again[hole.path].endswith("    # hole: flow/ship_order\n    return {}\n    # end of hole\n")
    others = {path: text for path, text in project.files.items() if path != hole.path}
    assert {path: text for path, text in files.items() if path != hole.path} == others


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        ("return {}", "return {}"),
        ("```python\nreturn {}\n```", "return {}"),
        (
            "    if parameters:\n        return {}\n    return {'a': 1}\n",
            "if parameters:\n    return {}\nreturn {'a': 1}",
        ),
        (
            'from json import dumps\n\ndef run(session, parameters):\n    """It runs."""\n'
            '    return {"a": dumps(1)}\n',
            'from json import dumps\nreturn {"a": dumps(1)}',
        ),
        ("def other():\n    return 1\nreturn {}", "def other():\n    return 1\nreturn {}"),
    ],
)
def test_a_body_is_found_in_an_answer(answer: str, body: str) -> None:
    assert body_of(answer) == body


def test_a_model_may_decline() -> None:
    with pytest.raises(Declined, match="which order"):
        body_of("# not written: which order?\n")
    with pytest.raises(Declined, match="no reason"):
        body_of("# Not written:")
    for answer in ("", "  \n", "x = 1\n" * 20_000):
        with pytest.raises(Unusable):
            body_of(answer)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("import os\nreturn {}", "Import is not allowed"),
        ("from os import system\nreturn {'a': system('id')}", "not os"),
        ("from .x import y\nreturn {'a': y}", "import from app.models"),
        ("from json import codecs\nreturn {'a': codecs}", "json has, or may be used for, dumps, loads only"),
        ("from app.models import Base\nreturn {'a': Base}", "app.models has"),
        ("from app.database import get_engine\nreturn {'a': get_engine()}", "not app.database"),
        ("from sqlalchemy import text\nreturn {'a': text('x')}", "sqlalchemy has"),
        ("return {'a': eval('1')}", "eval is not known here"),
        ("return {'a': open('/etc/passwd').read()}", "open is not known here"),
        ("return {'a': ().__class__}", "the attribute __class__"),
        ("return {'a': '{0.__class__}'.format(session)}", "texts with names"),
        ("return {'a': session.connection()}", "of session, only"),
        ("s = session\nreturn {'a': s.get_bind()}", "the attribute get_bind"),
        ("from sqlalchemy import func\nreturn {'a': func.pg_read_file('x')}", "of func, only"),
        ("from app.models import Order\nreturn {'a': Order.price}", "of Order, only"),
        ("order = 1\nreturn {}", "order is never used"),
        ("return {'a': order.id}", "order is not known here"),
        ("yield 1\nreturn {}", "Yield is not allowed"),
        ("pass", "it returns nothing"),
        ("return {}\n# end of hole\nreturn {}", "the marks"),
        ("return {", "cannot be parsed"),
        ("return {}\nx = '''\n  a\n'''\nreturn {'x': x}", "cannot be parsed"),
        ("return " + "-" * 9000 + "1", "cannot be parsed"),
        ("return {}\n\x00", "cannot be parsed"),
    ],
)
def test_what_may_not_stand_in_a_hole_is_a_fault(project: RenderedProject, body: str, fault: str) -> None:
    assert fault in faults(project, body)


def test_the_prompt_has_what_the_hole_depends_on_and_nothing_else() -> None:
    def digest(spec: Mapping[str, object]) -> str:
        blueprint, rendered = Blueprint.model_validate(spec), render(spec, POSTGRESQL)
        (hole,) = rendered.holes
        return digest_of(messages_of(hole, blueprint, rendered.files))

    spec = shop()
    same = digest(spec)
    other_model = {"name": "Invoice", "fields": [{"name": "n", "type": "integer"}]}
    assert digest({**spec, "dataModels": [*spec["dataModels"], other_model]}) == same
    assert digest(shop("Do something else")) != same
    order = {
        **spec["dataModels"][1],
        "fields": [*spec["dataModels"][1]["fields"], {"name": "n", "type": "date"}],
    }
    assert digest({**spec, "dataModels": [spec["dataModels"][0], order]}) != same


def offline(*steps: str) -> str:
    spec = shop(*steps)
    rendered = render(spec, POSTGRESQL)
    (hole,) = rendered.holes
    told = messages_of(hole, Blueprint.model_validate(spec), rendered.files)
    answer = rule_answer([ChatMessage(role=one.role, content=str(one.content)) for one in told])
    assert answer is not None
    return answer


def test_the_offline_model_writes_steps_that_it_knows(project: RenderedProject) -> None:
    body = body_of(offline())
    assert 'record = find(session, Order, parameters["order_id"])' in body
    assert 'if record.status != "new":\n    raise HTTPException(409, "status must be new")' in body
    assert 'record.status = "shipped"' in body
    assert faults(project, body) == ""


@pytest.mark.parametrize(
    "steps",
    [("Load the order", "Email the customer"), ("Set status to shipped",), ("Load it", "Set status to lost")],
)
def test_the_offline_model_guesses_nothing(steps: tuple[str, ...]) -> None:
    with pytest.raises(Declined, match="none for"):
        body_of(offline(*steps))


def test_a_hole_of_another_file_is_found_by_its_marks() -> None:
    hole = Hole(name="flow/ship", path="a.py", indent="", body="")
    other, end = "    # hole: flow/other\n    # end of hole\n", "    # end of hole\n"
    text = f"def run():\n{other}    # hole: flow/ship\n    x\n{end}"
    assert hole_in(text, hole) == Hole(name="flow/ship", path="a.py", indent="    ", body="    x\n")
    assert hole_in("# hole: flow/ship\n", hole) is None
    assert hole_in("# end of hole\n# hole: flow/shipped\n# end of hole\n", hole) is None

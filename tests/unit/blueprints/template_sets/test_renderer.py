"""Sets of others are rendered in a child, as those of the distribution, within limits; errors have places."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest

from gencode.blueprints import Severity, validate
from gencode.blueprints.rendering import Stack, render_project, template_context
from gencode.blueprints.template_sets import (
    SetContent,
    TemplateFinding,
    TemplateRenderer,
    official_content,
    official_sets,
    read_content,
)
from gencode.blueprints.template_sets.proof_corpus import proof_corpus
from gencode.blueprints.template_sets.set_rendering import SetRendering
from gencode.blueprints.types import FieldType, RelationType

SMALL = template_context(proof_corpus()["small"], Stack())


@pytest.fixture
async def renderer() -> AsyncIterator[TemplateRenderer]:
    async with TemplateRenderer() as renderer:
        yield renderer


def a_set(sources: Mapping[str, str], paths: Sequence[str] = ()) -> SetContent:
    """Each source makes a file of its name, or of a path."""
    names = list(sources)
    files = [{"path": path, "template": name} for path, name in zip(paths or names, names, strict=True)]
    return read_content({"name": "x", "version": "1.0.0", "files": files}, sources)


async def findings(renderer: TemplateRenderer, content: SetContent) -> Sequence[TemplateFinding]:
    (rendered,) = await renderer.render(content, [SMALL])
    return rendered.findings


def test_the_corpus_is_valid_and_has_every_type_and_relation() -> None:
    for name, blueprint in proof_corpus().items():
        assert [one for one in validate(blueprint) if one.severity is Severity.ERROR] == [], name
    entities = [one for blueprint in proof_corpus().values() for one in blueprint.data_models]
    assert {field.type for one in entities for field in one.fields} == set(FieldType)
    assert {relation.type for one in entities for relation in one.relations} == set(RelationType)


@pytest.mark.campaign
async def test_a_set_of_the_distribution_is_rendered_alike_in_the_child(renderer: TemplateRenderer) -> None:
    shop = proof_corpus()["shop"]
    whole: dict[str, str] = {}
    for name in Stack().template_sets:
        (rendered,) = await renderer.render(official_content(name), [template_context(shop, Stack())])
        assert not rendered.findings
        whole |= rendered.files
    assert whole == render_project(shop, Stack()).files
    assert set(Stack().template_sets) <= set(official_sets())


ERRORS: Mapping[str, tuple[str, int, str]] = {
    "x\n{% for %}": ("a", 2, "Expected an expression"),
    "1\n2\n[[ project.zzz ]]": ("a", 3, "has no attribute 'zzz'"),
    "\n[[ ''.__class__.__mro__ ]]": ("a", 2, "unsafe"),
    "\n[[ project.update({'a': 1}) ]]": ("a", 2, "unsafe"),
    "{% include 'b' %}": ("a", 1, "TemplateNotFound"),
    "\n\n{% macro m() %}\n[[ 1 / 0 ]]{% endmacro %}[[ m() ]]": ("a", 4, "division by zero"),
    "[[ [1, 2] | random ]]": ("a", 1, "No filter named 'random'"),
    "[[ lipsum() ]]": ("a", 1, "'lipsum' is undefined"),
    "{% macro m() %}[[ m() ]]{% endmacro %}[[ m() ]]": ("a", 1, "recursion"),
}


@pytest.mark.parametrize("source", ERRORS)
def test_an_error_names_its_file_and_line(source: str) -> None:
    steps: list[int] = []
    rendering = SetRendering({"a": source}, [("a", "a", "project")], 10, 10_000, steps.append)
    (name, line, message), *others = rendering.project(SMALL)["errors"]
    assert ((name, line), others, steps) == (ERRORS[source][:2], [], [0])
    assert ERRORS[source][2] in message


def test_every_file_with_an_error_is_named() -> None:
    files = [("a", "a", "project"), ("b", "b", "project"), ("[[ nope ]]", "b", "project")]
    rendering = SetRendering({"a": "[[ x ]]", "b": "fine"}, files, 10, 10_000, lambda step: None)
    project = rendering.project(SMALL)
    assert project["files"] == [("b", "fine")]
    assert [error[:2] for error in project["errors"]] == [("a", 1), ("manifest.json", 0)]


PATHS = {
    "../x": "relative",
    "/x": "relative",
    ".git/config": "Git",
    ".github/workflows/a.yml": "workflow",
    "a\\b": "may stand in a name",
    "con": "Windows",
    "\u202ea": "invisible",
}


@pytest.mark.campaign
async def test_paths_are_checked_as_those_of_models(renderer: TemplateRenderer) -> None:
    content = a_set({f"t{n}": "x" for n in range(len(PATHS))}, list(PATHS))
    found = await findings(renderer, content)
    assert len(found) == len(PATHS)
    for finding, words in zip(found, PATHS.values(), strict=True):
        assert words in finding.message
        assert finding.file.isprintable()
    clash = a_set({"a": "x", "b": "x", "c": "x"}, ["src/a", "src/a", "src"])
    assert [one.file for one in await findings(renderer, clash)] == ["src/a", "src"]
    assert [one.message for one in await findings(renderer, a_set({"a": "\n"}))] == ["the set makes no file"]


LIMITS = {
    "[[ 'a' * 3000000000 ]]": ("a", "memory"),
    "[[ '%01000000000d' | format(1) ]]": ("a", "memory"),
    "{% for x in range(99999) %}[[ 'a' * 1000 ]]{% endfor %}": ("manifest.json", "too much text"),
    "{% set n = namespace(x=[1]) %}{% for a in range(60) %}{% set n.x = n.x * 2 %}{% endfor %}": (
        "a",
        "memory",
    ),
}


@pytest.mark.campaign
@pytest.mark.parametrize("source", LIMITS)
async def test_what_has_no_end_is_ended(renderer: TemplateRenderer, source: str) -> None:
    (found,) = await findings(renderer, a_set({"good": "x", "a": source}))
    file, words = LIMITS[source]
    assert found.file == file
    assert words in found.message


@pytest.mark.campaign
async def test_a_template_that_runs_on_is_ended_by_its_processor_time(renderer: TemplateRenderer) -> None:
    loop = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    (found,) = await findings(renderer, a_set({"a": loop}))
    assert (found.file, found.message) == ("a", "it takes too much processor time")


def test_output_and_files_are_limited() -> None:
    arguments: dict[str, Any] = {"sources": {"a": "12345"}, "files": [("a", "a", "project")]}
    for limits in ({"max_files": 0, "max_characters": 9}, {"max_files": 9, "max_characters": 4}):
        rendering = SetRendering(**arguments, **limits, progress=lambda step: None)
        with pytest.raises(Exception, match=r"too much text|more than 0 files"):
            rendering.project(SMALL)

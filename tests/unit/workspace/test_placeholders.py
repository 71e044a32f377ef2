from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gencode.domain.errors import Invalid
from gencode.workspace.prompt_templates.placeholders import MAX_RENDERED, render, variables_of


def test_placeholders_are_found_once_in_order() -> None:
    assert variables_of("{{ b }} {{a}} {{ b }} {{ 1x }} { c } {{d e}} {{\n f }}") == ["b", "a"]


@pytest.mark.parametrize("value", ["", "{{ b }}", "{% raw %}", "\\1", "\\g<1>", "你好", "{{ a }}"])
def test_a_value_is_text_whatever_it_contains(value: str) -> None:
    assert render("<{{ a }}|{{a}}>", {"a": value}) == f"<{value}|{value}>"


def test_other_syntax_of_templates_is_text() -> None:
    content = "{% for x in range(9**9) %}{{ x.__class__ }}{# a #}${y} {z}"
    assert render(content, {}) == content


@pytest.mark.parametrize("values", [{}, {"a": "1"}, {"a": "1", "b": "2", "c": "3"}])
def test_values_and_placeholders_must_agree(values: dict[str, str]) -> None:
    with pytest.raises(Invalid, match="variables"):
        render("{{ a }}{{ b }}", values)


def test_the_result_is_bounded_before_it_is_made() -> None:
    with pytest.raises(Invalid, match="would exceed"):
        render("{{ a }}" * 100, {"a": "x" * (MAX_RENDERED // 100 + 1)})


@given(st.text(alphabet="{} ab_1\n"), st.text())
def test_rendering_replaces_placeholders_and_nothing_else(content: str, value: str) -> None:
    names = variables_of(content)
    rendered = render(content, dict.fromkeys(names, value))
    if not names:
        assert rendered == content
    else:
        assert value in rendered

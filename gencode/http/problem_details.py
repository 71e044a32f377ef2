"""The `detail` of a problem, and the messages of its broken rules, in Chinese.

An error's message is English: a plain string, or a Phrase of a template and parameters. The catalogue has a
Chinese template for each. What a parameter carries of another program, such as a Git host's own words, stays
in its language inside the translated sentence. A message without a template stays English.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from gencode.domain.errors import GencodeError, Invalid
from gencode.domain.phrase import Phrase

_LISTED = 5
"""Broken rules that the detail names; all are in `errors`."""


@cache
def catalogue() -> Mapping[str, str]:
    """Chinese templates by English ones, and, of broken rules, by the type of pydantic's error. A Chinese
    template has the parameters of the English one, or some of them. It is read when first asked for."""
    text = files(__package__).joinpath("problem_details.zh.json").read_text(encoding="utf-8")
    groups: Mapping[str, Mapping[str, str]] = json.loads(text)
    return {**groups["messages"], **groups["rules"]}


def chinese(text: str) -> str:
    """The text in Chinese; as it is if the catalogue does not have it."""
    if not isinstance(text, Phrase):
        return catalogue().get(text, text)
    template = catalogue().get(text.template)
    if template is None:
        return text
    if not text.parameters:
        return template
    return template.format(**{name: _parameter(value) for name, value in text.parameters.items()})


def _parameter(value: object) -> object:
    """Only a Phrase is translated: what a user has named may be any word."""
    return chinese(value) if isinstance(value, Phrase) else value


def chinese_detail(error: GencodeError) -> str:
    """The message of an error; of one that only lists broken rules, the first ones."""
    told = chinese(error.message)
    if told == error.message and isinstance(error, Invalid) and error.problems:
        listed = error.problems[:_LISTED]
        return "；".join(f"{one['field']}：{chinese(one['message'])}" for one in listed)
    return told

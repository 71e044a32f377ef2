"""The language of an application: of the words that its blueprint does not say, such as "Save"."""

from __future__ import annotations

import re
from typing import Literal

from gencode.blueprints.model import Blueprint

_CHINESE = re.compile(r"[\u3400-\u9fff]")


def language_of(blueprint: Blueprint) -> Literal["en", "zh"]:
    """Chinese if a label of what people see is Chinese."""
    labels = [blueprint.label, *(page.label for page in blueprint.pages)]
    for entity in blueprint.data_models:
        labels += [entity.label, *(field.label for field in entity.fields)]
    return "zh" if any(map(_CHINESE.search, labels)) else "en"

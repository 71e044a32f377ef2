"""From what a task's plan and files are made: tasks of one recipe may have one answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from gencode.codegen.prompts import FILE, PLAN
from gencode.pipelines.generate.artifacts import GenerateInput


def settings_digest(*shaping: object) -> str:
    """Of everything but the prompt: `shaping` and our own words to the model. 16 characters."""
    return _digest([PLAN, FILE, *map(str, shaping)])[:16]


def cache_key(settings: str, input: GenerateInput, model: str) -> str:
    """A digest of all that shapes the plan and the files; `settings` as of `settings_digest`. Recipes that
    differ in the prompt alone begin alike (see `kin`)."""
    return f"{kin(settings, model)}:{_digest([input.prompt])}"


def kin(settings: str, model: str) -> str:
    return _digest([settings, model])[:32]


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()

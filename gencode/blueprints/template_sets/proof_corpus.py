"""The blueprints that a template set is proven with: a shop, names and texts that break careless templates,
every type and relation, and one that has hardly anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from gencode.blueprints.model import Blueprint


@lru_cache(maxsize=1)
def proof_corpus() -> Mapping[str, Blueprint]:
    """Valid blueprints by name."""
    folder = files("gencode.blueprints.template_sets") / "corpus"
    entries = sorted(folder.iterdir(), key=lambda one: one.name)
    return {
        entry.name.removesuffix(".json"): Blueprint.model_validate(json.loads(entry.read_text("utf-8")))
        for entry in entries
        if entry.name.endswith(".json")
    }

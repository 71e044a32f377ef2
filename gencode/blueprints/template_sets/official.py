"""The template sets of the distribution."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from gencode.blueprints.template_sets.content import MANIFEST, SetContent
from gencode.blueprints.template_sets.manifest import Manifest


@lru_cache(maxsize=1)
def official_sets() -> Sequence[str]:
    """Their names."""
    return sorted(entry.name for entry in _folder().iterdir() if (entry / MANIFEST).is_file())


@lru_cache(maxsize=8)
def official_content(name: str) -> SetContent:
    """A set by its name. Raises FileNotFoundError."""
    folder = _folder() / name
    manifest = Manifest.model_validate(json.loads((folder / MANIFEST).read_text("utf-8")))
    return SetContent(manifest=manifest, sources=dict(_sources(folder, "")))


def _folder() -> Traversable:
    return files("gencode.blueprints") / "templates"


def _sources(folder: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            yield from _sources(entry, f"{prefix}{entry.name}/")
        elif f"{prefix}{entry.name}" != MANIFEST:
            yield f"{prefix}{entry.name}", entry.read_text("utf-8")

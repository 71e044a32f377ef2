"""The content of a template set, checked: a manifest and its files, all of them text within limits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from gencode.blueprints.template_sets.manifest import Manifest
from gencode.domain.errors import UnsafePath
from gencode.domain.path_rules import check_path

MANIFEST = "manifest.json"
MAX_FILES = 600
MAX_FILE_BYTES = 2**20
MAX_BYTES = 4 * 2**20
"""Of all files of a set."""


class ContentError(ValueError):
    """field    such as `manifest.files.3.template`, or the name of a file
    message  what is wrong with it"""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True, kw_only=True)
class SetContent:
    """`sources`: texts by name, templates and the files that are copied."""

    manifest: Manifest
    sources: Mapping[str, str]

    @cached_property
    def document(self) -> dict[str, Any]:
        """As JSON: what `read_content` takes."""
        manifest = self.manifest.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return {"manifest": manifest, "files": dict(sorted(self.sources.items()))}

    @property
    def sha256(self) -> str:
        return hashlib.sha256(json.dumps(self.document, sort_keys=True).encode()).hexdigest()

    @property
    def bytes(self) -> int:
        return sum(len(text.encode()) for text in self.sources.values())


def read_content(manifest: Any, sources: Mapping[str, str]) -> SetContent:
    """Raises ContentError."""
    try:
        found = Manifest.model_validate(manifest)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in ("manifest", *first["loc"]))
        raise ContentError(where, first["msg"]) from None
    content = SetContent(manifest=found, sources=sources)
    for field, message in _faults(content):
        raise ContentError(field, message)
    return content


def _faults(content: SetContent) -> Iterator[tuple[str, str]]:
    sources = content.sources
    if len(sources) > MAX_FILES:
        yield "files", f"there are more than {MAX_FILES} files"
    for name, text in sources.items():
        yield from ((name[:200], fault) for fault in _source_faults(name, text))
    if content.bytes > MAX_BYTES:
        yield "files", f"they are larger than {MAX_BYTES // 2**20} MB together"
    if not content.manifest.files and not content.manifest.copies:
        yield "manifest.files", "the set makes no file"
    for index, file in enumerate(content.manifest.files):
        if file.template not in sources:
            yield f"manifest.files.{index}.template", f"there is no file {file.template!r}"
    for index, copy in enumerate(content.manifest.copies):
        if copy.source not in sources:
            yield f"manifest.copies.{index}.source", f"there is no file {copy.source!r}"


def _source_faults(name: str, text: str) -> Iterator[str]:
    try:
        check_path(name, workflows=True)
        data = text.encode()
    except UnsafePath as error:
        yield error.message
        return
    except UnicodeEncodeError:
        yield "it has half of a surrogate pair"
        return
    if name == MANIFEST:
        yield "the manifest is no file of the set"
    if len(data) > MAX_FILE_BYTES:
        yield f"it is larger than {MAX_FILE_BYTES // 1024} KB"
    if "\0" in text:
        yield "it has a NUL: only texts can be templates"

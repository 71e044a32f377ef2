"""Wrappers around a whole file other than code fences: tags, as in our own prompts, and JSON."""

from __future__ import annotations

import json
import re

from gencode.codegen.code_blocks import is_prose
from gencode.codegen.code_fences import is_markdown, split_lines
from gencode.codegen.fence_languages import is_json_like, is_markup
from gencode.resilience.json_value_count import has_more_values

_TAGS = (
    r"file|answer|content|code|current|output|result|response|source|document|file_contents?|create_file|write_file"
    r"|write_to_file|boltAction|antArtifact|artifact|FILE"
)
_OPENING = re.compile(
    rf"\s*+(?:[^<\n]{{1,200}}[:：.。!！][^\S\n]*+\n\s*+)?<(?P<name>{_TAGS})(?P<attributes>(?:\s+[\w-]+=\"[^\"<>\n]*\")*)\s*>"
)
_MAX_VALUES = 100
"""Most values in the JSON around a file; there are seldom more than three."""
MAX_REMARKS = 2000
"""Most characters before a tag."""
_CONTENT_KEYS = ("content", "code", "file_content", "text")
_OTHER_KEYS = frozenset({"path", "file", "filename", "file_path", "name", "language", "explanation"})


def unwrapped(text: str, path: str) -> tuple[str, bool]:
    """The text without a tag or JSON around it, and whether the wrapper is closed."""
    decoded = _decoded(text, path)
    return (decoded, True) if decoded is not None else _without_tag(text, path)


def _without_tag(text: str, path: str) -> tuple[str, bool]:
    opening = _own_tag(text, path) or _OPENING.match(text)
    if not opening or not _can_be_wrapper(opening, path):
        return text, True
    body = text[opening.end() :]
    body = body[1:] if body.startswith("\n") else body.removeprefix("\r\n")
    closing = f"</{opening['name']}>"
    end = body.rfind(closing)
    if end < 0:
        return body, False
    rest = body[end + len(closing) :]
    return body[:end], len(rest.strip()) < 400 and "<" not in rest


def _own_tag(text: str, path: str) -> re.Match[str] | None:
    """The tag of our prompts with the file's own path, after remarks."""
    tag = re.compile(rf'^<(?P<name>file)(?P<attributes> path="{re.escape(path)}")\s*>', re.MULTILINE)
    opening = tag.search(text, 0, MAX_REMARKS + len(path))
    return opening if opening and is_prose(split_lines(text[: opening.start()]), path) else None


def _can_be_wrapper(opening: re.Match[str], path: str) -> bool:
    """Markup may itself begin with such a tag, but not with one that has the file's own path."""
    names_path = f'"{path}"' in opening["attributes"]
    if is_markup(path):
        return names_path
    return names_path or not is_markdown(path) or opening["name"] in ("file", "answer", "current")


def _decoded(text: str, path: str) -> str | None:
    """The file in a JSON string with escaped line ends, or in an object with its content."""
    bare = text.strip()
    if not (bare.startswith(('"', "{")) and bare.endswith(('"', "}"))):
        return None
    if has_more_values(bare.encode("utf-8", "replace"), _MAX_VALUES):
        return None
    try:
        value = json.loads(bare)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, str):
        return value if "\n" in value and "\n" not in bare and not is_json_like(path) else None
    return _content(value, path) if isinstance(value, dict) else None


def _content(value: dict[str, object], path: str) -> str | None:
    texts = [value[key] for key in _CONTENT_KEYS if isinstance(value.get(key), str)]
    named = value.get("path", value.get("file_path", None if is_json_like(path) else path))
    if len(texts) != 1 or named != path or not value.keys() <= {*_CONTENT_KEYS, *_OTHER_KEYS}:
        return None
    return str(texts[0])

"""Checks that JSON, YAML, TOML and XML files parse. No objects are built from their content."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any
from xml.parsers import expat

import yaml

from gencode.codegen.validation.file_analysis import FileAnalysis, unparsable
from gencode.codegen.validation.languages import has_template_syntax
from gencode.codegen.validation.parse_limits import LimitExceeded, ParseError, check_depth

# Possessive, and a missing end matches too: each character is read once, whatever the text.
_STRING = r'("(?:[^"\\\n]|\\.)*+"?)'
_JSON_EXTRAS = re.compile(_STRING + r"|//[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/)?")
_TRAILING_COMMA = re.compile(_STRING + r"|,(?=\s*+[\]}])")
MAX_KEY_PARTS = 64
_KEY_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+"""
_LONG_KEY = re.compile(rf"(?<![\w-])(?:{_KEY_PART}){{{MAX_KEY_PARTS}}}")
_TOML_LINE = re.compile(r"at line (\d+)")


def analyze_data(path: str, text: str, language: str) -> FileAnalysis:
    try:
        _PARSERS[language](text)
    except ParseError as error:
        # Helm, Ansible, Jinja, Symfony: the text becomes data only after a template engine has rendered it.
        is_template = language in ("yaml", "xml") and has_template_syntax(text)
        if is_template and not isinstance(error, LimitExceeded):
            return FileAnalysis()
        return unparsable(path, error.line, error.reason)
    except (RecursionError, MemoryError):
        return unparsable(path, 0, "it is nested too deeply")
    return FileAnalysis()


def strip_json_comments(text: str) -> str:
    """JSON with comments and trailing commas as plain JSON with the same line numbers."""
    bare = _JSON_EXTRAS.sub(lambda found: found[1] or "\n" * found[0].count("\n"), text)
    return _TRAILING_COMMA.sub(lambda found: found[1] or "", bare)


def _json(text: str) -> None:
    def refuse(constant: str) -> None:
        raise ParseError(line=0, reason=f"{constant} is not JSON")

    try:
        # int=str: Python refuses numbers of more than 4,300 digits, JSON does not.
        json.loads(text.removeprefix("\ufeff"), parse_int=str, parse_constant=refuse)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and _is_json_lines(text):
            return
        raise ParseError(line=error.lineno, reason=error.msg) from None


def _is_json_lines(text: str) -> bool:
    """Parses one JSON value per line, as in logs and data sets."""
    try:
        return all(
            json.loads(line, parse_int=str) is not Ellipsis for line in text.splitlines() if line.strip()
        )
    except ValueError:
        return False


def _jsonc(text: str) -> None:
    _json(strip_json_comments(text))


def _yaml(text: str) -> None:
    """Parses YAML to events only: tags (CloudFormation's !Ref) are not resolved, aliases are not followed."""
    check_depth(text)
    try:
        for _ in yaml.parse(text.encode("utf-8", "replace"), Loader=yaml.CSafeLoader):
            pass
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ParseError(line=line, reason=error.problem or "not YAML") from None
    except yaml.YAMLError as error:
        raise ParseError(line=0, reason=str(error).partition("\n")[0]) from None


def _toml(text: str) -> None:
    parse_toml(text)


def parse_toml(text: str) -> dict[str, Any]:
    """Raises ParseError, also for text that would take tomllib a time that grows by the square of its length,
    and for a number that Python does not convert."""
    if found := _LONG_KEY.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise LimitExceeded(line, f"a key has more than {MAX_KEY_PARTS} parts")
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except ValueError as error:  # TOMLDecodeError, or a number of more than 4,300 digits
        found = _TOML_LINE.search(str(error))
        raise ParseError(line=int(found[1]) if found else 0, reason=str(error).partition(";")[0]) from None


def _xml(text: str) -> None:
    """expat without handlers neither fetches nor stores entities, and bounds their amplification."""
    try:
        expat.ParserCreate(encoding="utf-8").Parse(text.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        raise ParseError(line=error.lineno, reason=expat.errors.messages[error.code]) from None


_PARSERS: Mapping[str, Callable[[str], None]] = {
    "json": _json,
    "jsonc": _jsonc,
    "toml": _toml,
    "xml": _xml,
    "yaml": _yaml,
}
FORMATS = frozenset(_PARSERS)

"""Files that hold data: JSON, YAML, TOML, XML. Only whether they parse; nothing is built from them."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from xml.parsers import expat

import yaml

from gencode.codegen.validation.file_facts import Reading, unreadable
from gencode.codegen.validation.grammar import GaveUp, check_depth
from gencode.codegen.validation.language import has_template_syntax

LONGEST = 2**20  # characters; these parsers are quick, but hold the interpreter's lock all the while

# Possessive, and an end that is missing matches too: each character is looked at once, whatever the text.
_STRING = r'("(?:[^"\\\n]|\\.)*+"?)'
_JSON_EXTRAS = re.compile(_STRING + r"|//[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/)?")
_TRAILING_COMMA = re.compile(_STRING + r"|,(?=\s*+[\]}])")
_TOML_LINE = re.compile(r"at line (\d+)")


class _Fault(Exception):
    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


def read_data(path: str, text: str, language: str) -> Reading:
    if len(text) > LONGEST:
        return Reading()
    try:
        _PARSERS[language](text)
    except GaveUp as error:
        return unreadable(path, error.line, error.message)
    except _Fault as fault:
        # Helm, Ansible, Jinja, Symfony: the text becomes data only after an engine has read it.
        if language in ("yaml", "xml") and has_template_syntax(text):
            return Reading()
        return unreadable(path, fault.line, fault.reason)
    except (RecursionError, MemoryError):
        return unreadable(path, 0, "it is nested too deeply")
    return Reading()


def without_comments(text: str) -> str:
    """JSON with comments and trailing commas as plain JSON of the same lines."""
    bare = _JSON_EXTRAS.sub(lambda found: found[1] or "\n" * found[0].count("\n"), text)
    return _TRAILING_COMMA.sub(lambda found: found[1] or "", bare)


def _json(text: str) -> None:
    def refuse(constant: str) -> None:
        raise _Fault(line=0, reason=f"{constant} is not JSON")

    try:
        # int=str: Python refuses numbers of more than 4,300 digits, JSON does not.
        json.loads(text.removeprefix("\ufeff"), parse_int=str, parse_constant=refuse)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and _is_json_lines(text):
            return
        raise _Fault(line=error.lineno, reason=error.msg) from None


def _is_json_lines(text: str) -> bool:
    """One value per line: logs and data sets."""
    try:
        return all(
            json.loads(line, parse_int=str) is not Ellipsis for line in text.splitlines() if line.strip()
        )
    except ValueError:
        return False


def _jsonc(text: str) -> None:
    _json(without_comments(text))


def _yaml(text: str) -> None:
    """Events only: tags are not looked up (CloudFormation's !Ref), aliases are not followed."""
    check_depth(text)  # libyaml needs a minute for 100,000 open brackets
    try:
        for _ in yaml.parse(text.encode("utf-8", "replace"), Loader=yaml.CSafeLoader):
            pass
    except yaml.MarkedYAMLError as error:
        row = error.problem_mark.line + 1 if error.problem_mark else 0
        raise _Fault(line=row, reason=error.problem or "not YAML") from None
    except yaml.YAMLError as error:
        raise _Fault(line=0, reason=str(error).partition("\n")[0]) from None


def _toml(text: str) -> None:
    try:
        tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        found = _TOML_LINE.search(str(error))
        raise _Fault(line=int(found[1]) if found else 0, reason=str(error)) from None


def _xml(text: str) -> None:
    """expat without handlers: entities are neither fetched nor kept, and it bounds their amplification."""
    try:
        expat.ParserCreate(encoding="utf-8").Parse(text.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        raise _Fault(line=error.lineno, reason=expat.errors.messages[error.code]) from None


_PARSERS: Mapping[str, Callable[[str], None]] = {
    "json": _json,
    "jsonc": _jsonc,
    "toml": _toml,
    "xml": _xml,
    "yaml": _yaml,
}

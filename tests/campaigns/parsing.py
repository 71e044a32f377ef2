"""Parses the files of a rendered project, each by a parser of its form that is not the product's."""

from __future__ import annotations

import ast
import configparser
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from importlib import import_module
from pathlib import PurePosixPath
from typing import Any

import yaml
from tree_sitter import Language, Node, Parser

_BLOCK = re.compile(r"^<(script|template|style)\b[^>]*>\n(.*?)^</\1>\n", re.M | re.S)
_UNPARSED = frozenset({".md", ".lock", ".example", ".conf", ".mako", ".j2", ""})
"""Prose, lock files that are copied, and forms without a parser; "" is a Dockerfile or an ignore file."""


@lru_cache(maxsize=4096)
def fault_of_file(path: str, text: str) -> str:
    """ "" if the file parses. Raises KeyError for a form that is not known."""
    suffix = PurePosixPath(path).suffix
    if suffix in _UNPARSED:
        return ""
    try:
        return _PARSERS[suffix](text) or ""
    except (ValueError, SyntaxError, yaml.YAMLError, configparser.Error) as error:
        return f"{type(error).__name__}: {error}"[:500]


def fault_of_sql(text: str, dialect: str) -> str:
    """`dialect`: as sqlglot names it."""
    sqlglot: Any = import_module("sqlglot")
    try:
        found = sqlglot.parse(text, dialect=dialect)
    except sqlglot.errors.SqlglotError as error:
        return str(error)[:500]
    commands = [one.sql() for one in found if isinstance(one, sqlglot.exp.Command)]
    return f"not understood: {commands[0][:200]}" if commands else ""


def _vue(text: str) -> str:
    """A script in TypeScript, a template in HTML, and nothing else but a style."""
    rest = _BLOCK.sub("", text).strip()
    if rest:
        return f"beside the blocks: {rest[:100]!r}"
    blocks: dict[str, str] = {match[1]: match[2] for match in _BLOCK.finditer(text)}
    return _typescript(blocks.get("script", "")) or _markup(blocks.get("template", ""))


def _typescript(text: str) -> str:
    return _by_tree_sitter("typescript", "language_typescript", text)


def _markup(text: str) -> str:
    return _by_tree_sitter("html", "language", text)


def _css(text: str) -> str:
    return _by_tree_sitter("css", "language", text)


def _by_tree_sitter(package: str, language: str, text: str) -> str:
    data = text.encode()
    root = _parser(package, language).parse(data).root_node
    if not root.has_error:
        return ""
    wrong = _first_error(root)
    return f"line {wrong.start_point.row + 1}: {data[wrong.start_byte : wrong.start_byte + 80]!r}"


@cache
def _parser(package: str, language: str) -> Parser:
    module: Any = import_module(f"tree_sitter_{package}")
    return Parser(Language(getattr(module, language)()))


def _first_error(node: Node) -> Node:
    for child in node.children:
        if child.is_error or child.is_missing:
            return child
        if child.has_error:
            return _first_error(child)
    return node


def _python(text: str) -> None:
    compile(text, "file", "exec", ast.PyCF_ONLY_AST)


def _ini(text: str) -> None:
    configparser.ConfigParser(interpolation=None).read_string(text)


_PARSERS: Mapping[str, Callable[[str], Any]] = {
    ".py": _python,
    ".json": lambda text: None if json.loads(text) is not None else "nothing",
    ".toml": lambda text: "" if tomllib.loads(text) else "nothing",
    ".yaml": lambda text: "" if isinstance(yaml.load(text, yaml.CSafeLoader), dict) else "no mapping",
    ".yml": lambda text: "" if isinstance(yaml.load(text, yaml.CSafeLoader), dict) else "no mapping",
    ".ini": _ini,
    ".ts": _typescript,
    ".vue": _vue,
    ".html": _markup,
    ".css": _css,
}

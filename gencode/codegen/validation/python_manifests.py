"""Reads the packages that a Python project declares, from all kinds of manifests."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator, Mapping
from typing import Any

from gencode.codegen.validation.data_formats import parse_toml
from gencode.codegen.validation.parse_limits import ParseError
from gencode.codegen.validation.project import DeclaredPackages
from gencode.codegen.validation.python_packages import canonical_name

MANIFESTS = frozenset(
    {"pyproject.toml", "requirements.txt", "setup.py", "setup.cfg", "Pipfile", "environment.yml"}
)
_REQUIREMENTS = re.compile(
    r"(?:^|/)(?:[\w.-]*requirements?[\w.-]*|constraints)\.(?:txt|in|pip)$|(?:^|/)requirements/[\w.-]+\.(?:txt|in)$"
)
_NAME = re.compile(r"\s*([A-Za-z0-9][\w.-]*)")
_URL_NAME = re.compile(r"[#&]egg=([\w.-]+)|/([\w.-]+?)(?:\.git)?(?:@[\w./-]+)?(?:#[^\s#]*)?$")
_INSTALL_COMMAND = re.compile(
    r"\b(?:pip3?|uv|pipx|poetry|pdm|conda|mamba)[ \t]+(?:pip[ \t]+)?(?:install|add)\b([^\n|&;`]*)"
)
_QUOTED = re.compile(r"""["']([A-Za-z0-9][\w.-]*)(?:\[[\w, -]*\])?[ \t]*(?:[<>=!~;@][^"'\n]*)?["']""")
_SCRIPT_METADATA = re.compile(r"^# dependencies = \[([^\]]{0,10000})\]", re.MULTILINE)
_CONDA_DEPENDENCY = re.compile(r"^[ \t]*-[ \t]+(?:[\w-]+::)?([A-Za-z0-9][\w.-]*)", re.MULTILINE)
_MANY_BLANKS = re.compile(r"[^\S\n]{200}")
_TOOL_TABLES = ("dependencies", "dev-dependencies", "requires", "optional-dependencies", "group")
_WITH_COMMANDS = (
    *(".md", ".rst", ".txt", ".sh", ".yml", ".yaml", ".ini", ".toml"),
    *("Dockerfile", "Makefile", "justfile"),
)
"""Ends of the names of files that may hold install commands."""


def declared_python_packages(files: Mapping[str, str]) -> DeclaredPackages:
    """The union over all manifests: the parts of a project are often installed together."""
    names: set[str] = set()
    is_complete = True
    for path, text in files.items():
        found = _names_in(path, text)
        if found is None:
            is_complete = False
        else:
            names.update(map(canonical_name, found))
    return DeclaredPackages(names=frozenset(names - {""}), is_complete=is_complete)


def is_manifest(path: str) -> bool:
    return path.rpartition("/")[2] in MANIFESTS or _REQUIREMENTS.search(path) is not None


def _names_in(path: str, text: str) -> list[str] | None:
    """The packages of one manifest; None if it computes its list or does not parse."""
    name = path.rpartition("/")[2]
    if name in ("pyproject.toml", "Pipfile"):
        return _names_in_toml(text)
    if name == "setup.py":
        return [found[1] for found in _QUOTED.finditer(text)] if "read" not in text else None
    if name == "setup.cfg":
        return _names_in_setup_cfg(text)
    if name in ("environment.yml", "environment.yaml"):
        return _CONDA_DEPENDENCY.findall(text)
    if _REQUIREMENTS.search(path):
        return list(_names_in_requirements(text))
    found = _install_arguments(text) if name.endswith(_WITH_COMMANDS) else []
    if name.endswith(".py") and "# /// script" in text:
        found += [quoted[1] for block in _SCRIPT_METADATA.findall(text) for quoted in _QUOTED.finditer(block)]
    return found


def _names_in_requirements(text: str) -> Iterator[str]:
    for line in text.splitlines():
        line = line.strip().removeprefix("-e ").removeprefix("--editable ").strip()
        if "://" in line.partition("#")[0] and "@ " not in line:
            found = _URL_NAME.search(line)
            yield (found[1] or found[2]) if found else ""
        elif line and not line.startswith(("#", "-", ".", "/")) and (match := _NAME.match(line)):
            yield match[1]


def _names_in_setup_cfg(text: str) -> list[str] | None:
    if _MANY_BLANKS.search(text):
        return None  # the parser's own patterns take quadratic time for them
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    lines = [parser.get("options", "install_requires", fallback="")]
    for section in ("options.extras_require", "options"):
        if parser.has_section(section):
            lines += [
                value for key, value in parser.items(section) if "require" in key or "extras" in section
            ]
    return [name for block in lines for name in _names_in_requirements(block)]


def _install_arguments(text: str) -> list[str]:
    """The arguments of `pip install` and similar commands, in instructions and scripts."""
    return [
        match[1]
        for words in _INSTALL_COMMAND.findall(text)
        for word in words.split()
        if (match := _NAME.match(word.strip("\"'"))) and not word.startswith("-")
    ]


def _names_in_toml(text: str) -> list[str] | None:
    try:
        tables = parse_toml(text)
    except (ParseError, RecursionError):
        return None
    project = tables.get("project", {})
    if not isinstance(project, dict) or "dependencies" in (project.get("dynamic") or ()):
        return None
    found = [
        *_names(project.get("dependencies")),
        *_names(project.get("optional-dependencies")),
    ]
    found += _names(tables.get("dependency-groups"))
    found += _names(tables.get("packages")) + _names(tables.get("dev-packages"))  # Pipfile
    found += _names(tables.get("build-system", {}).get("requires"))
    for tool in tables.get("tool", {}).values():
        found += _names_in_tool(tool)
    return found


def _names_in_tool(tool: Any) -> list[str]:
    """The packages in nested tables such as `dependencies` of Poetry, PDM, uv and Hatch."""
    found: list[str] = []
    stack = [(tool, 0)]
    while stack:
        table, depth = stack.pop()
        for key, value in table.items() if isinstance(table, dict) else ():
            if key in _TOOL_TABLES or "dependencies" in key:
                found += _names(value)
            if depth < 4:
                stack.append((value, depth + 1))
    return found


def _names(value: Any) -> list[str]:
    """The packages in a list of requirements, a table of names, or a table of such lists and tables."""
    if isinstance(value, list):
        return [match[1] for item in value if isinstance(item, str) and (match := _NAME.match(item))]
    if isinstance(value, dict):
        inner = [name for item in value.values() if isinstance(item, list) for name in _names(item)]
        return [*value, *inner]
    return []

"""Compares the language of a code fence with that of a file's path."""

from __future__ import annotations

import re

from gencode.codegen.code_fences import is_markdown

_FAMILIES = (
    "python py python3 py3 pyi",
    "javascript js jsx mjs cjs typescript ts tsx mts cts node ecmascript",
    "go golang",
    "rust rs",
    "java",
    "kotlin kt kts",
    "swift",
    "c h cpp c++ cc cxx hpp hh",
    "csharp cs c#",
    "php",
    "ruby rb",
    "html htm xml svg xhtml vue svelte",
    "css scss sass less",
    "json jsonc json5 ipynb webmanifest",
    "yaml yml",
    "toml",
    "sql psql postgresql mysql sqlite",
    "dockerfile docker containerfile",
    "makefile make mk",
    "ini cfg conf properties",
    "dotenv env",
    "lua",
    "dart",
    "scala",
    "protobuf proto",
    "hcl tf terraform",
)
_FAMILY = {name: number for number, names in enumerate(_FAMILIES) for name in names.split()}
_COMMANDS = (
    *("bash", "sh", "shell", "console", "zsh", "fish", "terminal", "shell-session", "shellsession"),
    *("powershell", "ps1", "pwsh", "cmd", "bat", "batch"),
)
_ATTRIBUTES = re.compile(
    r"\s*(?:[\w-]+=(?:\"[^\"]*\"|\S+)|\{[^}]*\}|[\w./:-]*[\w/-]|\([^)]*\))(?:\s+[\w-]+=\S+)*\s*"
)
"""What may follow the language: attributes, or the name of a file."""
_LIKE_COMMANDS = tuple(_FAMILY[name] for name in ("dockerfile", "makefile", "env"))
"""Families whose files models put into a block of commands."""
_OUTPUT = ("output", "diff", "patch", "mermaid", "log", "http", "tree")
_SHELL_SUFFIXES = (".sh", ".bash", ".zsh", ".fish", ".ps1", ".bat", ".cmd")
_BY_NAME = {"dockerfile": "dockerfile", "containerfile": "dockerfile", "makefile": "makefile"}
_MARKUP = (".html", ".htm", ".xml", ".svg", ".xhtml", ".vue", ".svelte", ".xsd", ".xsl", ".csproj", ".jsp")
_JSON_LIKE = (".json", ".jsonc", ".json5", ".ipynb", ".webmanifest", ".yaml", ".yml", ".jsonl", ".geojson")


def fit(info: str, path: str) -> int:
    """How well a fence's info string suits a file: 2 its language or name, 1 no other language, 0 another
    language or commands."""
    words = info.replace(":", " ").replace("{", " ").replace(".", " ", info.startswith("{")).split()
    name = path.rpartition("/")[2].lower()
    if name in info.lower():
        return 2
    if not words:
        return 2 if name.endswith(_SHELL_SUFFIXES) else 1
    language, own = words[0].lower(), _family_of(path)
    if language in _OUTPUT:
        return 0
    if language in _COMMANDS:
        return 2 if name.endswith(_SHELL_SUFFIXES) else int(own is None or own in _LIKE_COMMANDS)
    if own is not None and _FAMILY.get(language) == own:
        return 2
    return 0 if language in _FAMILY and own is not None else 1


def is_code(info: str, path: str) -> bool:
    """Whether an info string goes on with code after the language: the line end between them is missing."""
    language, _, rest = info.partition(" ")
    if not rest or not language.isalnum() or path.rpartition("/")[2].lower() in rest:
        return False
    return not _ATTRIBUTES.fullmatch(rest)


def _family_of(path: str) -> int | None:
    name = path.rpartition("/")[2].lower()
    stem, dot, suffix = name.rpartition(".")
    if name.startswith(".env"):
        return _FAMILY["env"]
    known = _BY_NAME.get(name) or _BY_NAME.get(stem) or (suffix if dot else "")
    return _FAMILY.get(known)


def can_hold_fences(path: str) -> bool:
    """Whether a fence may begin a line of the file itself, outside of strings and comments."""
    return _family_of(path) is None or is_markup(path) or is_markdown(path)


def is_markup(path: str) -> bool:
    return path.lower().endswith(_MARKUP)


def is_json_like(path: str) -> bool:
    """Whether the file itself may be JSON; of an unknown kind it may be anything."""
    name = path.rpartition("/")[2].lower()
    is_unknown = _family_of(path) is None and not is_markdown(path)
    return name.endswith(_JSON_LIKE) or name.startswith(".") or is_unknown


def is_patch_path(path: str) -> bool:
    return path.lower().endswith((".diff", ".patch"))

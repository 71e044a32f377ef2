"""What JavaScript projects declare: packages, and their own names for folders."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from posixpath import dirname
from typing import Any

from gencode.codegen.validation.data_files import without_comments
from gencode.codegen.validation.manifest import Declared
from gencode.codegen.validation.project import join

MANIFESTS = frozenset({"package.json"})
_LISTS = (
    "dependencies",
    "devDependencies",
    "peerDependencies",
    "optionalDependencies",
    "bundledDependencies",
)
_DENO = frozenset({"deno.json", "deno.jsonc", "import_map.json", "jsr.json"})
_IMPORT_MAP = re.compile(r"<script[^<>]{0,200}importmap[^<>]{0,200}>([^<]*)<", re.IGNORECASE)
_CONFIG = re.compile(
    r"(?:^|/)(?:tsconfig[\w.-]*\.json|jsconfig\.json|package\.json|\.babelrc|components\.json"
    r"|(?:vite|vitest|webpack|rollup|jest|babel|next|nuxt|vue|svelte|astro|metro|craco|craco|config-overrides|umi)"
    r"[\w.-]*\.[cm]?[jt]s)$|(?:^|/)\.umirc\.[jt]s$|webpack"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Alias:
    """`prefix` (with a closing `*` taken off) stands for each of `targets`, paths inside the project."""

    prefix: str
    is_exact: bool
    targets: tuple[str, ...]


def npm_packages(files: Mapping[str, str]) -> Declared:
    """The union over all package.json files, their own names (workspaces), import maps of pages and Deno."""
    names: set[str] = set()
    is_open = False
    for path, text in files.items():
        name = path.rpartition("/")[2]
        if name == "package.json" or name in _DENO:
            table = _table(text)
            is_open = is_open or table is None
            names.update(_declared(table or {}))
        elif name.endswith((".html", ".htm")) and "importmap" in text:
            for found in _IMPORT_MAP.findall(text):
                names.update(_declared(_table(found) or {}))
    return Declared(packages=frozenset(names), open=is_open)


def aliases(files: Mapping[str, str]) -> tuple[Alias, ...]:
    """`compilerOptions.paths` and `baseUrl` of every tsconfig and jsconfig."""
    return tuple(
        alias
        for path, text in files.items()
        if re.search(r"(?:^|/)[tj]sconfig[\w.-]*\.json$", path)
        for alias in _paths(dirname(path), _table(without_comments(text)) or {})
    )


def configured_names(files: Mapping[str, str]) -> str:
    """The text of all files in which bundlers and test runners are given names of their own."""
    return "\n".join(text for path, text in files.items() if _CONFIG.search(path))


def _table(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _declared(table: dict[str, Any]) -> Iterator[str]:
    for key in _LISTS:
        yield from (name for name in table.get(key) or () if isinstance(name, str))
    yield from (name.rstrip("/") for name in table.get("imports") or () if isinstance(name, str))
    if isinstance(table.get("name"), str):
        yield table["name"]


def _paths(folder: str, table: dict[str, Any]) -> Iterator[Alias]:
    options = table.get("compilerOptions")
    if not isinstance(options, dict):
        return
    start = join(folder, str(options.get("baseUrl") or ""))
    paths = options.get("paths")
    for pattern, targets in paths.items() if isinstance(paths, dict) else ():
        places = tuple(join(start, str(target).removesuffix("*")) for target in targets or ())
        yield Alias(prefix=pattern.removesuffix("*"), is_exact=not pattern.endswith("*"), targets=places)
    if options.get("baseUrl"):
        yield Alias(prefix="", is_exact=False, targets=(start,))

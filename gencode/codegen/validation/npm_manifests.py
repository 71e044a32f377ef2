"""Manifests of JavaScript projects: packages in package.json and import maps, path aliases in tsconfig."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from posixpath import dirname
from typing import Any

from gencode.codegen.validation.data_formats import strip_json_comments
from gencode.codegen.validation.project import DeclaredPackages, join

MANIFESTS = frozenset({"package.json"})
_DEPENDENCY_FIELDS = (
    "dependencies",
    "devDependencies",
    "peerDependencies",
    "optionalDependencies",
    "bundledDependencies",
)
_DENO_MANIFESTS = frozenset({"deno.json", "deno.jsonc", "import_map.json", "jsr.json"})
_IMPORT_MAP_SCRIPT = re.compile(r"<script[^<>]{0,200}importmap[^<>]{0,200}>([^<]*)<", re.IGNORECASE)
_CONFIGURATION = re.compile(
    r"(?:^|/)(?:tsconfig[\w.-]*\.json|jsconfig\.json|package\.json|\.babelrc|components\.json"
    r"|(?:vite|vitest|webpack|rollup|jest|babel|next|nuxt|vue|svelte|astro|metro|craco|craco|config-overrides|umi)"
    r"[\w.-]*\.[cm]?[jt]s)$|(?:^|/)\.umirc\.[jt]s$|webpack"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PathAlias:
    """`prefix` (without a closing `*`) stands for each of `targets`, paths inside the project."""

    prefix: str
    is_exact: bool
    targets: tuple[str, ...]


def declared_npm_packages(files: Mapping[str, str]) -> DeclaredPackages:
    """The union over all package.json files, with their own names (workspaces), and import maps."""
    names: set[str] = set()
    is_complete = True
    for path, text in files.items():
        name = path.rpartition("/")[2]
        if name == "package.json" or name in _DENO_MANIFESTS:
            table = _parsed(text)
            is_complete = is_complete and table is not None
            names.update(_package_names(table or {}))
        elif name.endswith((".html", ".htm")) and "importmap" in text:
            for found in _IMPORT_MAP_SCRIPT.findall(text):
                names.update(_package_names(_parsed(found) or {}))
    return DeclaredPackages(names=frozenset(names), is_complete=is_complete)


def path_aliases(files: Mapping[str, str]) -> tuple[PathAlias, ...]:
    """The aliases from `compilerOptions.paths` and `baseUrl` of every tsconfig and jsconfig."""
    return tuple(
        alias
        for path, text in files.items()
        if re.search(r"(?:^|/)[tj]sconfig[\w.-]*\.json$", path)
        for alias in _aliases(dirname(path), _parsed(strip_json_comments(text)) or {})
    )


def bundler_configuration(files: Mapping[str, str]) -> str:
    """The text of all files in which bundlers and test runners are given aliases."""
    return "\n".join(text for path, text in files.items() if _CONFIGURATION.search(path))


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _package_names(table: dict[str, Any]) -> Iterator[str]:
    for key in _DEPENDENCY_FIELDS:
        yield from (name for name in table.get(key) or () if isinstance(name, str))
    yield from (name.rstrip("/") for name in table.get("imports") or () if isinstance(name, str))
    if isinstance(table.get("name"), str):
        yield table["name"]


def _aliases(directory: str, table: dict[str, Any]) -> Iterator[PathAlias]:
    options = table.get("compilerOptions")
    if not isinstance(options, dict):
        return
    base = join(directory, str(options.get("baseUrl") or ""))
    paths = options.get("paths")
    for pattern, targets in paths.items() if isinstance(paths, dict) else ():
        paths_inside = tuple(join(base, str(target).removesuffix("*")) for target in targets or ())
        is_exact = not pattern.endswith("*")
        yield PathAlias(prefix=pattern.removesuffix("*"), is_exact=is_exact, targets=paths_inside)
    if options.get("baseUrl"):
        yield PathAlias(prefix="", is_exact=False, targets=(base,))

"""Files of a folder that the importers read, and the different blueprints that become of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from gencode.blueprints import Blueprint
from gencode.blueprints.importing import ImportFailed, SourceFormat
from gencode.blueprints.importing.reading import import_text

FORMATS = {
    ".sql": SourceFormat.SQL,
    ".ddl": SourceFormat.SQL,
    ".dbml": SourceFormat.DBML,
    ".jdl": SourceFormat.JDL,
    ".jh": SourceFormat.JDL,
    ".yaml": SourceFormat.OPENAPI,
    ".yml": SourceFormat.OPENAPI,
}


def source_files(folder: Path) -> list[tuple[Path, SourceFormat]]:
    """In the order of their paths. JSON files are OpenAPI where they say so, and blueprints otherwise."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(path, source) for path in files if (source := _format(path)) is not None]


def _format(path: Path) -> SourceFormat | None:
    if path.suffix != ".json":
        return FORMATS.get(path.suffix)
    beginning = path.read_text("utf-8", "replace")[:2000]
    return SourceFormat.OPENAPI if '"openapi"' in beginning else SourceFormat.BLUEPRINT


def imported_blueprints(
    folder: Path, count: int | None = None, seed: int = 1
) -> Iterator[tuple[str, Blueprint]]:
    """Name and blueprint of `count` files that import, chosen by `seed`; of all in order without a count.

    Of files that become one and the same blueprint only the first is taken.
    """
    found = source_files(folder)
    if count is not None:
        random.Random(seed).shuffle(found)
    seen: set[str] = set()
    for path, source in found:
        if len(seen) == count:
            return
        try:
            blueprint = import_text(source, path.read_text("utf-8", "replace")).blueprint
        except ImportFailed:
            continue
        if (content := blueprint.model_dump_json(exclude={"name"})) not in seen:
            seen.add(content)
            yield path.relative_to(folder).as_posix(), blueprint

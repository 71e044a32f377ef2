"""What a body may name of its project: classes of models and schemas with their attributes."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gencode.pipelines.build.holes.filling import Hole

OF_EVERY_RECORD = frozenset({"id", "created_at", "updated_at"})


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectNames:
    """models   attributes by class
    exports  names that may be imported, by module
    """

    models: Mapping[str, frozenset[str]]
    exports: Mapping[str, frozenset[str]]


def project_names(files: Mapping[str, str], hole: Hole) -> ProjectNames:
    """Of the package that the hole's file is in. Parses our own rendering: call it in a thread."""
    root = hole.path.partition("/app/")[0]
    models, exports = dict[str, frozenset[str]](), dict[str, frozenset[str]]()
    for folder in ("models", "schemas"):
        every = set[str]()
        for module, text in _modules(files, f"{root}/app/{folder}/"):
            classes = dict(_classes(text))
            exports[f"app.{folder}.{module}"] = frozenset(classes)
            every |= set(classes)
            if folder == "models":
                models |= {name: attributes | OF_EVERY_RECORD for name, attributes in classes.items()}
        if folder == "models":
            exports[f"app.{folder}"] = frozenset(every)
    return ProjectNames(models=models, exports=exports)


def _modules(files: Mapping[str, str], folder: str) -> Iterator[tuple[str, str]]:
    for path, text in files.items():
        name = path.removeprefix(folder)
        if path.startswith(folder) and name.endswith(".py") and "/" not in name and name != "__init__.py":
            yield name.removesuffix(".py"), text


def _classes(text: str) -> Iterator[tuple[str, frozenset[str]]]:
    for one in ast.parse(text).body:
        if isinstance(one, ast.ClassDef):
            targets = (part.target for part in one.body if isinstance(part, ast.AnnAssign))
            yield one.name, frozenset(name.id for name in targets if isinstance(name, ast.Name))

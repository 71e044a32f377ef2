"""The steps that prove a project, in groups: what a group leaves is gone when the next one begins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gencode.blueprints.stack import Stack
from gencode.certification.installing import MYPY_CACHE
from gencode.certification.lock_files import Tool

ENVIRONMENT = "/environment"
"""In the sandbox, as all paths here."""
PYTHON = f"{ENVIRONMENT}/bin/python"
BACKEND, FRONTEND = "project/backend", "project/frontend"
_CACHE = "mypy-cache"
_MODELS = "backend/app/models/"
_NO_MODELS = ("__init__.py", "join_tables.py")
_VERSIONS = "backend/migrations/versions/"
_PYTEST = (PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short")
_ALEMBIC = (PYTHON, "-m", "alembic")
_RUFF = ("check", "--isolated", "--no-cache", "--select", "E9,F", "--ignore", "F401,F841", ".")
"""What is wrong, such as a name that is not there; not what is only of no use, such as an import."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """kind     see `programs.gencode_build_driver`
    options  further fields of the job
    """

    name: str
    command: Sequence[str]
    seconds: float
    kind: str = "command"
    folder: str = BACKEND
    options: Mapping[str, object] = field(default_factory=dict)

    @property
    def shown_command(self) -> str:
        """As a person would write it."""
        return " ".join("python" if word == PYTHON else word for word in self.command)


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """database: that the steps use, by its name in Stack, or ""."""

    steps: Sequence[Step]
    tool: Tool = Tool.PYTHON
    database: str = ""


def groups_of(files: Mapping[str, bytes], stack: Stack) -> Iterator[Group]:
    yield Group(
        steps=(
            _python("install", "pip", *_INSTALL, seconds=120),
            _python("compile", "compileall", "-q", "app", "migrations", "tests", seconds=120),
            _python("lint", "ruff", *_RUFF, seconds=120),
        )
    )
    yield Group(steps=(Step(name="types", command=_MYPY, seconds=300, options=_KNOWN_TO_MYPY),))
    yield Group(steps=(_tests("tests", on_database=False),))
    yield Group(steps=tuple(_database_steps(files)), database=stack.database.value)
    if stack.frontend != "none":
        yield Group(steps=_FRONTEND_STEPS, tool=Tool.NODE)


_INSTALL = (
    "install",
    "--dry-run",
    "--no-index",
    "--no-build-isolation",
    "--disable-pip-version-check",
    ".[test]",
)
_MYPY = (PYTHON, "-m", "mypy", "--cache-dir", f"../../{_CACHE}", "--show-error-codes", "app")
_KNOWN_TO_MYPY = {"copied": [f"{ENVIRONMENT}/{MYPY_CACHE}", _CACHE]}


def model_count(files: Mapping[str, bytes]) -> int:
    """How many tables of entities the project has at least."""
    names = (path.removeprefix(_MODELS) for path in files if path.startswith(_MODELS))
    return sum(name.endswith(".py") and "/" not in name and name not in _NO_MODELS for name in names)


def _database_steps(files: Mapping[str, bytes]) -> Iterator[Step]:
    yield _alembic("migrate_up", "upgrade", "head", kind="migrated")
    yield _alembic("migration_check", "check")
    yield Step(
        name="crud",
        command=(PYTHON, "-m", "uvicorn", "app.main:app", "--log-level", "warning"),
        seconds=300,
        kind="requests",
        options={"bodies": [PYTHON]},
    )
    if first := _first_of_several(files):
        yield _alembic("migrate_between", kind="rows", first=first)
    yield _alembic("migrate_down", "downgrade", "base", kind="emptied")
    yield _alembic("migrate_up_again", "upgrade", "head", kind="migrated")
    yield _tests("tests_on_database", on_database=True)


def _first_of_several(files: Mapping[str, bytes]) -> str:
    """The identifier of the first revision, "" if there is no other. Files are named by their number."""
    names = sorted(path.removeprefix(_VERSIONS) for path in files if path.startswith(_VERSIONS))
    revisions = [name for name in names if name.endswith(".py")]
    return revisions[0].partition("_")[0] if len(revisions) > 1 else ""


def _in_node(name: str, package: str, program: str, *arguments: str, **options: object) -> Step:
    """vite ends with 0 whatever the types are, so vue-tsc is asked, too."""
    command = ("node", f"node_modules/{package}/{program}", *arguments)
    kind = "makes" if options else "command"
    return Step(name=name, command=command, seconds=600, kind=kind, folder=FRONTEND, options=options)


def _python(name: str, *module: str, seconds: float) -> Step:
    return Step(name=name, command=(PYTHON, "-m", *module), seconds=seconds)


def _alembic(name: str, *arguments: str, kind: str = "command", **options: object) -> Step:
    return Step(name=name, command=(*_ALEMBIC, *arguments), seconds=120, kind=kind, options=options)


def _tests(name: str, *, on_database: bool) -> Step:
    options = {"on_database": on_database}
    return Step(name=name, command=_PYTEST, seconds=600, kind="pytest", options=options)


_FRONTEND_STEPS = (
    Step(name="frontend_install", command=("npm", "ls", "--all"), seconds=120, folder=FRONTEND),
    _in_node("frontend_types", "vue-tsc", "bin/vue-tsc.js", "--noEmit"),
    _in_node("frontend_build", "vite", "bin/vite.js", "build", makes="dist/index.html"),
    _in_node("frontend_tests", "vitest", "vitest.mjs", "run"),
)

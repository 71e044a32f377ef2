"""Whether statements that a model has written may stand in a hole.

They are part of a program that others run, so they may use little: named parts of the project, of SQLAlchemy
and of the standard library. What is not allowed is a fault, which names what is.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from gencode.pipelines.build.holes.filling import Hole, indented
from gencode.pipelines.build.holes.project_names import ProjectNames

MAX_FAULTS = 20
LIBRARY: Mapping[str, frozenset[str]] = {
    module: frozenset(names.split())
    for module, names in {
        "app.errors": "NotFound FlowNotWritten missing_reference",
        "app.api.records": "find referenced collected",
        "collections": "Counter defaultdict deque",
        "datetime": "UTC date datetime time timedelta timezone",
        "decimal": "Decimal InvalidOperation ROUND_DOWN ROUND_HALF_EVEN ROUND_HALF_UP ROUND_UP",
        "fastapi": "HTTPException",
        "functools": "partial reduce",
        "itertools": "accumulate chain groupby islice pairwise zip_longest",
        "json": "dumps loads",
        "math": "ceil floor isclose isfinite prod sqrt",
        "re": "findall fullmatch match search sub",
        "secrets": "choice token_hex token_urlsafe",
        "sqlalchemy": "Select and_ asc case cast delete desc exists false func insert not_ null or_ select"
        " true update",
        "sqlalchemy.exc": "IntegrityError NoResultFound",
        "sqlalchemy.orm": "Session aliased joinedload selectinload",
        "statistics": "mean median",
        "typing": "Any cast",
        "uuid": "UUID uuid4",
    }.items()
}
"""What may be imported besides models and schemas of the project, by module."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BUILTINS = _words(
    """ArithmeticError Exception False IndexError KeyError LookupError None NotImplemented OverflowError
    RuntimeError StopIteration True TypeError ValueError ZeroDivisionError abs all any bool bytes dict divmod
    enumerate filter float frozenset int isinstance iter len list map max min next range repr reversed round
    set slice sorted str sum tuple zip"""
)
DATABASE_FUNCTIONS = _words(
    """abs avg coalesce concat count current_date current_timestamp date extract length lower ltrim max min
    mod now nullif replace round rtrim substr sum trim upper"""
)
NO_ATTRIBUTES = _words(
    """bind connection cr_frame exec_driver_sql f_back f_globals f_locals format_map get_bind gi_frame
    raw_connection tb_frame"""
)
"""They lead out of the session, or of the function; a field of a model may have such a name."""
OF_SESSION = _words(
    """add add_all begin_nested commit delete execute flush get get_one merge refresh rollback scalar
    scalars"""
)
PARAMETERS = frozenset({"session", "parameters", "Any", "Session"})
_NOT_HERE = (
    *(ast.AsyncFor, ast.AsyncFunctionDef, ast.AsyncWith, ast.Await, ast.ClassDef, ast.Global, ast.Import),
    *(ast.Nonlocal, ast.Yield, ast.YieldFrom),
)
_DUNDER = re.compile(r"__\w+__")


def faults_of(body: str, hole: Hole, names: ProjectNames) -> list[str]:
    """[] if it may stand there; else what is wrong, for the model and for users."""
    if "# hole:" in body or "# end of hole" in body:
        return ["the marks of the hole are not part of the body"]
    try:
        statements = _parsed(body, hole.indent)
    except SyntaxError as error:
        return [f"line {max(1, (error.lineno or 2) - 1)} cannot be parsed: {error.msg}"]
    except (ValueError, RecursionError, MemoryError):
        return ["it cannot be parsed"]
    return list(dict.fromkeys(_faults(statements, names)))[:MAX_FAULTS]


def _parsed(body: str, indent: str) -> list[ast.stmt]:
    """As it stands in the file. Raises ValueError where the indentation changes what it means."""
    (function,) = ast.parse(f"def run(session, parameters):\n{indented(body, indent or '    ')}").body
    if not isinstance(function, ast.FunctionDef):
        raise ValueError("no function")
    (plain,) = ast.parse(f"def run(session, parameters):\n{indented(body, ' ')}").body
    if ast.dump(function) != ast.dump(plain):
        raise ValueError("a text of several lines")
    return function.body


def _faults(statements: list[ast.stmt], names: ProjectNames) -> Iterator[str]:
    nodes = [node for statement in statements for node in ast.walk(statement)]
    if not any(isinstance(node, ast.Return) and node.value is not None for node in nodes) and not any(
        isinstance(node, ast.Raise) for node in nodes
    ):
        yield "it returns nothing: return a dict"
    imported: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            yield from _import_faults(node, names)
            imported |= {part.asname or part.name: part.name for part in node.names}
        elif isinstance(node, _NOT_HERE):
            yield f"line {node.lineno}: {type(node).__name__} is not allowed here (from ... import is)"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _DUNDER.search(node.value):
            yield f"line {node.lineno}: texts with names like __this__ are not allowed"
    yield from _name_faults(nodes)
    yield from _attribute_faults(nodes, imported, names)


def _import_faults(node: ast.ImportFrom, names: ProjectNames) -> Iterator[str]:
    module = node.module or ""
    allowed = LIBRARY.get(module) or names.exports.get(module)
    if node.level or allowed is None:
        modules = ", ".join(sorted(LIBRARY))
        yield f"line {node.lineno}: import from app.models, app.schemas and {modules} only, not {module}"
        return
    for part in node.names:
        if part.name not in allowed:
            yield f"line {node.lineno}: {module} has, or may be used for, {', '.join(sorted(allowed))} only"
            return


def _name_faults(nodes: list[ast.AST]) -> Iterator[str]:
    bound, read = set[str](), dict[str, int]()
    assigned: dict[str, int] = {}
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            read.setdefault(node.id, node.lineno)
        elif isinstance(node, ast.Name):
            assigned.setdefault(node.id, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            assigned |= {part.asname or part.name: node.lineno for part in node.names}
        elif isinstance(node, ast.FunctionDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            assigned.setdefault(node.name, node.lineno)
    known = bound | set(assigned) | BUILTINS | PARAMETERS
    for name, line in read.items():
        if name not in known or _DUNDER.search(name):
            yield f"line {line}: {name} is not known here, or may not be used"
    for name, line in assigned.items():
        if name not in read and not name.startswith("_"):
            yield f"line {line}: {name} is never used"


def _attribute_faults(
    nodes: list[ast.AST], imported: Mapping[str, str], names: ProjectNames
) -> Iterator[str]:
    fields = frozenset[str]().union(*names.models.values())
    for node in nodes:
        if not isinstance(node, ast.Attribute):
            continue
        if node.attr.startswith("_") or (node.attr in NO_ATTRIBUTES and node.attr not in fields):
            yield f"line {node.lineno}: the attribute {node.attr} may not be used"
        if isinstance(node.value, ast.Name):
            yield from _member_faults(node, node.value.id, imported, names)


def _member_faults(
    node: ast.Attribute, name: str, imported: Mapping[str, str], names: ProjectNames
) -> Iterator[str]:
    """Of a name whose members are known."""
    known: frozenset[str] | None = names.models.get(imported.get(name, ""))
    if name == "session":
        known = OF_SESSION
    elif imported.get(name) == "func":
        known = DATABASE_FUNCTIONS
    if known is not None and node.attr not in known:
        yield f"line {node.lineno}: of {name}, only {', '.join(sorted(known))} may be used, not {node.attr}"

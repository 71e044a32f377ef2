"""The table of docs/permissions.md, made from the table of permissions."""

from __future__ import annotations

from gencode.http.operation import Operation
from gencode.workspace.identity.auth_routes import PUBLIC_OPERATIONS
from gencode.workspace.identity.tables import UserRole
from gencode.workspace.permissions import ADMIN, OWN, PERMISSIONS, Permission
from gencode.workspace.routes import GUARDED_OPERATIONS

HEAD = (
    "\n| Operation | Users | API keys | Without accounts | Concerns | Least role in the team |\n"
    "|---|---|---|---|---|---|\n"
)


def permission_table() -> str:
    public = [_row(operation, "everybody", "yes", "yes", "–", "–") for operation in PUBLIC_OPERATIONS]
    return HEAD + "".join([*public, *(_guarded(operation) for operation in GUARDED_OPERATIONS)]) + "\n"


def _guarded(operation: Operation) -> str:
    permission = PERMISSIONS[operation.name]
    is_all = permission.roles == frozenset(UserRole)
    roles = "all roles" if is_all else ", ".join(f"`{role}`" for role in sorted(permission.roles))
    team = f"`{permission.team}`" if permission.team else "–"
    whose = _concerns(permission)
    return _row(operation, roles, _yes(permission.is_key), _yes(permission.is_local), whose, team)


def _concerns(permission: Permission) -> str:
    if permission is OWN:
        return "one's account"
    if permission is ADMIN:
        return "the service"
    if permission.team:
        return "one's own, and of one's teams"
    return "one's own, and public ones" if permission.is_shared else "one's own"


def _row(operation: Operation, *cells: str) -> str:
    path = operation.path.replace(":uuid", "")
    return f"| {' | '.join([f'`{operation.method} /api/v1{path}`', *cells])} |\n"


def _yes(value: bool) -> str:
    return "yes" if value else "–"

"""The principal of a request: the authenticated identity, which owns the tasks that it submits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PrincipalKind(StrEnum):
    LOCAL = "local"
    """The only principal of a service without keys and accounts; it owns everything."""
    API_KEY = "api_key"
    USER = "user"
    SERVICE = "service"
    """An integration that acts for users whom it has authenticated itself, such as a chat."""


OPERATOR = "operator"
"""The role that may list, read and cancel the tasks of all principals."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """`id` is unique over all kinds: ownership, quotas and rate limits are by id.

    Examples: `local`, `alice` (the name of an API key), `slack:T0/U0`.
    """

    id: str
    kind: PrincipalKind = PrincipalKind.API_KEY
    roles: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()

    @property
    def is_operator(self) -> bool:
        return OPERATOR in self.roles


LOCAL = Principal(id="local", kind=PrincipalKind.LOCAL)

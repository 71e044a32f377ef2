"""The roles in a team, and the least role that each operation needs: the column `team` of the permissions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum


class TeamRole(StrEnum):
    """From the highest to the lowest: each may do what those after it may."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"

    def includes(self, other: TeamRole) -> bool:
        return _ORDER.index(self) <= _ORDER.index(other)

    @property
    def and_higher(self) -> Sequence[str]:
        return [role.value for role in _ORDER if role.includes(self)]


_ORDER = tuple(TeamRole)

TEAM_ROLES: Mapping[str, TeamRole] = {
    "getTeam": TeamRole.VIEWER,
    "changeTeam": TeamRole.ADMIN,
    "deleteTeam": TeamRole.OWNER,
    "transferTeam": TeamRole.OWNER,
    "leaveTeam": TeamRole.VIEWER,
    "listTeamMembers": TeamRole.VIEWER,
    "addTeamMember": TeamRole.ADMIN,
    "changeTeamMember": TeamRole.ADMIN,
    "removeTeamMember": TeamRole.ADMIN,
    "listTeamProjects": TeamRole.VIEWER,
    "getTeamUsage": TeamRole.VIEWER,
    "createProject": TeamRole.ADMIN,
    "getProject": TeamRole.VIEWER,
    "changeProject": TeamRole.ADMIN,
    "deleteProject": TeamRole.ADMIN,
    "archiveProject": TeamRole.ADMIN,
    "unarchiveProject": TeamRole.ADMIN,
    "cloneProject": TeamRole.VIEWER,
    "getProjectStats": TeamRole.VIEWER,
}
"""By the name of the operation, in the team that the path, the row or the body names."""
READ_CONTENT = TeamRole.VIEWER
"""The least role to read what belongs to a project of a team."""
WRITE_CONTENT = TeamRole.MEMBER
"""The least role to create, change and delete it."""

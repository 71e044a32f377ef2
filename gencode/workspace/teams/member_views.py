"""The JSON of members."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from gencode.domain.errors import Invalid
from gencode.domain.task import rfc3339
from gencode.http.base_models import Moment, RequestModel, ResponseModel
from gencode.workspace.identity.tables import EMAIL_LENGTH
from gencode.workspace.resources.models import PRINTABLE, RowId
from gencode.workspace.teams.members import Invitee
from gencode.workspace.teams.roles import TeamRole
from gencode.workspace.teams.tables import TeamMember

Login = Annotated[str, StringConstraints(min_length=1, max_length=EMAIL_LENGTH, pattern=PRINTABLE)]
KeyName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$"),
    Field(description="The name of an API key; whoever has a key of this name is the member"),
]


class MemberRole(RequestModel):
    role: TeamRole = Field(strict=False)

    def allowed(self) -> TeamRole:
        """Raises Invalid for the role of the owner."""
        if self.role is TeamRole.OWNER:
            raise Invalid.of("role", "value_error", "a team has one owner: transfer the team instead")
        return self.role


class MemberCreation(MemberRole):
    """Who it is, by one of `user_id`, `username` (or email address), `api_key`."""

    user_id: RowId | None = None
    username: Login | None = None
    api_key: KeyName | None = None
    role: TeamRole = Field(TeamRole.MEMBER, strict=False)

    def invitee(self) -> Invitee:
        """Raises Invalid."""
        given = [one for one in (self.user_id, self.username, self.api_key) if one is not None]
        if len(given) != 1:
            raise Invalid.of("user_id", "value_error", "give one of user_id, username and api_key")
        return Invitee(user_id=self.user_id, username=self.username, api_key=self.api_key)


class Transfer(RequestModel):
    """`member_id`: of the new owner."""

    member_id: RowId


class MemberView(ResponseModel):
    """principal  who it is: user:ID for an account, or the name of an API key
    username   null for who has no account
    """

    id: str
    team_id: str
    principal: str
    username: str | None
    role: TeamRole
    invited_by: str | None
    joined_at: Moment

    @classmethod
    def of(cls, member: TeamMember, username: str | None) -> MemberView:
        return cls(
            id=member.id,
            team_id=member.team_id,
            principal=member.principal,
            username=username,
            role=TeamRole(member.role),
            invited_by=member.invited_by,
            joined_at=rfc3339(member.created_at),
        )


class MemberPage(ResponseModel):
    """`next_cursor`: the cursor of the next page; null on the last."""

    items: list[MemberView]
    next_cursor: str | None

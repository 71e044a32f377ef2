"""The fields of a request that name the repository."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

_RESERVED_ENDINGS = (".git", ".wiki", ".atom")


def _can_be_created(name: str) -> str:
    if not name.strip(".") or name.lower().endswith(_RESERVED_ENDINGS):
        raise ValueError("must not be dots only nor end in .git, .wiki or .atom")
    return name


# What validators check must be in the schema, too: `json_schema_extra` goes to /openapi.json.
RepoName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,100}$"),
    AfterValidator(_can_be_created),
    Field(
        json_schema_extra={"not": {"pattern": r"^\.+$|\.([gG][iI][tT]|[wW][iI][kK][iI]|[aA][tT][oO][mM])$"}}
    ),
]
OrgName = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,99})*$", max_length=255
    ),
]
"""The widest pattern of all hosts; the chosen host has a narrower rule (`gencode.githosts.name_rules`)."""
HostName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]

PATTERN_MESSAGES = {
    "repo_name": "must be 1 to 100 characters of A-Z a-z 0-9 . _ -",
    "github_org": "must be a name of A-Z a-z 0-9 . _ -, or several with / between them",
    "host": "must be a name of a-z 0-9 . _ -",
}

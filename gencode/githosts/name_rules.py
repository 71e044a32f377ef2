"""The names that each type of host allows for repositories and for the accounts that own them.

They are checked when a task is submitted, because the host would refuse them only after the model has been
paid. The hosts document these rules or check them in their code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

GITHUB = "github"
DIRECTORY = "directory"
FORGE = "forge"
"""The embedded forge."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NameRule:
    """The names that a type of host allows.

    reserved      names in lower case that the host reserves
    description   the whole rule, for messages
    """

    pattern: re.Pattern[str]
    description: str
    reserved: frozenset[str] = frozenset()

    def allows(self, name: str) -> bool:
        return len(name) <= 255 and name.lower() not in self.reserved and bool(self.pattern.fullmatch(name))


def _rule(pattern: str, description: str, reserved: str = "") -> NameRule:
    return NameRule(
        pattern=re.compile(pattern, re.IGNORECASE | re.ASCII),
        description=description,
        reserved=frozenset(reserved.split()),
    )


_SEGMENT = r"[a-z0-9_][a-z0-9._-]{0,99}"
_GITHUB_ACCOUNT = r"[a-z0-9](?:-?[a-z0-9]){0,38}"
_SINGLE_NAME = _rule(_SEGMENT, "one name of letters, digits, '-', '_' and '.'")
_DIRECTORY_NAME = _rule(
    rf"(?!.*\.(?:git|lock|)\Z){_SEGMENT}",
    "a folder's name: it begins with a letter, a digit or '_', and ends in none of .git, .lock and '.'",
)
ACCOUNT_RULES: Mapping[str, NameRule] = {
    GITHUB: _rule(_GITHUB_ACCOUNT, "a name of at most 39 letters, digits and single hyphens"),
    FORGE: _rule(_GITHUB_ACCOUNT, "a name of at most 39 letters, digits and single hyphens, not api", "api"),
    "gitea": _SINGLE_NAME,
    "forgejo": _SINGLE_NAME,
    "gitlab": _rule(rf"{_SEGMENT}(?:/{_SEGMENT}){{0,20}}", "a group, or a subgroup as group/subgroup"),
    "gitee": _SINGLE_NAME,
    "bitbucket": _rule(rf"{_SEGMENT}(?:/{_SEGMENT})?", "a workspace, or workspace/PROJECT"),
    DIRECTORY: _DIRECTORY_NAME,
}
"""Names of the accounts that repositories can be created for."""

_GITHUB_REPOSITORY = _rule(
    r"(?!.*\.(?:git|wiki)\Z)[a-z0-9._-]{1,100}",
    "1 to 100 letters, digits, '-', '_' and '.', not . or .., without .git or .wiki at the end",
    ". ..",
)
_GITEA_REPOSITORY = _rule(
    r"(?!.*\.\.)(?!.*\.(?:git|wiki|rss|atom)\Z)[a-z0-9._-]{1,100}",
    "1 to 100 letters, digits, '-', '_' and '.', not - or ., without two dots in a row, and without .git, "
    ".wiki, .rss or .atom at the end",
    ". -",
)
_GITLAB_RESERVED = (
    "badges blame blob builds commits create create_dir edit files find_file new preview raw refs tree "
    "update wikis"
)
REPOSITORY_RULES: Mapping[str, NameRule] = {
    GITHUB: _GITHUB_REPOSITORY,
    FORGE: _GITHUB_REPOSITORY,
    "gitea": _GITEA_REPOSITORY,
    "forgejo": _GITEA_REPOSITORY,
    "gitlab": _rule(
        r"(?!.*\.(?:git|atom)\Z)[a-z0-9]+(?:[._-][a-z0-9]+)*",
        "letters and digits, with single '-', '_' or '.' between them, without .git or .atom at the end, and "
        f"none of GitLab's own words ({_GITLAB_RESERVED.replace(' ', ', ')})",
        _GITLAB_RESERVED,
    ),
    "gitee": _rule(
        r"(?!.*\.git\Z)[a-z][a-z0-9._-]{1,99}",
        "2 to 100 letters, digits, '-', '_' and '.', the first a letter, without .git at the end",
    ),
    "bitbucket": _rule(
        r"(?!.*\.git\Z)(?=.*[a-z0-9])[a-z0-9._-]{1,62}",
        "at most 62 letters, digits, '-', '_' and '.', one of them a letter or a digit, without .git at "
        "the end",
    ),
    DIRECTORY: _DIRECTORY_NAME,
}
"""Names of repositories."""

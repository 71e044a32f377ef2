from __future__ import annotations

import pytest

from gencode.githosts.name_rules import ACCOUNT_RULES, REPOSITORY_RULES

BAD = ("", "a b", "a/b", "ä", "\u212a", "a\n", "x" * 256)


@pytest.mark.parametrize(
    ("kind", "name", "allowed"),
    [
        ("github", "acme-inc", True),
        ("github", "acme/tools", False),
        ("github", "acme--inc", False),
        ("gitea", "acme.inc_2", True),
        ("gitea", "acme/tools", False),
        ("gitlab", "acme/tools/more", True),
        ("gitlab", "acme/../tools", False),
        ("gitlab", "acme//tools", False),
        ("gitlab", "a/" * 200 + "a", False),
        ("bitbucket", "acme/TOOLS", True),
        ("bitbucket", "acme/TOOLS/x", False),
        ("forge", "api", False),
        ("forge", "apis", True),
        ("directory", "acme", True),
        ("directory", "acme.git", False),
        ("directory", "acme.", False),
        ("directory", "..", False),
        ("directory", "a/b", False),
    ],
)
def test_each_kind_has_its_own_rule_for_accounts(kind: str, name: str, allowed: bool) -> None:
    assert ACCOUNT_RULES[kind].allows(name) is allowed


@pytest.mark.parametrize(
    ("kind", "name", "allowed"),
    [
        ("github", ".github", True),
        ("github", "-", True),
        ("github", "..", False),
        ("github", "x.WIKI", False),
        ("forge", "...", True),
        ("gitea", "-", False),
        ("gitea", ".", False),
        ("gitea", "a..b", False),
        ("gitea", "feed.rss", False),
        ("gitea", "feed.Atom", False),
        ("gitea", ".github", True),
        ("forgejo", "feed.rss", False),
        ("forgejo", "rss", True),
        ("gitlab", ".github", False),
        ("gitlab", "_x.y", False),
        ("gitlab", "x.y_z-1", True),
        ("gitlab", "x--y", False),
        ("gitlab", "x-", False),
        ("gitlab", "Builds", False),
        ("gitlab", "builds2", True),
        ("gitlab", "x.atom", False),
        ("gitee", "x", False),
        ("gitee", "2048", False),
        ("gitee", "x2", True),
        ("gitee", "_x", False),
        ("bitbucket", "---", False),
        ("bitbucket", "-a", True),
        ("bitbucket", "x" * 63, False),
        ("bitbucket", "Hello", True),
        ("directory", ".github", False),
        ("directory", "x.lock", False),
        ("directory", "x.y", True),
    ],
)
def test_each_kind_has_its_own_rule_for_names(kind: str, name: str, allowed: bool) -> None:
    assert REPOSITORY_RULES[kind].allows(name) is allowed


def test_each_kind_of_host_has_rules_for_both() -> None:
    assert ACCOUNT_RULES.keys() == REPOSITORY_RULES.keys()


@pytest.mark.parametrize("kind", REPOSITORY_RULES)
def test_ordinary_names_are_allowed_everywhere(kind: str) -> None:
    assert all(REPOSITORY_RULES[kind].allows(name) for name in ("my-flask-app", "Tool2", "a_b.c"))
    assert not any(
        REPOSITORY_RULES[kind].allows(name) for name in ("", "a b", "a/b", "ä", "\u212a", "a\n", "x" * 256)
    )

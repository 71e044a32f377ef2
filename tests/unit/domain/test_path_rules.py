"""The rules for paths, one by one. tests/properties/test_tree.py compares them with Git."""

from __future__ import annotations

import pytest

from gencode.domain.errors import UnsafePath
from gencode.domain.path_rules import check_path

GOOD = [
    "a",
    "README.md",
    "src/app.py",
    ".gitignore",
    "sub/.gitignore",
    ".gitkeep",
    ".github/dependabot.yml",
    ".gitpod.yml",
    ".git-blame-ignore-revs",
    ".gitlab/issue_templates/bug.md",
    ".gitea/issue_template.md",
    "docs/.gitlab-ci.yml",
    "src/bitbucket-pipelines.yml",
    ".env.example",
    "docs/介绍.md",
    "naïve café.txt",
    "a b/c d.txt",
    "console.py",
    "auxiliary/nullable.go",
    "com10.txt",
    "-rf",
    "a~1",
    "a..b",
    "...a",
    "github/workflows/x.yml",
    "s" * 255,
    "/".join(["d" * 100] * 10),
]

BAD = [
    "",
    "/",
    "/etc/passwd",
    "a/",
    "a//b",
    ".",
    "..",
    "./a",
    "a/./b",
    "../a",
    "a/../b",
    "a/..",
    "a\\b",
    "a\\..\\b",
    "C:/x",
    "C:x",
    "a:b",
    "a:$DATA",
    "a*b",
    "a?b",
    'a"b',
    "a<b",
    "a>b",
    "a|b",
    "a\0b",
    "a\nb",
    "a\rb",
    "a\tb",
    "a\x1bb",
    "a\x7fb",
    "a\x85b",
    "a\u2028b",
    "a\u00a0b",
    "a\u3000b",
    "\ufeffa",
    "a\u200db",
    "a\u200bb",
    "a\u202eb",
    "a\u2066b",
    "a\u00adb",
    "a\ud800b",
    "a\ue000b",
    "a\U0010ffffb",
    "a\u0378b",
    "cafe\u0301",
    "\u212b",
    "a.",
    "a ",
    " a",
    "a./b",
    "a /b",
    " a/b",
    "...",
    "CON",
    "con",
    "con.txt",
    "CON .txt",
    "Con.tar.gz",
    "prn",
    "aux.c",
    "sub/NUL",
    "nul.",
    "com1",
    "COM9.log",
    "com\u00b9",
    "lpt0",
    "LPT1.x",
    "conin$",
    "CONOUT$",
    ".git",
    ".GIT",
    ".Git/config",
    "a/.git/hooks/pre-commit",
    ".git\u200d",
    ".g\u200cit",
    ".git ",
    ".git.",
    ".git::$INDEX_ALLOCATION",
    "git~1",
    "GIT~1",
    "a/git~2/x",
    "\uff0egit",
    ".\uff47\uff49\uff54",
    ".gitmodules",
    ".GitModules",
    ".gitattributes",
    ".gitconfig",
    "gitmod~1",
    "gi7eba~1",
    "GI7D29~1",
    ".mailmap",
    ".github/workflows/ci.yml",
    ".GitHub/Workflows/ci.yml",
    ".gitea/workflows/ci.yml",
    ".forgejo/workflows/ci.yml",
    ".workflow/branch-pipeline.yml",
    ".woodpecker/build.yaml",
    ".woodpecker.yml",
    ".gitlab-ci.yml",
    ".GitLab-CI.yml",
    "bitbucket-pipelines.yml",
    "s" * 256,
    "\u4e2d" * 86,
    "/".join(["d" * 100] * 11),
    "/" * 2_000_000,
    "x" * 5_000_000,
]


@pytest.mark.parametrize("path", GOOD)
def test_an_ordinary_path_is_accepted(path: str) -> None:
    check_path(path)


@pytest.mark.parametrize("path", BAD, ids=lambda path: repr(path[:40]))
def test_an_unsafe_path_is_refused_with_a_short_message(path: str) -> None:
    with pytest.raises(UnsafePath) as caught:
        check_path(path)
    assert caught.value.code == "UNSAFE_PATH"
    assert len(caught.value.message) < 2500
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("path", [".github/workflows/ci.yml", ".gitlab-ci.yml", ".forgejo/workflows/ci.yml"])
def test_workflow_files_can_be_allowed(path: str) -> None:
    check_path(path, workflows=True)
    with pytest.raises(UnsafePath, match="ALLOW_WORKFLOWS"):
        check_path(path)

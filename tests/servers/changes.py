"""Change requests of a scripted host: their diff, and what accounts have written there.

`ScriptedChanges` keeps the state; the hosts' own JSON and rules are in `change_hosts`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from gencode.diffs import FileDiff, LineKind, parse_patch
from gencode.reviewhosts.change_lines import file_of
from tests.servers.githost import ReceivedRequest

OURS, OTHER = 1, 2
"""Ids of accounts: that of the token, and somebody else's."""
NUMBER = 7
HEAD = "a" * 40
PATCH = """\
diff --git a/app.py b/app.py
--- a/app.py
+++ b/app.py
@@ -1,4 +1,5 @@
 import os
-old = 1
+new = 1
+more = 2
 kept = 3
 last = 4
diff --git a/src/项目.py b/src/项目.py
--- a/src/项目.py
+++ b/src/项目.py
@@ -10,2 +10,3 @@
 def f():
+    return eval(x)
     pass
"""


@dataclass(kw_only=True, slots=True)
class Written:
    """line, old_line  of an inline comment: as the host's rules have it; else None"""

    id: int
    user: int
    body: str
    path: str = ""
    line: int | None = None
    old_line: int | None = None
    review: int = 0
    is_resolved: bool = False
    is_pending: bool = False


@dataclass(kw_only=True, slots=True)
class ScriptedChanges:
    """writes: by what they did; commands: quick actions that a text has run"""

    patch: str = PATCH
    head: str = HEAD
    state: str = "open"
    max_page: int = 50
    user_kind: str = "User"
    is_app: bool = False
    reviews: list[Written] = field(default_factory=list)
    comments: list[Written] = field(default_factory=list)
    inline: list[Written] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    refuses_lines: bool = False
    may_resolve: bool = True
    stops_after: int | None = None
    ids: Any = field(default_factory=lambda: count(100))

    @property
    def files(self) -> Sequence[FileDiff]:
        return parse_patch(self.patch.encode()).commits[0].diff.files

    @property
    def own(self) -> list[Written]:
        """What we have written on lines."""
        return [one for one in self.inline if one.user == OURS]

    @property
    def summaries(self) -> list[str]:
        texts = [*self.reviews, *self.comments]
        return [one.body for one in texts if one.user == OURS and "gencode:summary:" in one.body]

    def write(self, where: list[Written], body: str, user: int = OURS, **fields: Any) -> Written:
        one = Written(id=next(self.ids), user=user, body=body, **fields)
        where.append(one)
        return one

    def by_id(self, text: str) -> Written | None:
        everything = [*self.reviews, *self.comments, *self.inline]
        return next((one for one in everything if str(one.id) == text), None)

    def numbers(self, path: str) -> dict[tuple[int | None, int | None], LineKind]:
        """The kinds of lines of a file of the diff, by their old and new numbers."""
        return {
            (line.old, line.new): line.kind
            for file in self.files
            if file.path == path
            for hunk in file.hunks
            for line in hunk.lines()
        }


def hunks_text(patch: str) -> Mapping[str, str]:
    """The text from the first @@ on, by path."""
    parts = re.split(r"^diff --git .*\n", patch, flags=re.MULTILINE)[1:]
    found = {}
    for part in parts:
        name = re.search(r"^\+\+\+ b/(.*)$", part, re.MULTILINE)
        assert name
        found[name[1]] = part[part.index("@@") :].rstrip("\n")
    assert all(file_of(path, path, text).hunks for path, text in found.items())
    return found


def page_of(seen: ReceivedRequest, items: list[Any], most: int, size_name: str) -> tuple[list[Any], bool]:
    asked = dict(part.split("=") for part in seen.query.split("&") if part)
    size, page = min(int(asked.get(size_name, 30)), most), int(asked.get("page", 1))
    return items[(page - 1) * size : page * size], page * size < len(items)

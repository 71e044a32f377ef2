"""Rows of docs/compatibility.md: what a model leaves out of files and plans, and plans in odd forms."""

from __future__ import annotations

import json

import pytest

from tests.compatibility.harness import PATH, TEXT, Harness, plan_of
from tests.servers.model import text

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHOLE = {
    PATH: TEXT,
    "app.js": "export const a = 1;\n",
    "app.py": "a = 1\n",
    "main.go": "package main\n\nfunc main() {}\n",
    "index.html": "<!doctype html>\n<title>a</title>\n<p>a</p>\n",
    ".env.example": "A=1\n",
    "config.ini": "[a]\nb = 1\n",
    "config.yaml": "a: 1\n",
    "Dockerfile": "FROM alpine:3.20\n",
}


@pytest.mark.compatibility("P24")
@pytest.mark.parametrize(
    ("path", "comment"),
    [
        (PATH, "-- ... rest unchanged"),
        (PATH, "-- ... (remaining tables omitted)"),
        ("app.js", "// ... existing code ..."),
        ("app.py", "# ……其余代码不变"),
        ("main.go", "/* ... same as before ... */"),
        ("index.html", "<!-- ... rest of the page unchanged ... -->"),
        (".env.example", "# ... other variables"),
        ("config.ini", "; [rest unchanged]"),
        ("config.yaml", "# （略）"),
        ("Dockerfile", "# rest of file"),
    ],
)
async def test_a_comment_in_place_of_the_rest(run: Harness, path: str, comment: str) -> None:
    whole = WHOLE[path]
    outcome = await run([text(f"{whole}{comment}\n"), text(whole)], path=path)
    outcome.delivers(whole, calls=2, path=path)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (PATH, "CREATE TABLE t (a INT);\n-- ...\n-- unchanged since 1.0\n-- the same as in t\n"),
        ("app.py", "# The rest of the rows stay sorted.\n# ... and so on.\n# Same as above.\na = 1\n"),
        ("app.js", "// keeps the existing values as they are\nexport const a = '... rest unchanged';\n"),
    ],
)
async def test_a_comment_that_leaves_nothing_out(run: Harness, path: str, content: str) -> None:
    (await run(text(content), path=path)).delivers(content, path=path)


@pytest.mark.compatibility("P25")
@pytest.mark.parametrize("between", ["\n", "\n\nOn second thought:\n```json\n"])
async def test_two_plans_that_differ(run: Harness, between: str) -> None:
    """Which one is meant cannot be known. The same plan twice is one."""
    draft, plan = json.dumps(plan_of("draft.sql")), json.dumps(plan_of(PATH))
    outcome = await run(text(TEXT), plan=[text(draft + between + plan), text(plan + between + plan)])
    outcome.delivers()
    assert (set(outcome.files), outcome.file_calls("")) == ({PATH}, 2)


@pytest.mark.compatibility("P26")
@pytest.mark.parametrize(
    "files",
    [
        {"src": {"a.sql": "tables"}, "b.sql": "more"},
        {"src": ["a.sql", "b.sql"]},
        [{"path": "src", "children": {"a.sql": {}}}],
        ["├── a.sql", "└── b.sql"],
        ["- a.sql", "- b.sql"],
        ["a.sql: the tables"],
        [{"path": "a.sql"}, "..."],
        [{"path": "a.sql"}, {"path": "src/..."}],
        [{"path": "a.sql"}, {"path": "tables/*.sql"}],
        [{"path": "a.sql"}, "... more tables"],
    ],
    ids=str,
)
async def test_a_tree_or_an_ellipsis_in_a_plan(run: Harness, files: object) -> None:
    odd = text(json.dumps({"summary": "A project.", "files": files}))
    outcome = await run(text(TEXT), plan=[odd, text(json.dumps(plan_of(PATH)))])
    outcome.delivers(calls=outcome.file_calls())
    assert (set(outcome.files), outcome.file_calls("")) == ({PATH}, 2)


async def test_a_comment_in_place_of_files(run: Harness) -> None:
    odd = f'{{"files": [{{"path": "{PATH}"}},\n  // ... more files\n]}}'
    outcome = await run(text(TEXT), plan=[text(odd), text(json.dumps(plan_of(PATH)))])
    outcome.delivers(calls=outcome.file_calls())
    assert outcome.file_calls("") == 2


@pytest.mark.parametrize(
    "files",
    [
        [{"path": "pages/[...slug].sql", "purpose": "... the rest"}],
        {"pages/[...slug].sql": "// ... every other path"},
        {"pages/[...slug].sql": {}},
    ],
    ids=str,
)
async def test_an_ellipsis_that_belongs_to_a_plan(run: Harness, files: object) -> None:
    outcome = await run(text(TEXT), plan=text(json.dumps({"summary": "...", "files": files})))
    outcome.delivers(path="pages/[...slug].sql")
    assert outcome.file_calls("") == 1

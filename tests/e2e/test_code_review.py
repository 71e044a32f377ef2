"""A review from outside: a patch is submitted, findings come, and a kill costs nothing."""

from __future__ import annotations

import difflib
import json
import re
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from gencode.workspace.requirement_documents.documents import RequirementDocuments
from gencode.workspace.requirement_documents.requirement import (
    Analysis,
    ComparisonLedger,
    PartStatus,
    Requirement,
    RequirementType,
    SourceQuote,
)
from gencode.workspace.workspace import Workspace
from tests.servers.calls import client, get, post
from tests.servers.command import run_gencode
from tests.servers.git_repository import GitRepository
from tests.servers.git_server import git_server
from tests.servers.model import USAGE, Body, ModelServer, Reply, model_server, text
from tests.servers.service import App, environment, running_app, service, settings
from tests.servers.stream import events, subscribed

pytestmark = [
    pytest.mark.one_process("the settings of several processes have no workspace yet"),
    pytest.mark.campaign,
]

PATCH = """\
diff --git a/app.py b/app.py
new file mode 100644
--- /dev/null
+++ b/app.py
@@ -0,0 +1,8 @@
+import subprocess
+
+
+def find(name, seen=[]):
+    if name == None:
+        return None
+    subprocess.run(f"grep {name}", shell=True)
+    return seen
diff --git a/web/list.js b/web/list.js
--- a/web/list.js
+++ b/web/list.js
@@ -1,3 +1,4 @@
 function show(items) {
+  console.log(items);
   return items.length;
 }
diff --git a/package-lock.json b/package-lock.json
--- a/package-lock.json
+++ b/package-lock.json
@@ -1,1 +1,1 @@
-{"version": 1}
+{"version": 2}
"""


async def submit(url: str, **fields: Any) -> str:
    response = await post(url, "/pipelines/code-review", {"patch": PATCH, **fields})
    assert response.status_code == 202, response.text
    return str(response.json()["task_id"])


async def test_the_offline_model_reviews_by_rules_and_says_so(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app, client(app.url) as http:
        task_id = await submit(app.url)
        heard = await events(app.url, task_id)
        task = await get(app.url, f"/api/v1/task/{task_id}")
        assert (task["state"], task["review"]["complete"], task["review"]["findings"]) == (
            "succeeded",
            True,
            4,
        )
        review = await get(app.url, f"/api/v1/task/{task_id}/review")
        places = {(one["path"], one["line"], one["severity"]) for one in review["findings"]}
        assert places == {
            ("app.py", 4, "major"),
            ("app.py", 5, "minor"),
            ("app.py", 7, "major"),
            ("web/list.js", 2, "minor"),
        }
        assert all("rule" in one["body"] and one["anchor"] for one in review["findings"])
        (replaced,) = [one["suggestion"] for one in review["findings"] if one["suggestion"]]
        assert replaced["replacement"] == "    if name is None:"
        excluded = [line for line in review["ledger"] if line["coverage"] == "excluded"]
        assert [(line["path"], line["reason"]) for line in excluded] == [("package-lock.json", "lock_file")]
        kinds = [event.kind for event in heard]
        assert (kinds.count("finding"), kinds.count("reviewed")) == (4, 1)
        page = await http.get(f"/api/v1/task/{task_id}/review.md")
        assert page.headers["content-type"].startswith("text/markdown")
        assert "## `app.py:4`: A mutable default" in page.text


def big_patch() -> str:
    """Two files that do not fit into one call."""
    bodies = ["".join(f"+value_{n:04d} = compute({n})\n" for n in range(500)) for _ in range(2)]
    head = "diff --git a/{0} b/{0}\nnew file mode 100644\n--- /dev/null\n+++ b/{0}\n@@ -0,0 +1,500 @@\n"
    names = ("first.py", "second.py")
    return "".join(head.format(name) + body for name, body in zip(names, bodies, strict=True))


def prompt_of(body: Body) -> str:
    return str(body["messages"][-1]["content"])


def finding_about(prompt: str, word: str, **fields: Any) -> dict[str, Any]:
    """About the first shown line with this word."""
    found = re.search(rf"^(\S+) *\|[+ -](.*{re.escape(word)}.*)$", prompt, re.MULTILINE)
    assert found
    before = prompt[: found.start()]
    path = re.findall(r"^(\S+) \(\w+\)$", before, re.MULTILINE)[-1]
    told = {"path": path, "anchor": found[1], "quote": found[2], "severity": "major", "category": "bug"}
    return {**told, "title": f"{word} is wrong", "body": "Because.", **fields}


def reviewer(findings: Mapping[str, Sequence[str]], gate: anyio.Event | None = None) -> Any:
    """Finds these words in the parts with these paths; the part with `second.py` waits for the gate."""

    def script(body: Body) -> Reply:
        prompt = prompt_of(body)
        told = [
            finding_about(prompt, word)
            for path, words in findings.items()
            if f"\n{path} (" in prompt
            for word in words
        ]
        waits = gate if gate and "\nsecond.py (" in prompt else None
        return text(json.dumps({"findings": told}), size=2000, gate=waits)

    return script


def parts_of(server: ModelServer) -> list[str]:
    found = [re.search(r"Part \d of \d", prompt_of(seen.body)) for seen in server.requests]
    return [part[0] for part in found if part]


async def test_a_kill_between_two_answers_costs_and_repeats_nothing(tmp_path: Path) -> None:
    script = reviewer({"first.py": ["value_0007"], "second.py": ["value_0009"]}, anyio.Event())
    async with (
        model_server(script) as server,
        service(tmp_path, environment(server, WORKSPACE="true")) as process,
    ):
        task_id = await submit(process.url, patch=big_patch())
        async with subscribed(process.url, task_id) as stream:
            await stream.until("reviewed")
        async with client(process.url) as http:
            assert (await http.get(f"/api/v1/task/{task_id}/review")).status_code == 404
        await process.kill()
        server.script = reviewer({"first.py": ["value_0007"], "second.py": ["value_0009"]})
        await process.start()
        heard = await events(process.url, task_id)
        assert [event.data["line"] for event in heard if event.kind == "finding"] == [8, 10]
        assert sorted(event.data["bundle"] for event in heard if event.kind == "reviewed") == [0, 1]
        review = await get(process.url, f"/api/v1/task/{task_id}/review")
        assert (review["complete"], [one["line"] for one in review["findings"]]) == (True, [8, 10])
        assert parts_of(server).count("Part 1 of 2") == 1


async def test_a_kill_between_the_result_and_its_findings_stores_each_once(tmp_path: Path) -> None:
    async with service(tmp_path, {"WORKSPACE": "true"}) as process:
        await process.kill()
        await process.start("findings.before:1")
        task_id = await submit(process.url, subject="shop/main")
        assert await process.ended() == -signal.SIGKILL
        await process.start()
        await events(process.url, task_id)
        stored = await get(process.url, "/api/v1/reviews/findings?subject=shop/main")
        assert sorted(one["line"] for one in stored["items"]) == [2, 4, 5, 7]
        assert {one["status"] for one in stored["items"]} == {"open"}
        review = await get(process.url, f"/api/v1/task/{task_id}/review")
        assert {one["id"] for one in review["findings"]} == {one["id"] for one in stored["items"]}
        assert {one["status"] for one in review["findings"]} == {"new"}


async def test_an_answer_that_is_cut_is_told_in_the_ledger(tmp_path: Path) -> None:
    def script(body: Body) -> Reply:
        if "\nsecond.py (" in prompt_of(body):
            return text('{"findings": [{"path": "second.py", "tit', finish="length")
        return text('{"findings": []}')

    async with (
        model_server(script) as server,
        running_app(settings(tmp_path, server, workspace=True)) as app,
    ):
        task_id = await submit(app.url, patch=big_patch())
        await events(app.url, task_id)
        review = await get(app.url, f"/api/v1/task/{task_id}/review")
        ledger = {line["path"]: (line["coverage"], line["reason"]) for line in review["ledger"]}
        assert ledger == {"first.py": ("reviewed", ""), "second.py": ("failed", "LLM_TRUNCATED")}
        assert review["complete"] is False
        assert "LLM\\_TRUNCATED: `second.py`" in await get(app.url, f"/api/v1/task/{task_id}/review.md")


async def test_what_the_budget_does_not_allow_is_in_the_ledger(tmp_path: Path) -> None:
    async with (
        model_server(reviewer({"first.py": ["value_0007"]})) as server,
        running_app(settings(tmp_path, server, workspace=True, max_output_tokens=2000)) as app,
    ):
        task_id = await submit(app.url, patch=big_patch(), max_tokens=16_000)
        await events(app.url, task_id)
        review = await get(app.url, f"/api/v1/task/{task_id}/review")
        assert {line["path"]: line["coverage"] for line in review["ledger"]} == {
            "first.py": "reviewed",
            "second.py": "over_budget",
        }
        assert (review["complete"], len(review["findings"]), len(server.requests)) == (False, 1, 1)
        page = await get(app.url, f"/api/v1/task/{task_id}/review.md")
        assert "BUDGET\\_EXCEEDED: `second.py`" in page


async def test_a_review_that_could_not_begin_for_its_budget_is_retried_with_another(tmp_path: Path) -> None:
    async with (
        model_server(reviewer({})) as server,
        running_app(settings(tmp_path, server, workspace=True)) as app,
    ):
        task_id = await submit(app.url, max_tokens=10)
        await events(app.url, task_id)
        task = await get(app.url, f"/api/v1/task/{task_id}")
        assert (task["state"], task["error"]["code"]) == ("failed", "BUDGET_EXCEEDED")
        assert not server.requests
        retried = await post(app.url, f"/task/{task_id}/retry", {"max_tokens": None})
        assert retried.status_code == 202
        await events(app.url, task_id, task["last_event_id"])
        assert (await get(app.url, f"/api/v1/task/{task_id}/review"))["complete"] is True


async def test_the_self_check_drops_what_the_model_refutes_and_keeps_the_bill(tmp_path: Path) -> None:
    find = reviewer({"app.py": ["import subprocess", "return seen"]})

    def script(body: Body) -> Reply:
        if "Task: code_review_check" in str(body["messages"][0]["content"]):
            return text('{"scores": [{"number": 1, "score": 1}, {"number": 2, "score": 9}]}', usage=USAGE)
        told: Reply = find(body)
        return told

    async with (
        model_server(script) as server,
        running_app(settings(tmp_path, server, workspace=True)) as app,
    ):
        task_id = await submit(app.url, self_check=True)
        heard = await events(app.url, task_id)
        found = await get(app.url, f"/api/v1/task/{task_id}/review")
        assert [(one["line"], one["confidence"]) for one in found["findings"]] == [(8, 0.9)]
        assert (found["stats"]["refuted"], found["stats"]["self_checked"]) == (1, True)
        bills = [event.data["total"] for event in heard if event.kind == "usage"]
        assert len(bills) == 2
        assert bills[1]["completion"] > bills[0]["completion"]


async def test_orders_in_a_diff_have_no_effect_but_through_findings_that_are_proven(tmp_path: Path) -> None:
    """The model obeys the diff; code does not."""

    def obeys(body: Body) -> Reply:
        told = [
            finding_about(prompt_of(body), "import subprocess", path="/etc/passwd"),
            finding_about(prompt_of(body), "import subprocess", anchor="1#0000", quote="rm -rf /"),
            {"status": "approved", "title": "", "body": ""},
        ]
        return text(json.dumps({"findings": told, "approve": True, "reviewed": "all"}))

    async with (
        model_server(obeys) as server,
        running_app(settings(tmp_path, server, workspace=True)) as app,
    ):
        task_id = await submit(app.url)
        await events(app.url, task_id)
        review = await get(app.url, f"/api/v1/task/{task_id}/review")
        (only,) = review["findings"]
        assert (only["line"], only["anchor"], bool(only["unanchored"])) == (None, "", True)
        stats = review["stats"]
        assert (stats["misplaced"], stats["unreadable"]) == (1, 1)


async def test_a_template_of_the_user_goes_to_the_model(tmp_path: Path) -> None:
    async with (
        model_server(reviewer({})) as server,
        running_app(settings(tmp_path, server, workspace=True)) as app,
    ):
        template = {"name": "t", "identifier": "t", "content": "Mind {{ what }}.", "category": "code_review"}
        created = (await post(app.url, "/prompts", template)).json()
        task_id = await submit(app.url, template_id=created["id"], variables={"what": "locks"}, language="zh")
        await events(app.url, task_id)
        prompt = prompt_of(server.requests[0].body)
        assert "Mind locks." in prompt
        assert "in Chinese" in prompt
        other = (
            await post(app.url, "/prompts", {**template, "identifier": "g", "category": "general"})
        ).json()
        refused = await post(app.url, "/pipelines/code-review", {"patch": PATCH, "template_id": other["id"]})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "template_id")


async def test_a_text_that_is_no_patch_is_refused_before_a_task_is_stored(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app:
        for fields in ({"patch": "hello"}, {"patch": "?", "patch_encoding": "base64"}):
            refused = await post(app.url, "/pipelines/code-review", fields)
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "patch")


BEFORE = "import os\n\n\ndef load(path):\n" + "".join(f"    step_{n}(path)\n" for n in range(12))


def patch_of(after: str, before: str = BEFORE) -> str:
    lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), "a/app.py", "b/app.py")
    return "".join(lines)


async def review(url: str, after: str, **fields: Any) -> tuple[dict[str, str], dict[str, Any]]:
    """The status of each finding by its title, and the whole review of one version."""
    task_id = await submit(url, patch=patch_of(after), subject="main", **fields)
    await events(url, task_id)
    found = await get(url, f"/api/v1/task/{task_id}/review")
    return {one["title"]: one["status"] for one in found["findings"]}, found


async def test_a_finding_lives_across_pushes_and_is_never_told_or_paid_for_twice(tmp_path: Path) -> None:
    calls: list[str] = []

    def script(body: Body) -> Reply:
        prompt = prompt_of(body)
        calls.append(prompt)
        words = [word for word in ("danger", "risk") if word in prompt]
        return text(json.dumps({"findings": [finding_about(prompt, word) for word in words]}), size=2000)

    first = BEFORE + "\n\ndef one():\n    return danger(1)\n"
    moved = "# a comment\n" + first
    second = moved + "\n\ndef two():\n    return risk(2)\n"
    async with (
        model_server(script) as server,
        running_app(settings(tmp_path, server, workspace=True)) as app,
    ):
        statuses, found = await review(app.url, first)
        assert statuses == {"danger is wrong": "new"}
        name = found["findings"][0]["id"]
        statuses, found = await review(app.url, moved)
        assert statuses == {"danger is wrong": "still_there"}
        assert (found["findings"][0]["id"], found["findings"][0]["line"]) == (name, 21)
        assert [line["reason"] for line in found["ledger"]] == ["", "reviewed_before"]
        statuses, _ = await review(app.url, second)
        assert statuses == {"danger is wrong": "still_there", "risk is wrong": "new"}
        asked = len(calls)
        statuses, _ = await review(app.url, second)
        assert statuses == {"danger is wrong": "still_there", "risk is wrong": "still_there"}
        assert len(calls) == asked
        fixed = second.replace("danger(1)", "safe(1)")
        statuses, _ = await review(app.url, fixed)
        assert statuses == {"danger is wrong": "fixed", "risk is wrong": "still_there"}
        statuses, _ = await review(app.url, fixed)
        assert statuses == {"risk is wrong": "still_there"}
        statuses, found = await review(app.url, second)
        assert statuses == {"danger is wrong": "returned", "risk is wrong": "still_there"}
        assert next(one["id"] for one in found["findings"] if one["status"] == "returned") == name


async def test_a_finding_that_is_ignored_stays_so_until_it_is_opened(tmp_path: Path) -> None:
    after = BEFORE + "\n\ndef one(x=[]):\n    return x\n"
    async with running_app(settings(tmp_path, workspace=True)) as app:
        _, found = await review(app.url, after)
        path = f"/reviews/findings/{found['findings'][0]['id']}"
        ignored = await post(app.url, path, {"status": "ignored", "reason": "on purpose"})
        assert (ignored.status_code, ignored.json()["status"]) == (200, "ignored")
        statuses, found = await review(app.url, "import re\n" + after)
        assert list(statuses.values()) == ["ignored"]
        task = (await get(app.url, "/api/v1/tasks"))["tasks"][0]
        assert task["review"]["findings"] == 0
        listed = await get(app.url, "/api/v1/reviews/findings?subject=main&status=ignored")
        assert [(one["reason"], one["line"]) for one in listed["items"]] == [("on purpose", 20)]
        await post(app.url, path, {"status": "open"})
        statuses, _ = await review(app.url, "import re\n" + after)
        assert list(statuses.values()) == ["still_there"]
        missing = await post(
            app.url, "/reviews/findings/00000000-0000-5000-8000-000000000000", {"status": "open"}
        )
        assert missing.status_code == 404


async def test_the_command_reviews_a_working_copy(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    repository = GitRepository(copy)
    repository.commit({"app.py": BEFORE.encode(), "latin.py": b"x = '\xe9'\n"})
    (copy / "app.py").write_text(BEFORE + "\n\ndef one(x=[]):\n    return x\n")
    (copy / "latin.py").write_bytes(b"x = '\xe8'\nbreakpoint()\n")
    async with running_app(settings(tmp_path, workspace=True)) as app:
        variables = {"GENCODE_URL": app.url, "HOME": str(tmp_path)}

        async def run(*arguments: str, status: int = 0) -> str:
            done = await run_gencode(["review", *arguments], variables, copy)
            assert done.returncode == status, done.stderr.decode()
            return done.stdout.decode()

        shown = await run("--fail-on", "major", status=1)
        assert "app.py:19: major: A mutable default" in shown
        assert "latin.py:2: major: A call of the debugger is left" in shown
        assert len(json.loads(await run("--format", "json"))["findings"]) == 2
        assert json.loads(await run("--format", "sarif", "--exclude", "latin.py"))["version"] == "2.1.0"
        assert "# Code review" in await run("--format", "markdown", "--fail-on", "critical")
        (copy / "changes.patch").write_text(patch_of("import re\n" + BEFORE))
        assert await run("changes.patch") == "nothing found in 1 file\n"
        assert await run("--base", "-x", status=2) == ""
        repository.git("checkout", "-q", ".")
        assert await run() == ""


async def test_a_branch_of_a_repository_is_reviewed_with_the_functions_around(tmp_path: Path) -> None:
    head = "def long():\n" + "".join(f"    step_{n}()\n" for n in range(20))
    async with (
        git_server(tmp_path / "served") as served,
        model_server(reviewer({"app.py": ["danger"]})) as model,
        running_app(settings(tmp_path, model, workspace=True, workspace_allow_networks="127.0.0.0/8")) as app,
    ):
        repository = served.repository()
        repository.commit({"app.py": (head + "    return 1\n").encode(), "old.py": b"x = 1\n"})
        repository.git("checkout", "-q", "-b", "change")
        tip = repository.commit({"app.py": (head + "    return danger(1)\n").encode(), "old.py": b"x = 1\n"})
        repository.git("checkout", "-q", "main")
        repository.commit({"app.py": (head + "    return 1\n").encode(), "old.py": b"x = 2\n"})
        row = (await post(app.url, "/git/repositories", {"name": "p", "repository_url": served.url()})).json()
        fields = {"repository_id": row["id"], "base": "main", "head": "change"}
        task_id = await submit(app.url, patch=None, **fields)
        await events(app.url, task_id)
        task = await get(app.url, f"/api/v1/task/{task_id}")
        assert (task["state"], task["subject"]) == ("succeeded", f"{row['id']}/change"), task
        found = await get(app.url, f"/api/v1/task/{task_id}/review")
        assert (found["head_commit"], found["stats"]["files"]) == (tip, 1)
        assert [(one["line"], one["in_diff"]) for one in found["findings"]] == [(22, "added")]
        assert "def long():" in prompt_of(model.requests[0].body)
        compared = {"name": "d", "repository_id": row["id"], "source_ref": "change", "target_ref": "main"}
        diff = (await post(app.url, "/code-diffs", compared)).json()
        await events(app.url, diff["task_id"])
        of_diff = await submit(app.url, patch=None, code_diff_id=diff["id"])
        await events(app.url, of_diff)
        again = await get(app.url, f"/api/v1/task/{of_diff}/review")
        assert (again["head_commit"], again["subject"]) == (tip, found["subject"])
        title = (await get(app.url, f"/api/v1/task/{of_diff}"))["title"]
        assert title == f"{row['name']}/change"
        assert [(one["id"], one["status"]) for one in again["findings"]] == [
            (found["findings"][0]["id"], "still_there")
        ]
        for wrong, field in (
            ({**fields, "patch": PATCH}, "body"),
            ({"code_diff_id": row["id"]}, "code_diff_id"),
            ({"repository_id": row["id"], "base": "main"}, "body"),
            ({**fields, "repository_id": "00000000-0000-4000-8000-000000000000"}, "repository_id"),
        ):
            refused = await post(app.url, "/pipelines/code-review", wrong)
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
        lost = await submit(app.url, patch=None, **{**fields, "head": "nowhere"})
        await events(app.url, lost)
        assert (await get(app.url, f"/api/v1/task/{lost}"))["error"]["code"] == "REF_UNKNOWN"


async def test_a_change_is_compared_with_requirements(tmp_path: Path) -> None:
    def script(body: Body) -> Reply:
        prompt = prompt_of(body)
        (known, *_) = re.findall(r"^(R\d+-\w+): ", prompt, re.MULTILINE)
        shown = finding_about(prompt, "seen=[]")
        proven = {"id": known, "status": "partly", "note": "n"} | {
            name: shown[name] for name in ("path", "anchor", "quote")
        }
        return text(json.dumps({"findings": [], "requirements": [proven]}), size=2000)

    async with running_app(settings(tmp_path / "offline", workspace=True)) as app:
        assert await not_analysed(app.url) == 422
    async with model_server(script) as server:
        data = settings(tmp_path, server, workspace=True)
        async with running_app(data) as app:
            document = await analysed_document(app)
            for _ in range(2):
                task_id = await submit(app.url, requirement_document_id=document)
                await events(app.url, task_id)
                found = await get(app.url, f"/api/v1/task/{task_id}/review")
                statuses = [(told["status"], len(told["evidence"])) for told in found["requirements"]]
                assert statuses == [("partly", 1), ("not_touched", 0)]
                assert found["requirements"][0]["evidence"][0]["line"] == 4
            assert len(server.requests) == 1
            page = await get(app.url, f"/api/v1/task/{task_id}/review.md")
            assert "**partly met** (`app.py:4`)" in page


async def not_analysed(url: str) -> int:
    body = {"name": "d", "original_content": "# Shop\n\nIt shall sum prices.\n"}
    document = (await post(url, "/requirements", body)).json()["id"]
    fields = {"patch": PATCH, "requirement_document_id": document}
    return (await post(url, "/pipelines/code-review", fields)).status_code


async def analysed_document(app: App) -> str:
    """With two requirements."""
    body = {"name": "d", "original_content": "# Shop\n\nIt shall sum prices.\n"}
    document = str((await post(app.url, "/requirements", body)).json()["id"])
    quote = SourceQuote(text="It shall sum prices.", is_verified=False)
    requirements = [
        Requirement(id=name, type=RequirementType.FUNCTIONAL, statement="It sums.", source=quote)
        for name in ("R1-aaaaaa", "R2-bbbbbb")
    ]
    comparison = ComparisonLedger(status=PartStatus.ANALYSED, compared=2, of=2)
    analysis = Analysis(
        document_id=document,
        document_name="d",
        task_id="t",
        model="m",
        language="en",
        is_complete=True,
        by_rules=False,
        requirements=requirements,
        contradictions=[],
        open_questions=[],
        parts=[],
        comparison=comparison,
        left_out=0,
        next_number=3,
    )
    (workspace,) = [one for one in app.services.extensions if isinstance(one, Workspace)]
    await RequirementDocuments(workspace.database).store_analysis(document, "local", analysis, "")
    return document

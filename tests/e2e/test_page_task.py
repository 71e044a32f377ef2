"""The page in a real browser: a task from its prompt to its repository, and everything that can interrupt
it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from decimal import Decimal
from pathlib import Path

import anyio
import pytest
from playwright.async_api import Browser, Locator, Page, Route, expect

from gencode.client import Client
from gencode.llm.prices import Price
from tests.e2e.test_secret_found import LEAKED
from tests.servers.browser import needs_chromium, tab
from tests.servers.github import github_server
from tests.servers.model import Body, Reply, call_of, http_error, model_server, plan_and_files, text
from tests.servers.service import environment, running_app, service, settings

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="session")]

FILES = {
    "app.py": "def main():\n    return 'hello'\n",
    "lib/tool.py": "import os\n",
    "README.md": "# Hello\n",
}
LOST = "net::ERR_"
"""The message on the console of Chromium when the service is not running."""
GATEWAY = "502"
"""The same when it is behind a proxy."""


async def submit(page: Page, name: str = "hello", prompt: str = "say hello") -> None:
    await page.get_by_label("Prompt").fill(prompt)
    await page.get_by_label("Repository name").fill(name)
    await page.get_by_role("button", name="Generate").click()
    await expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


async def expect_status(page: Page, status: str = "Completed") -> None:
    await expect(page.locator("main .badge")).to_have_text(status)


def file_item(page: Page, path: str, state: str) -> Locator:
    return page.get_by_role("treeitem", name=f"{path}, {state}")


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_failed_task_is_edited_and_run_again(language: str, browser: Browser, tmp_path: Path) -> None:
    words = {"en": ("Edit and run again", "Generate"), "zh": ("修改后重新运行", "生成")}[language]

    def until_it_is_clear(body: Body) -> Reply | None:
        return http_error(402, "no balance") if "mumble" in json.dumps(body) else None

    async with (
        model_server(plan_and_files(FILES, replace=until_it_is_clear)) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github)) as app,
        tab(browser, app.url) as page,
    ):
        await page.get_by_label("Prompt").fill("mumble")
        await page.get_by_text("Model, budget and delivery").click()
        await page.locator("#max_tokens").fill("90000")
        await submit(page, prompt="mumble,\nthen say hello")
        await expect_status(page, "Failed")
        if language == "zh":
            await page.get_by_role("button", name="中文").click()
        await page.get_by_role("button", name=words[0]).click()
        await expect(page.locator("#prompt")).to_have_value("mumble,\nthen say hello")
        values = [
            await page.locator(f"#{name}").input_value() for name in ("repo_name", "private", "max_tokens")
        ]
        assert values == ["hello", "true", "90000"]
        await page.locator("#prompt").fill("say hello")
        await page.get_by_role("button", name=words[1]).click()
        await expect_status(page, {"en": "Completed", "zh": "已完成"}[language])


async def test_from_the_prompt_to_the_repository(browser: Browser, tmp_path: Path) -> None:
    """Estimate, stages, files as they fill, code while it is written and when it is complete, the result."""
    gates = {"": anyio.Event(), "lib/tool.py": anyio.Event(), "README.md": anyio.Event()}
    written = anyio.Event()

    def half_of_the_file(body: Body) -> Reply | None:
        if call_of(body) != ("file", "app.py"):
            return None
        parts = list(text(FILES["app.py"], size=24).parts)
        return Reply(parts=[*parts[:1], written, *parts[1:]])

    async with (
        model_server(plan_and_files(FILES, gates=gates, replace=half_of_the_file)) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github)) as app,
        tab(browser, app.url) as page,
    ):
        await page.get_by_label("Prompt").fill("say hello")
        await expect(page.locator("#estimate")).to_contain_text("tokens by scripted")
        await submit(page)
        await expect_status(page, "Generating")
        gates[""].set()
        await expect(file_item(page, "app.py", "being written")).to_be_visible()
        await expect(file_item(page, "README.md", "planned")).to_be_visible()
        await expect(page.locator(".code pre")).to_have_text("def main():\n    return '")
        await expect(page.locator(".stage.now .stage-name")).to_contain_text("Generate")
        assert await page.locator("progress").is_hidden(), "no bar before anything is known"
        written.set()
        await expect(file_item(page, "app.py", "whole")).to_be_visible()
        for gate in gates.values():
            gate.set()
        await expect_status(page)
        await expect(page.locator(".stage.done")).to_have_count(6)
        await page.get_by_role("treeitem", name="app.py").click()
        await expect(page.locator(".code pre")).to_have_text(FILES["app.py"])
        await expect(page.locator(".code pre .c-keyword").first).to_have_text("def")
        await expect(page.locator("#clone")).to_have_text(re.compile(r"^git clone http://.+/hello\.git$"))
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Download zip").click()
        archive = zipfile.ZipFile(io.BytesIO(Path(await (await download.value).path()).read_bytes()))
        assert {name.partition("/")[2] for name in archive.namelist()} >= set(FILES)
        await expect(page.get_by_role("navigation").get_by_role("link", name="hello")).to_contain_text(
            "Completed"
        )


async def test_a_reload_resumes_the_same_task(browser: Browser, tmp_path: Path) -> None:
    """The part of a file that was streamed before is not sent again, and the page says so."""
    gates = [anyio.Event(), anyio.Event()]

    def in_small_chunks(body: Body) -> Reply | None:
        if call_of(body) != ("file", "README.md"):
            return None
        parts = list(text("# Hello\n\nIt says hello.\n", size=9).parts)
        return Reply(parts=[parts[0], gates[0], parts[1], gates[1], *parts[2:]])

    async with (
        model_server(plan_and_files(FILES, replace=in_small_chunks)) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github)) as app,
        tab(browser, app.url) as page,
    ):
        await submit(page)
        await model.arrival("file", "README.md")
        await expect(file_item(page, "app.py", "whole")).to_be_visible()
        await page.reload()
        await expect(file_item(page, "app.py", "whole")).to_be_visible()
        gates[0].set()
        await expect(file_item(page, "README.md", "being written")).to_be_visible()
        await expect(page.locator(".code pre")).to_have_text("It says h")
        await expect(page.locator(".gap")).to_be_visible()
        gates[1].set()
        await expect_status(page)
        await expect(page.locator(".document h3")).to_have_text("Hello")
        await page.get_by_role("button", name="Source").click()
        await expect(page.locator(".code pre")).to_have_text("# Hello\n\nIt says hello.\n")
        await expect(page.locator(".gap")).to_be_hidden()
        await events_once(page)


async def events_once(page: Page) -> None:
    """The log has each event once, without gaps."""
    await page.locator(".log-box summary").click()
    ids = await page.locator(".log-id").all_inner_texts()
    assert ids == [str(number) for number in range(1, len(ids) + 1)]
    assert len(ids) > 10


async def test_it_survives_kill_9_of_the_service(browser: Browser, tmp_path: Path) -> None:
    gate = anyio.Event()
    async with (
        model_server(plan_and_files(FILES, gates={"README.md": gate})) as model,
        github_server(tmp_path / "github") as github,
        service(tmp_path, environment(model, github)) as process,
        tab(browser, process.url, expected=[LOST]) as page,
    ):
        await submit(page)
        await expect(file_item(page, "app.py", "whole")).to_be_visible()
        await model.arrival("file", "README.md")
        await process.kill()
        await expect(page.locator(".notice")).to_contain_text("connection is lost")
        gate.set()
        await process.start()
        await expect_status(page)
        await expect(page.locator(".notice")).to_have_count(0)
        await events_once(page)
        assert github.effects == {"create": 1, "push": 1}


async def test_cancel_asks_for_confirmation(browser: Browser, tmp_path: Path) -> None:
    async with (
        model_server(plan_and_files(FILES, gates={"README.md": anyio.Event()})) as model,
        running_app(settings(tmp_path, model)) as app,
        tab(browser, app.url) as page,
    ):
        await submit(page)
        await expect(file_item(page, "app.py", "whole")).to_be_visible()
        await page.get_by_role("button", name="Cancel").click()
        await expect(page.get_by_role("button", name="Keep it going")).to_be_focused()
        await page.get_by_role("button", name="Cancel the task").click()
        await expect_status(page, "Cancelled")
        await page.get_by_role("treeitem", name="app.py").click()
        await expect(page.locator(".code pre")).to_have_text(FILES["app.py"])
        await expect(page.get_by_role("link", name="Download zip")).to_be_visible()
        await page.get_by_role("button", name="Delete").click()
        await expect(page.get_by_role("button", name="Keep it")).to_be_focused()
        await page.get_by_role("button", name="Delete the task").click()
        await expect(page.get_by_label("Prompt")).to_be_visible()
        await expect(page.locator(".rows a")).to_have_count(0)


async def test_a_failure_shows_its_code_and_advice_and_retry_resumes(
    browser: Browser, tmp_path: Path
) -> None:
    empty = [True]

    def account(body: Body) -> Reply | None:
        kind, path = call_of(body)
        return http_error(402, "empty") if empty[0] and (kind, path) == ("file", "README.md") else None

    async with (
        model_server(plan_and_files(FILES, replace=account)) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github)) as app,
        tab(browser, app.url) as page,
    ):
        await submit(page)
        await expect_status(page, "Failed")
        card = page.get_by_role("region", name="The task failed")
        await expect(card).to_contain_text("LLM_BALANCE")
        await expect(card).to_contain_text("Top up the account")
        await expect(page.locator(".stage.failed")).to_contain_text("Generate")
        empty[0] = False
        await card.get_by_role("button", name="Retry").click()
        await expect_status(page)
        await expect(card).to_have_count(0)
        assert model.completed["file", "app.py"] == 1
        await events_once(page)


async def test_a_budget_that_was_too_small_is_raised_on_the_page(browser: Browser, tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, tab(browser, app.url) as page:
        await page.get_by_text("Model, budget and delivery").click()
        await page.get_by_label("Most tokens").fill("100")
        await submit(page, "notes", "a notes API")
        card = page.get_by_role("region", name="The task failed")
        await expect(card).to_contain_text("BUDGET_EXCEEDED")
        await card.get_by_label("New limit of tokens").fill("200,000")
        await card.get_by_role("button", name="Retry").click()
        await expect_status(page)


@pytest.mark.campaign
async def test_a_taken_name_is_replaced_on_the_page(browser: Browser, tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, tab(browser, app.url) as page:
        async with Client(app.url) as client:
            await client.wait((await client.submit("a notes API", "notes"))["task_id"])
        await submit(page, "notes", "a notes API")
        card = page.get_by_role("region", name="The task failed")
        await expect(card).to_contain_text("REPO_EXISTS")
        await card.get_by_label("New name of the repository").fill("notes-2")
        await card.get_by_role("button", name="Retry").click()
        await expect_status(page)
        await expect(page.locator("#clone")).to_contain_text("notes-2")


@pytest.mark.campaign
async def test_a_link_to_a_task_opens_it_in_another_tab(browser: Browser, tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app:
        async with Client(app.url) as client:
            task_id = (await client.submit("a static page", "page"))["task_id"]
        async with tab(browser, app.url, hash=f"#/task/{task_id}") as page:
            await expect_status(page)
            await expect(page.get_by_role("navigation").get_by_role("link", name="page")).to_have_attribute(
                "aria-current", "page"
            )
            await page.get_by_role("link", name="New task").click()
            await expect(page.get_by_label("Prompt")).to_be_visible()
            await page.go_back()
            await expect_status(page)
        for unknown in ("01a2021a-8d23-71f4-ad22-53ae0ed12a67", "%", "%E0%A4%A"):
            async with tab(browser, app.url, hash=f"#/task/{unknown}", expected=["404"]) as page:
                await expect(page.get_by_text("There is no such task here")).to_be_visible()


HOSTILE = "<img src=x onerror=\"document.title='owned'\">"
SCRIPT = f"<script>document.title='owned'</script>\n{HOSTILE}\n"


async def test_text_from_the_model_is_never_markup(browser: Browser, tmp_path: Path) -> None:
    """Names, purposes, messages, and code in a language whose grammar has tags: none becomes an element."""
    path = "&lt;img src=x onerror=alert(1)&gt;.html"
    files = {path: SCRIPT, "README.md": SCRIPT}
    plan = {"summary": SCRIPT, "files": [{"path": name, "purpose": HOSTILE} for name in files]}
    planned, written = anyio.Event(), anyio.Event()

    def half_of_the_file(body: Body) -> Reply | None:
        if call_of(body) != ("file", path):
            return None
        parts = list(text(SCRIPT, size=len(SCRIPT) - 2).parts)
        return Reply(parts=[*parts[:1], written, *parts[1:]])

    async with (
        model_server(
            plan_and_files(files, plan=plan, gates={"": planned}, replace=half_of_the_file)
        ) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github)) as app,
        tab(browser, app.url) as page,
    ):
        await submit(page, prompt=SCRIPT)
        await expect_status(page, "Generating")
        planned.set()
        await page.get_by_role("treeitem", name=path).click()
        await expect(page.locator(".code pre")).to_contain_text("onerror")
        written.set()
        await expect_status(page)
        await expect(page.locator(".code .note")).to_be_hidden()
        await expect(page.locator(".code pre")).to_have_text(SCRIPT)
        await page.locator(".log-box summary").click()
        await expect(page.locator(".log")).to_contain_text(HOSTILE)
        assert await page.locator("main img, main script, main b").count() == 0
        assert "owned" not in await page.title()


async def test_a_message_that_quotes_the_model_is_never_markup(browser: Browser, tmp_path: Path) -> None:
    plan = {"summary": "bad", "files": [{"path": HOSTILE, "purpose": "none"}]}
    async with (
        model_server(plan_and_files({HOSTILE: ""}, plan=plan)) as model,
        running_app(settings(tmp_path, model)) as app,
        tab(browser, app.url) as page,
    ):
        await submit(page)
        card = page.get_by_role("region", name="The task failed")
        await expect(card).to_contain_text("UNSAFE_PATH")
        await expect(card).to_contain_text("<img src=x onerror")
        assert await page.locator("main img").count() == 0


async def test_time_left_and_stalls_are_shown_as_reported(browser: Browser, tmp_path: Path) -> None:
    """The test serves the stream itself: a model cannot be made to stall on a schedule."""
    told = [
        {"percent": 40, "seconds_left": 95, "stalled": True, "rate_limited_until": None},
        {
            "percent": None,
            "seconds_left": None,
            "stalled": False,
            "rate_limited_until": "2030-01-01T00:00:00Z",
        },
    ]
    streams = [WORKING + f"event: progress\ndata: {json.dumps(one)}\n\n" for one in told]
    seen = anyio.Event()  # the first stream: the second would replace what the page shows of it

    async def stream(route: Route) -> None:
        body = streams[0]
        if "after=0" not in route.request.url:
            await seen.wait()
            body = streams[1]
        await route.fulfill(content_type="text/event-stream", body=body)

    async with (
        model_server(plan_and_files(FILES, gates={"": anyio.Event()})) as model,
        running_app(settings(tmp_path, model)) as app,
        tab(browser, app.url) as page,
    ):
        await page.route("**/api/v1/status/*", stream)
        await submit(page)
        await expect(page.get_by_role("progressbar")).to_have_attribute("value", "40")
        await expect(page.locator(".figure.left")).to_contain_text("about 1 min 35 s · 40%")
        await expect(page.locator(".notice").last).to_contain_text("silent")
        seen.set()
        await expect(page.locator(".notice").last).to_contain_text("slow down")
        await expect(page.get_by_role("progressbar")).to_be_hidden()
        await expect(page.locator(".figure.left")).to_be_hidden()


WORKING = "".join(
    f'event: status\nid: {number}\ndata: {{"status":"{status}","message":"","at":"2026-01-01T00:00:00Z"}}\n\n'
    for number, status in ((1, "pending"), (2, "generating"))
)


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_page_shows_what_a_plan_leaves_out_and_what_it_will_cost(
    language: str, browser: Browser, tmp_path: Path
) -> None:
    files = [{"path": "app.py", "lines": 100, "needs": ["logo.png"]}, {"path": "logo.png"}]
    script = plan_and_files({"app.py": "x = 1\n"}, plan={"summary": "s", "files": files})
    prices = {"scripted": Price(prompt=Decimal(0), completion=Decimal(10_000))}
    texts = {
        "en": ["logo.png is a binary file", "do without: app.py", "an estimated", "costing 7 to 14"],
        "zh": ["logo.png 是二进制文件", "将不再使用：app.py", "预计编写还需", "费用 7 到 14"],
    }[language]
    async with (
        model_server(script) as model,
        running_app(settings(tmp_path, model, prices=prices)) as app,
        Client(app.url) as client,
        tab(browser, app.url) as page,
    ):
        task = (await client.submit("an app", "app", approve_plan=True))["task_id"]
        await page.goto(f"{app.url}/#/task/{task}")
        if language == "zh":
            await page.get_by_role("button", name="中文").click()
        for text_ in texts[:2]:
            await expect(page.locator("#plan-left-out")).to_contain_text(text_)
        for text_ in texts[2:]:
            await expect(page.locator("#plan-estimate")).to_contain_text(text_)


@pytest.mark.campaign
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_what_only_looks_like_a_secret_is_allowed_on_the_page(
    language: str, browser: Browser, tmp_path: Path
) -> None:
    words = {"en": ("these are no secrets", "Retry", "Completed"), "zh": ("这些不是密钥", "重试", "完成")}[
        language
    ]
    async with (
        model_server(plan_and_files({"app.py": f"TOKEN = '{LEAKED}'\n"})) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github)) as app,
        tab(browser, app.url) as page,
    ):
        await submit(page)
        await expect_status(page, "Failed")
        if language == "zh":
            await page.get_by_role("button", name="中文").click()
        await page.get_by_text(words[0]).click()
        await page.get_by_role("button", name=words[1], exact=True).click()
        await expect(page.locator("main .badge")).to_contain_text(words[2])
        assert github.effects == {"create": 1, "push": 1}


async def test_the_plan_is_changed_and_approved_on_the_page(browser: Browser, tmp_path: Path) -> None:
    """One file is removed, one renamed, one added; no file is requested before."""
    files = {"app.py": FILES["app.py"], "docs/notes.md": "# Notes\n", "README.md": FILES["README.md"]}
    async with (
        model_server(plan_and_files(files | FILES, plan=planned(FILES))) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github)) as app,
        tab(browser, app.url, expected=["422"]) as page,
    ):
        await page.get_by_label("Let me approve the plan first").check()
        await submit(page)
        card = page.get_by_role("region", name="Approve the plan")
        await expect(card.get_by_role("button", name="Approve 3 files")).to_be_enabled()
        await expect_status(page, "Waiting for approval")
        await page.reload()
        await card.get_by_role("button", name="Take out lib/tool.py").click()
        await card.get_by_role("button", name="Add a file").click()
        await card.get_by_label("Path of file 3").fill("../escape.md")
        await card.get_by_role("button", name="Approve 3 files").click()
        await expect(card.get_by_role("alert")).to_contain_text("VALIDATION")
        await card.get_by_label("Path of file 3").fill("docs/notes.md")
        await card.get_by_label("Purpose of file 3").fill("How it is used")
        assert set(model.started) == {("plan", "")}
        await card.get_by_role("button", name="Approve 3 files").click()
        await expect_status(page, "Completed")
        await expect(card).to_have_count(0)
        assert {path for kind, path in model.completed if kind == "file"} == set(files)
        assert await page.get_by_role("treeitem").count() == len(files)
        await events_once(page)


def planned(files: dict[str, str]) -> dict[str, object]:
    return {"summary": "Says hello.", "files": [{"path": path, "purpose": "part of it"} for path in files]}

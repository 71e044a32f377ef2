"""What the page shows of a task besides its state: findings, stages, documents, a search, edits of a plan.

And what the form and other tabs keep.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect
from pydantic import SecretStr

from gencode.client import Client
from tests.e2e.test_page_access import check_accessibility
from tests.e2e.test_page_keys import enter_key
from tests.e2e.test_page_task import HOSTILE, expect_status, planned, submit
from tests.servers.browser import held_back, needs_chromium, tab
from tests.servers.calls import post
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import running_app, settings

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="session"), pytest.mark.campaign]

DOCUMENT = f"""# Hello

It says **hello** in `python`. See [the site](https://example.com/a) and [this](javascript:alert(1)).

- one
- {HOSTILE}

| Page | What |
|---|---|
| `/` | all |
"""


async def test_a_fault_is_shown_at_its_line(browser: Browser, tmp_path: Path) -> None:
    files = {"README.md": DOCUMENT, "z/bad.py": "import os\n\n\ndef main(:\n    return 1\n"}
    async with (
        model_server(plan_and_files(files)) as model,
        running_app(settings(tmp_path, model)) as app,
        tab(browser, app.url) as page,
    ):
        await submit(page)
        await expect_status(page, "Failed")
        await expect(page.locator("h3.code-name")).to_have_text("z/bad.py")
        await expect(page.locator(".code-line.faulty")).to_have_text("def main(:")
        await expect(page.locator(".code-line.faulty + .line-note")).to_contain_text("does not parse")
        await expect(page.locator(".glyph.faulty .icon-warn")).to_be_visible()
        await check_accessibility(page)
        await stage_shows_its_calls(page)
        await search_finds_lines(page)
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Report").click()
        assert '"findings"' in Path(await (await download.value).path()).read_text(encoding="utf-8")


async def stage_shows_its_calls(page: Page) -> None:
    stage = page.get_by_role("button", name="Generate (done)")
    await stage.press("Enter")
    detail = page.get_by_role("region", name="Generate", exact=True)
    await expect(detail.locator("tbody tr")).to_have_count(3)
    await expect(detail).to_contain_text("3 model calls")
    await expect(detail.locator("tbody tr").first).to_contain_text("the plan")
    await expect(detail.locator("tbody tr td:last-child").first).to_contain_text(" s")
    await check_accessibility(page)
    await stage.press("Enter")
    await expect(detail).to_have_count(0)


async def search_finds_lines(page: Page) -> None:
    await page.get_by_label("Search in files").first.fill("RETURN")
    found = page.locator(".found-line")
    await expect(found).to_have_text(["z/bad.py:5return 1"])
    await found.click()
    await expect(page.locator(".code-line.here")).to_have_text("return 1")
    await page.get_by_label("Search in files").first.fill("hello**")
    await expect(found).to_contain_text("README.md:3")
    await found.click()
    await expect(page.locator(".code-line.here")).to_contain_text("It says **hello**")
    await page.get_by_label("Search in files").first.fill("")
    await expect(page.get_by_role("tree")).to_be_visible()


async def test_a_document_is_shown_as_one_and_stays_harmless(browser: Browser, tmp_path: Path) -> None:
    async with (
        model_server(plan_and_files({"README.md": DOCUMENT, "app.py": "x = 1\n"})) as model,
        running_app(settings(tmp_path, model)) as app,
        tab(browser, app.url) as page,
    ):
        await submit(page)
        await expect_status(page)
        document = page.locator(".document")
        await expect(document.locator("h3")).to_have_text("Hello")
        await expect(document.locator("li").nth(1)).to_have_text(HOSTILE)
        await expect(document.locator("a")).to_have_count(1)
        await expect(document.locator("a")).to_have_attribute("href", "https://example.com/a")
        assert await page.locator("main img").count() == 0
        await check_accessibility(page)
        await page.get_by_role("button", name="Source").click()
        await expect(page.locator(".code-line").first).to_have_text("# Hello")


async def test_edits_of_a_plan_survive_a_reload(browser: Browser, tmp_path: Path) -> None:
    files = {"app.py": "x = 1\n", "lib/tool.py": "y = 2\n", "docs/notes.md": "# Notes\n"}
    async with (
        model_server(plan_and_files(files, plan=planned({"app.py": "", "lib/tool.py": ""}))) as model,
        running_app(settings(tmp_path, model)) as app,
        tab(browser, app.url) as page,
    ):
        await page.get_by_label("Let me approve the plan first").check()
        await submit(page)
        card = page.get_by_role("region", name="Approve the plan")
        await card.get_by_role("button", name="Add a file").click()
        await expect(card.get_by_role("button", name="Approve 3 files")).to_be_disabled()
        await expect(card.get_by_text("File 3 has no path")).to_be_visible()
        await card.get_by_label("Path of file 3").fill("other.md")
        await page.reload()
        await expect(card.get_by_label("Path of file 3")).to_have_value("other.md")
        await card.get_by_role("button", name="Undo my changes").click()
        await expect(card.get_by_role("button", name="Approve 2 files")).to_be_enabled()
        await expect(page.locator(".figure.waited")).to_be_visible()
        await check_accessibility(page)
        await card.get_by_role("button", name="Approve 2 files").click()
        await expect_status(page)


async def test_nothing_is_added_to_a_plan_that_has_not_arrived(browser: Browser, tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, tab(browser, app.url) as page:
        card = page.get_by_role("region", name="Approve the plan")
        async with held_back(page, "**/plan"):
            await page.get_by_label("Let me approve the plan first").check()
            await submit(page)
            await expect(card.get_by_role("button", name="Add a file")).to_be_disabled()
        await card.get_by_role("button", name="Add a file").click()
        await expect(card.get_by_text(re.compile(r"File \d+ has no path"))).to_be_visible()


async def test_the_form_suggests_a_name_that_is_free(browser: Browser, tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, tab(browser, app.url, width=360) as page:
        async with Client(app.url) as client:
            await client.wait((await client.submit("a static page", "static-page"))["task_id"])
        await page.reload()
        await expect(page.get_by_role("link", name="API")).to_be_in_viewport(ratio=1)
        await page.set_viewport_size({"width": 360, "height": 640})
        generate = page.get_by_role("button", name="Generate")
        await expect(generate).to_be_in_viewport(ratio=1)
        await generate.click()
        await expect(page.locator("#repo_name-wrong")).to_have_text("This is needed.")
        await page.get_by_label("Prompt").fill("a static page")
        await expect(page.get_by_label("Repository name")).to_have_value("static-page-2")
        await expect(page.locator("#repo_name-wrong")).to_be_empty()
        await generate.click()
        await expect_status(page)
        await expect(page.get_by_role("heading", level=1, name="static-page-2")).to_be_visible()


async def test_the_key_is_asked_for_once_for_all_tabs(browser: Browser, tmp_path: Path) -> None:
    options = settings(tmp_path, api_keys=SecretStr("me=the-key"))
    async with running_app(options) as app, tab(browser, app.url, expected=["401"]) as page:
        await enter_key(page, "the-key")
        await expect(page.get_by_text("No tasks yet.")).to_be_visible()
        other = await page.context.new_page()
        await other.goto(app.url)
        await expect(other.get_by_text("No tasks yet.")).to_be_visible()
        await expect(other.get_by_role("dialog")).to_have_count(0)
        await page.get_by_role("button", name="Forget key").click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        assert await other.evaluate("sessionStorage.getItem('gencode.key')") is None


async def test_models_hosts_and_names_are_offered(browser: Browser, tmp_path: Path) -> None:
    """A user's own model by its name; a name that is taken is said before anything is submitted."""
    own = {"name": "My model", "provider": "deepseek", "model": "deepseek-chat", "api_key": "sk-1234567890"}
    async with running_app(settings(tmp_path, workspace=True)) as app, Client(app.url) as client:
        await post(app.url, "/ai/models", {**own, "is_default": True})
        task = await client.submit("a static page", "page", model="offline")
        await client.wait(task["task_id"])
        async with tab(browser, app.url, width=360) as page:
            await page.get_by_text("Model, budget and delivery").click()
            await expect(page.locator("#model option")).to_have_text(
                ["default", "My model, the default", "offline", "Another model…"]
            )
            await expect(page.locator("#host option")).to_have_text(["default", "local, the default"])
            await page.get_by_label("Prompt").fill("a page")
            await expect(page.locator("#estimate")).to_contain_text("by My model")
            await page.get_by_label("Repository name").fill("page")
            await expect(page.locator("#repo_name-wrong")).to_contain_text("page-2 is probably free")
            await page.get_by_label("Repository name").fill("page-3")
            await expect(page.get_by_text("This name is free.")).to_be_visible()
            await check_accessibility(page)
            page.once("dialog", lambda dialog: dialog.accept("offline/offline"))
            await page.get_by_label("Model", exact=True).select_option("Another model…")
            await page.get_by_role("button", name="Generate").click()
            await expect_status(page)
            await expect(page.locator("main")).to_contain_text("by offline · Private")
            await expect(page.get_by_role("link", name="API")).to_be_in_viewport(ratio=1)


async def test_a_task_begun_in_english_is_shown_in_the_language_of_the_viewer(
    browser: Browser, tmp_path: Path
) -> None:
    files = {"README.md": "# Hello\n", "bad.py": "def main(:\n"}
    async with (
        model_server(plan_and_files(files)) as model,
        running_app(settings(tmp_path, model)) as app,
        Client(app.url) as client,
    ):
        paused = (await client.submit("an app", "app", approve_plan=True))["task_id"]
        failed = (await client.submit("an app", "bad"))["task_id"]
        async with tab(browser, app.url, locale="zh-CN", hash=f"#/task/{failed}") as page:
            await expect_status(page, "失败")
            await expect(page.get_by_text("没有推送任何内容。", exact=False).first).to_be_visible()
            await expect(page.locator(".line-note")).to_contain_text("语法错误")
            await page.locator(".log-box summary").click()
            await expect(page.locator(".log li.status").first).to_contain_text("排队中")
            await page.goto(f"{app.url}/#/task/{paused}")
            await expect(page.locator("main .lead")).to_have_text("计划已就绪，等待您的批准")
            await page.get_by_role("button", name="批准 2 个文件").click()
            await expect_status(page, "失败")
            await page.get_by_role("button", name="English").click()
            await expect_status(page, "Failed")


async def test_the_service_gives_a_message_in_both_languages(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, Client(app.url) as client:
        task = await client.wait((await client.submit("a static page", "page"))["task_id"])
        assert task["messages"]["en"].startswith("Task completed successfully")
        assert task["messages"]["zh"].startswith("完成")
        assert task["message"] == task["messages"]["en"]

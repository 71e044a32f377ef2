"""The page for all users: keyboard, screen readers, Chinese, dark and light, narrow screens, prefixes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from playwright.async_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.routing import Mount

from gencode.bootstrap.app import create_app
from gencode.embedded.server import address, listen, serve
from tests.e2e.test_page_task import expect_status, submit
from tests.servers.browser import needs_chromium, tab
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import running_app, settings

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="session")]

AUDIT = Path(__file__).with_name("page_audit.js").read_text(encoding="utf-8")


async def check_accessibility(page: Page) -> None:
    """The first checks of an accessibility tool, and that nothing is wider than the screen."""
    assert await page.evaluate(f"() => {{ {AUDIT} return audit(); }}") == []
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


async def test_by_keyboard_only(browser: Browser, tmp_path: Path) -> None:
    """From the top of the page to the code of a file, with Tab, Enter, Space and arrows."""
    async with running_app(settings(tmp_path)) as app, tab(browser, app.url) as page:
        await expect(page.get_by_text("No tasks yet.")).to_be_visible()
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await expect(page.get_by_label("Prompt")).to_be_focused()
        await page.keyboard.press("Control+Enter")
        await expect(page.get_by_label("Prompt")).to_be_focused()
        await expect(page.get_by_text("This is needed.").first).to_be_visible()
        await page.keyboard.type("a static page")
        await expect(page.get_by_label("Repository name")).to_have_value("static-page")
        await check_accessibility(page)
        await page.keyboard.press("Control+Enter")
        await expect_status(page, "Completed")
        announcer = page.get_by_role("status")
        await expect(announcer).to_have_text("static-page: Completed")
        tree = page.get_by_role("tree")
        while not await tree.evaluate("tree => tree.contains(document.activeElement)"):
            await page.keyboard.press("Tab")
        await page.keyboard.press("Home")
        await page.keyboard.press("ArrowDown")
        path = await page.evaluate("document.activeElement.dataset.path")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("region", name=f"Contents of {path}")).to_be_visible()
        await check_accessibility(page)


async def test_the_link_to_the_content_leaves_the_view_as_it_is(browser: Browser, tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, tab(browser, app.url) as page:
        await page.get_by_label("Prompt").fill("a static page")
        await skip_to_content(page)
        await expect(page.get_by_label("Prompt")).to_have_value("a static page")
        await submit(page, "page", "a static page")
        await expect_status(page, "Completed")
        address = page.url
        await skip_to_content(page)
        await expect(page.get_by_role("heading", level=1, name="page")).to_be_visible()
        assert page.url == address


async def skip_to_content(page: Page) -> None:
    link = page.get_by_role("link", name="Skip to content")
    await link.focus()
    await link.press("Enter")
    await expect(page.locator("main")).to_be_focused()


@pytest.mark.campaign
async def test_in_chinese_and_the_choice_is_remembered(browser: Browser, tmp_path: Path) -> None:
    """In the language of the browser at first, then in the chosen one; messages of the task too."""
    async with running_app(settings(tmp_path)) as app, tab(browser, app.url, locale="zh-CN") as page:
        await page.get_by_label("描述").fill("一个静态网页")
        await page.get_by_label("仓库名").fill("page")
        await page.get_by_role("button", name="生成").click()
        await expect_status(page, "已完成")
        await expect(page.locator("main .lead")).to_contain_text("完成")
        assert await page.evaluate("document.documentElement.lang") == "zh"
        await check_accessibility(page)
        await page.get_by_role("button", name="English").click()
        await expect_status(page, "Completed")
        await page.reload()
        await expect_status(page, "Completed")
        await expect(page.get_by_role("button", name="中文")).to_be_visible()


@pytest.mark.campaign
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (768, "light")])
async def test_narrow_screens_dark_and_light(
    browser: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    async with (
        running_app(settings(tmp_path)) as app,
        tab(browser, app.url, width=width, scheme=scheme) as page,
    ):
        await page.get_by_text("Model, budget and delivery").click()
        await check_accessibility(page)
        await submit(page, "a" * 100, "a Go service")
        await expect_status(page, "Completed")
        await check_accessibility(page)
        await page.get_by_role("link", name="Tasks").click()
        await expect(page.get_by_role("navigation").get_by_role("link")).to_contain_text("Completed")
        button = page.get_by_role("button", name="Theme: system")
        await button.click()
        await page.get_by_role("button", name="Theme: light").click()
        await page.reload()
        assert await page.evaluate("document.documentElement.dataset.theme") == "dark"


async def test_the_list_is_filtered_and_paged(browser: Browser, tmp_path: Path) -> None:
    gate = anyio.Event()
    async with (
        model_server(plan_and_files({"a.py": ""}, gates={"": gate})) as model,
        running_app(settings(tmp_path, model, rate_limit="100/minute")) as app,
        tab(browser, app.url) as page,
    ):
        names = await page.evaluate(MANY)
        links = page.get_by_role("navigation").get_by_role("listitem").get_by_role("link")
        await page.reload()
        await expect(links).to_have_count(20)
        await page.get_by_role("button", name="Older tasks").click()
        await expect(links).to_have_count(len(names))
        await expect(page.get_by_role("button", name="Older tasks")).to_be_hidden()
        await page.get_by_label("Show").select_option("Failed")
        await expect(page.get_by_text("No task is in this state.")).to_be_visible()


MANY = """async () => {
  const names = Array.from({ length: 22 }, (_, at) => `page-${at}`);
  for (const repo_name of names) await fetch("api/v1/generate", {
    method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ prompt: "a static page", repo_name }) });
  return names;
}"""


async def test_below_the_path_of_another_application(browser: Browser, tmp_path: Path) -> None:
    async with mounted(tmp_path, "/tools/gencode") as url, tab(browser, url) as page:
        await submit(page, "page", "a static page")
        await expect_status(page, "Completed")
        await page.get_by_role("treeitem", name="index.html").click()
        await expect(page.locator(".code pre.numbered")).to_contain_text("<!doctype html>")


@asynccontextmanager
async def mounted(folder: Path, path: str) -> AsyncIterator[str]:
    inner = create_app(settings(folder))
    sock = listen()
    outer = Starlette(routes=[Mount(path, inner)])
    async with inner.router.lifespan_context(inner), serve(outer, sock):
        try:
            yield f"{address(sock)}{path}"
        finally:
            inner.state.services.closing.set()

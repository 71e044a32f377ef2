"""The page with API keys: it asks for one, stores it in its tab only, and streams with tickets."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest
from playwright.async_api import Browser, Page, Request, expect

from tests.e2e.test_page_task import FILES, GATEWAY, LOST, events_once, expect_status, file_item, submit
from tests.servers.browser import needs_chromium, tab
from tests.servers.github import github_server
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import environment, service

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="session")]

REFUSED = "401"
"""The message on the console of Chromium for an answer that is expected."""


async def enter_key(page: Page, key: str) -> None:
    await page.get_by_label("Key for this service").fill(key)
    await page.get_by_role("button", name="Use key").click()


@pytest.mark.campaign
async def test_a_task_is_followed_with_tickets_that_expire(browser: Browser, tmp_path: Path) -> None:
    """A wrong key first; then each connection has its own ticket and resumes after the last event. The key is
    in no URL and in no storage that outlives the tab."""
    gate = anyio.Event()
    async with (
        model_server(plan_and_files(FILES, gates={"README.md": gate})) as model,
        github_server(tmp_path / "github") as github,
        service(
            tmp_path, environment(model, github, API_KEYS="me=the-key", SSE_TICKET_SECONDS="1")
        ) as process,
        tab(browser, process.url, expected=[REFUSED, LOST, GATEWAY]) as page,
    ):
        asked: list[str] = []
        page.on("request", lambda request: _record_url(asked, request))
        await enter_key(page, "wrong")
        await expect(page.get_by_role("dialog")).to_contain_text("does not accept that key")
        await expect(page.get_by_label("Key for this service")).to_be_focused()
        await enter_key(page, "the-key")
        await expect(page.get_by_text("No tasks yet.")).to_be_visible()
        await submit(page)
        await expect(file_item(page, "app.py", "whole")).to_be_visible()
        await page.get_by_role("treeitem", name="app.py").click()
        await expect(page.locator(".code pre")).to_have_text(FILES["app.py"])
        await process.kill()
        await expect(page.locator(".notice")).to_contain_text("connection is lost")
        await anyio.sleep(1.1)  # until the ticket has expired, by the clock of the service
        gate.set()
        await process.start()
        await expect_status(page, "Completed")
        await events_once(page)
        streams = [parse_qs(urlsplit(url).query) for url in asked if "/status/" in url]
        assert len({query["ticket"][0] for query in streams}) == len(streams) > 1
        assert int(streams[-1]["after"][0]) > 0
        assert not any("the-key" in url for url in asked)
        await page.set_viewport_size({"width": 360, "height": 740})
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Download zip").click()
        assert (await download.value).suggested_filename == "hello.zip"
        stored = await page.evaluate("[{...sessionStorage}, {...localStorage}, document.cookie]")
        assert stored[0]["gencode.key"] == "the-key"
        assert "the-key" not in json.dumps(stored[1:])
        await page.get_by_role("button", name="Forget key").click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        assert await page.evaluate("sessionStorage.getItem('gencode.key')") is None
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("button", name="Log in or enter key")).to_be_visible()


def _record_url(asked: list[str], request: Request) -> None:
    asked.append(request.url)

"""Forms of the workspace on the page: edits outlive a reload; who may only read sees no buttons."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, expect

from tests.e2e.test_page_access import check_accessibility
from tests.e2e.test_page_teams import log_in, team_with_a_viewer
from tests.e2e.test_page_workspace import PATCH, open_section
from tests.e2e.test_review_posting import change_host, registered, submit
from tests.servers.browser import needs_chromium, tab
from tests.servers.calls import client, post
from tests.servers.githost import Fault
from tests.servers.service import running_app, settings

pytestmark = [
    needs_chromium,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.campaign,
]

KEY = "sk-8a1c55e0b2"


async def test_edits_that_are_not_saved_outlive_a_reload(browser: Browser, tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app:
        body = {"name": "Review", "identifier": "review", "content": "Review {{ code }}"}
        made = (await post(app.url, "/prompts", body)).json()
        async with tab(browser, app.url, hash=f"#/workspace/templates/{made['id']}") as page:
            await page.get_by_label("Text", exact=True).fill("Edited {{ code }}")
            await page.get_by_label("Share it").check()
            await page.reload()
            await expect(page.get_by_text("Your edits, which are not saved yet")).to_be_visible()
            await expect(page.get_by_label("Text", exact=True)).to_have_value("Edited {{ code }}")
            await expect(page.get_by_label("Share it")).to_be_checked()
            await check_accessibility(page)
            async with client(app.url) as http:
                await http.patch(f"/api/v1/prompts/{made['id']}", json={"name": "Theirs"})
            await page.reload()
            await expect(page.get_by_text("It was changed meanwhile")).to_be_visible()
            await expect(page.get_by_label("Name", exact=True)).to_have_value("Theirs")
            await page.get_by_role("button", name="Discard the edits").click()
            await expect(page.get_by_label("Text", exact=True)).to_have_value("Review {{ code }}")
            await expect(page.get_by_label("Share it")).not_to_be_checked()
            await open_section(page, "Models")
            await page.get_by_role("link", name="Add").click()
            await page.get_by_label("Model id").fill("some-model")
            await page.get_by_label("API key").fill(KEY)
            await page.reload()
            await expect(page.get_by_label("Model id")).to_have_value("some-model")
            await expect(page.get_by_label("API key")).to_have_value("")
            assert KEY not in str(await page.evaluate("[{...sessionStorage}, {...localStorage}]"))


async def test_a_viewer_sees_no_buttons_that_change_something(browser: Browser, tmp_path: Path) -> None:
    async with (
        running_app(settings(tmp_path, workspace=True)) as app,
        httpx.AsyncClient(base_url=app.url, trust_env=False, timeout=60) as http,
    ):
        _, team = await team_with_a_viewer(http)
        async with tab(browser, app.url, hash=f"#/workspace/teams/{team['id']}", expected=["401"]) as page:
            await log_in(page)
            await expect(page.get_by_text("You may read this, and not change it.")).to_be_visible()
            members = page.get_by_role("region", name="Members")
            await expect(members.get_by_role("heading", name="bob")).to_be_visible()
            await expect(page.locator("article button")).to_have_count(0)
            await expect(page.get_by_label("Name", exact=True)).not_to_be_editable()
            await check_accessibility(page)


async def test_a_stored_diff_is_reviewed(browser: Browser, tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app, client(app.url) as http:
        made = await http.post(
            "/api/v1/code-diffs/patch", content=PATCH, headers={"Content-Type": "text/x-diff"}
        )
        async with tab(browser, app.url, hash=f"#/workspace/diffs/{made.json()['id']}") as page:
            await expect(page.get_by_role("heading", name="What to do with it")).to_be_visible()
            await expect(page.get_by_role("button", name="Write tests")).to_have_count(0)
            await check_accessibility(page)
            await page.get_by_role("button", name="Review it").click()
            await expect(page.locator(".finding").first).to_contain_text("app.py:3")


async def test_a_review_that_could_not_be_posted_is_shown(browser: Browser, tmp_path: Path) -> None:
    async with (
        change_host("github", tmp_path) as host,
        running_app(settings(tmp_path, workspace=True)) as app,
    ):
        host.fail("add_inline", Fault(status=403, body={"message": "not accessible"}))
        task = await submit(app.url, await registered(app.url, "github", host.url))
        async with tab(browser, app.url, hash=f"#/task/{task}") as page:
            await expect(page.get_by_text("HOST_FORBIDDEN").first).to_be_visible()
            await expect(page.get_by_role("region", name="Findings").locator(".finding")).to_have_count(1)

"""Teams and projects on the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.test_accounts import PASSWORD
from tests.e2e.test_accounts import Team as Accounts
from tests.e2e.test_page_access import check_accessibility
from tests.e2e.test_page_workspace import open_section
from tests.servers.browser import needs_chromium, tab
from tests.servers.calls import post
from tests.servers.service import running_app, settings

pytestmark = [
    needs_chromium,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.campaign,
]


async def make_users(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as http:
        accounts = Accounts(http=http)
        await accounts.create("alice", "admin")
        await accounts.create("bob", "user", headers=accounts.bearer("alice"))


async def team_with_a_viewer(http: httpx.AsyncClient) -> tuple[Accounts, dict[str, Any]]:
    """A team of `bob`, who is an admin of the service; `alice` may read what belongs to it."""
    accounts = Accounts(http=http)
    await accounts.create("bob", "admin")
    await accounts.create("alice", "user", headers=accounts.bearer("bob"))
    team = (await accounts.call("bob", "POST", "/teams", json={"name": "Core", "code": "core"})).json()
    member = {"username": "alice", "role": "viewer"}
    await accounts.call("bob", "POST", f"/teams/{team['id']}/members", json=member)
    return accounts, team


async def log_in(page: Page) -> None:
    await page.get_by_label("User name or email address").fill("alice")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in", exact=True).click()


async def test_a_team_is_made_its_members_managed_and_its_project_archived(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app:
        await make_users(app.url)
        async with tab(browser, app.url, hash="#/workspace/teams", expected=["401", "409", "422"]) as page:
            await log_in(page)
            await page.get_by_role("link", name="Add").click()
            await page.get_by_label("Name", exact=True).fill("<b>Core</b>")
            await page.get_by_role("textbox", name="Code").fill("core")
            await page.get_by_role("button", name="Save").click()
            members = page.get_by_role("region", name="Members")
            await expect(members.get_by_role("heading", name="alice")).to_be_visible()
            await members.get_by_label("User name").fill("nobody")
            await members.get_by_role("button", name="Add the member").click()
            await expect(members.get_by_label("User name")).to_be_focused()
            await members.get_by_label("User name").fill("bob@example.com")
            await members.get_by_role("button", name="Add the member").click()
            await expect(members.get_by_role("heading", name="bob")).to_be_visible()
            await expect(members.get_by_label("Role of bob")).to_have_value("member")
            await check_accessibility(page)
            await members.get_by_label("Role of bob").select_option("viewer")
            await expect(members.get_by_text("Viewer, joined")).to_be_visible()
            await expect(page.get_by_role("region", name="Usage").get_by_text("Free")).to_be_visible()

            await open_section(page, "Projects")
            await page.get_by_role("link", name="Add").click()
            await page.get_by_label("Name", exact=True).fill("Shop")
            await page.get_by_role("textbox", name="Code").fill("shop")
            await page.get_by_role("combobox", name="Team").select_option(label="<b>Core</b>")
            await page.get_by_label("Visible").select_option("team")
            await page.get_by_role("button", name="Save").click()
            await expect(
                page.get_by_role("region", name="Usage").get_by_text("Storage in MB")
            ).to_be_visible()
            await check_accessibility(page)
            await page.get_by_role("button", name="Archive").click()
            await expect(page.get_by_role("button", name="Take out of the archive")).to_be_visible()
            await open_section(page, "Projects")
            await expect(page.get_by_text("shop · Team · archived")).to_be_visible()

            await open_section(page, "Teams")
            await page.get_by_role("link", name="<b>Core</b>").click()
            await page.get_by_role("button", name="Delete", exact=True).first.click()
            await page.get_by_role("button", name="Yes, delete it").click()
            await expect(page.get_by_text("TEAM_HAS_PROJECTS")).to_be_visible()
            await members.get_by_role("button", name="Make owner").click()
            await page.get_by_role("dialog").get_by_role("button", name="Not now").click()
            await expect(members.get_by_text("Viewer, joined")).to_be_visible()
            await members.get_by_role("button", name="Remove bob").click()
            await expect(members.get_by_role("heading", name="bob")).to_have_count(0)


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
async def test_a_team_in_chinese(browser: Browser, tmp_path: Path, width: int, scheme: str) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app:
        created = await post(app.url, "/teams", {"name": "核心团队", "code": "core"})
        await post(app.url, f"/teams/{created.json()['id']}/members", {"api_key": "robot"})
        async with tab(
            browser, app.url, hash="#/workspace/teams", locale="zh-CN", width=width, scheme=scheme
        ) as page:
            await page.get_by_role("link", name="核心团队").click()
            await expect(page.get_by_label("robot 的角色")).to_have_value("member")
            await expect(page.get_by_role("region", name="使用情况").get_by_text("免费版")).to_be_visible()
            await check_accessibility(page)

"""The page with accounts: it asks for a login, renews the session, and ends it."""

from __future__ import annotations

import json
from pathlib import Path

import anyio
import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.test_page_access import check_accessibility
from tests.e2e.test_page_keys import REFUSED, enter_key
from tests.e2e.test_page_task import FILES, expect_status, file_item, submit
from tests.servers.browser import needs_chromium, tab
from tests.servers.command import gencode
from tests.servers.github import github_server
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import environment, service

pytestmark = [
    needs_chromium,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.one_process("`gencode users` is given DATA_DIR"),
    pytest.mark.campaign,
]

NOT_ONES_OWN = "404"
"""The task that is shown belongs to the user, and the key that is entered in the end to another client."""
PASSWORD = "correct horse battery"


async def create_admin(data_dir: Path) -> None:
    settings = {"GENCODE_PASSWORD": PASSWORD}
    await gencode(
        "users", "create-admin", "alice", "--email", "a@example.com", data_dir=data_dir, settings=settings
    )


async def log_in(page: Page, password: str = PASSWORD) -> None:
    await page.get_by_label("User name or email address").fill("alice")
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Log in", exact=True).click()


async def test_a_user_logs_in_and_follows_a_task_over_a_renewal_and_logs_out(
    browser: Browser, tmp_path: Path
) -> None:
    gate = anyio.Event()
    async with (
        model_server(plan_and_files(FILES, gates={"README.md": gate})) as model,
        github_server(tmp_path / "github") as github,
        service(tmp_path, environment(model, github, WORKSPACE="true", API_KEYS="robot=the-key")) as process,
    ):
        await create_admin(process.data_dir)
        async with tab(browser, process.url, expected=[REFUSED, NOT_ONES_OWN]) as page:
            await expect(page.get_by_label("User name or email address")).to_be_focused()
            await check_accessibility(page)
            await log_in(page, "wrong password")
            await expect(page.get_by_role("alert")).to_have_text("Unknown user or wrong password.")
            await expect(page.get_by_label("Password")).to_be_focused()
            await log_in(page)
            await expect(page.get_by_text("No tasks yet.")).to_be_visible()
            await submit(page)
            await expect(file_item(page, "app.py", "whole")).to_be_visible()
            first = await spoil_access_token(page)
            await page.reload()
            await expect(file_item(page, "app.py", "whole")).to_be_visible()
            gate.set()
            await expect_status(page, "Completed")
            renewed = await tokens(page)
            assert renewed["refresh_token"] != first["refresh_token"]
            elsewhere = await page.evaluate("[{...localStorage}, document.cookie, location.href]")
            assert renewed["access_token"] not in json.dumps(elsewhere)
            await page.get_by_role("button", name="Log out").click()
            await expect(page.get_by_role("dialog")).to_be_visible()
            assert await page.evaluate("sessionStorage.getItem('gencode.session')") is None
            assert await status_of(page, renewed["access_token"]) == 401
            await page.get_by_role("button", name="Use an API key").click()
            await enter_key(page, "the-key")
            await expect(page.get_by_role("button", name="Forget key")).to_be_visible()


async def test_the_login_in_chinese_and_on_a_narrow_screen(browser: Browser, tmp_path: Path) -> None:
    async with service(tmp_path, {"WORKSPACE": "true"}) as process:
        await create_admin(process.data_dir)
        async with tab(
            browser, process.url, locale="zh-CN", width=360, scheme="dark", expected=[REFUSED]
        ) as page:
            await expect(page.get_by_role("heading", name="登录")).to_be_visible()
            await check_accessibility(page)
            await page.get_by_role("button", name="使用 API 密钥").click()
            await expect(page.get_by_label("此服务的密钥")).to_be_focused()
            await page.get_by_role("button", name="用密码登录").click()
            await page.get_by_label("用户名或邮箱").fill("A@EXAMPLE.COM")
            await page.get_by_label("密码").fill(PASSWORD)
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("button", name="退出登录")).to_be_visible()


async def tokens(page: Page) -> dict[str, str]:
    stored: dict[str, str] = json.loads(await page.evaluate("sessionStorage.getItem('gencode.session')"))
    return stored


async def spoil_access_token(page: Page) -> dict[str, str]:
    """As if it had expired."""
    stored = await tokens(page)
    spoilt = json.dumps({**stored, "access_token": "eya.b.c"})
    await page.evaluate("value => sessionStorage.setItem('gencode.session', value)", spoilt)
    return stored


async def status_of(page: Page, token: str) -> int:
    script = (
        "token => fetch('api/v1/tasks', {headers: {Authorization: `Bearer ${token}`}}).then(a => a.status)"
    )
    status: int = await page.evaluate(script, token)
    return status

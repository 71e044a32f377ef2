"""The page in a real browser, whose requests go to one web process or the other."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.cluster.conftest import Prepare
from tests.e2e.test_page_task import expect_status, submit
from tests.servers.browser import chromium, needs_chromium, tab
from tests.servers.calls import FILES
from tests.servers.cluster import needs_nginx
from tests.servers.model import plan_and_files

pytestmark = [needs_chromium, needs_nginx, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as one:
        yield one


@pytest.mark.slow
async def test_a_page_that_is_loaded_again_goes_on_with_its_task(browser: Browser, prepare: Prepare) -> None:
    gate = anyio.Event()
    it = prepare(plan_and_files(FILES, gates={"README.md": gate}))
    async with tab(browser, it.url) as page:
        await submit(page)
        await it.model.arrival("file", "README.md")
        for _ in range(2):
            await page.reload()
            await expect(page.get_by_role("heading", level=1, name="hello")).to_be_visible()
        gate.set()
        await expect_status(page)
        await page.reload()
        await expect_status(page)

"""A real Chromium, for tests of the page; whatever goes wrong in it fails the test.

@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(): async with chromium() as browser: yield browser   # one for a module: it takes a second

async with tab(browser, app.url) as page: ...                          # playwright's, on its own profile
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright, expect

PATH = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(PATH is None, reason="needs chromium (apt-get install chromium)")
SOON = 30_000
"""Milliseconds for what a page does at once; there are machines with other things to do."""

_VIOLATIONS = """
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sourceFile, lineNumber }) =>
  console.error(`CSP: ${violatedDirective} ${blockedURI} ${sourceFile}:${lineNumber}`));
"""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    expect.set_options(timeout=SOON)
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=PATH, args=arguments)
        yield browser
        await browser.close()


@asynccontextmanager
async def tab(
    browser: Browser,
    url: str,
    *,
    hash: str = "",
    locale: str = "en-GB",
    width: int = 1280,
    scheme: str = "light",
    expected: Sequence[str] = (),
) -> AsyncIterator[Page]:
    """A tab at the service's page. In the end it must have said nothing on the console but what is
    `expected` (parts of messages), violated no policy, and asked no other origin."""
    context = await browser.new_context(
        locale=locale,
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    try:
        page = await context.new_page()
        page.set_default_timeout(SOON)
        watch = _Watch(url, page)
        await page.add_init_script(_VIOLATIONS)
        await page.goto(f"{url}/{hash}")
        yield page
    finally:
        await context.close()
    watch.check(expected)


class _Watch:
    def __init__(self, url: str, page: Page) -> None:
        self._url = url
        self._said: list[str] = []
        self._strangers: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self._said.append(f"uncaught: {error}"))
        page.on("request", self._see)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._said.append(message.text)

    def _see(self, request: Request) -> None:
        if not request.url.startswith((f"{self._url}/", "blob:", "data:")):
            self._strangers.append(request.url)

    def check(self, expected: Sequence[str]) -> None:
        assert [text for text in self._said if not any(part in text for part in expected)] == []
        assert self._strangers == []

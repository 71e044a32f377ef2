"""A real Chromium for tests of the page; every error in it fails the test.

@pytest.mark.asyncio(loop_scope="session")              # of the fixture `browser`
async def test_something(browser: Browser) -> None:
    async with tab(browser, app.url) as page: ...       # playwright's, with its own profile
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio
import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, Request, Route, async_playwright, expect

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first that is installed. The headless shell of the same engine needs two thirds of the CPU time."""
PATH = next(filter(None, map(shutil.which, NAMES)), None)
needs_chromium = pytest.mark.skipif(PATH is None, reason="needs chromium (apt-get install chromium)")
TIMEOUT_MS = 30_000
"""Only for pages that hang: a busy machine may take seconds."""

_VIOLATIONS = """
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sourceFile, lineNumber }) =>
  console.error(`CSP: ${violatedDirective} ${blockedURI} ${sourceFile}:${lineNumber}`));
"""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    expect.set_options(timeout=TIMEOUT_MS)
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
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
    """A tab with the page of the service. In the end its console must be empty but for messages with a part
    that is `expected`; it must have violated no policy, and requested no other origin."""
    context = await browser.new_context(
        locale=locale,
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    try:
        page = await context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        watch = _Watch(url, page)
        await page.add_init_script(_VIOLATIONS)
        await page.goto(f"{url}/{hash}")
        yield page
    finally:
        await context.close()
    watch.check(expected)


@asynccontextmanager
async def held_back(page: Page, url: str) -> AsyncIterator[None]:
    """Requests to this pattern of URLs wait for the end of the block."""
    released = anyio.Event()

    async def hold(route: Route) -> None:
        await released.wait()
        await route.continue_()

    await page.route(url, hold)
    try:
        yield
    finally:
        released.set()


class _Watch:
    def __init__(self, url: str, page: Page) -> None:
        self._url = url
        self._messages: list[str] = []
        self._foreign_urls: list[str] = []
        page.on("console", self._record_message)
        page.on("pageerror", lambda error: self._messages.append(f"uncaught: {error}"))
        page.on("request", self._record_request)

    def _record_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._messages.append(message.text)

    def _record_request(self, request: Request) -> None:
        if not request.url.startswith((f"{self._url}/", "blob:", "data:")):
            self._foreign_urls.append(request.url)

    def check(self, expected: Sequence[str]) -> None:
        assert [text for text in self._messages if not any(part in text for part in expected)] == []
        assert self._foreign_urls == []

"""/docs: the OpenAPI document as a page that loads nothing else."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from gencode.http.docs_page import page
from tests.servers.browser import needs_chromium
from tests.servers.calls import client
from tests.servers.openapi import document
from tests.servers.service import running_app, settings

VOID = {"meta", "br", "link", "input"}


class PageParser(HTMLParser):
    """Checks that tags are closed in order; collects ids, links and everything that would be loaded."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "img", "iframe", "link", "object")
        assert not any(name.startswith("on") or name in ("src", "style") for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_everything_in_the_document_is_shown_and_every_link_resolves() -> None:
    described = document()
    read = PageParser(page(described, "/under"))
    assert len(read.ids) == len(set(read.ids))
    inside = {link.removeprefix("#") for link in read.links if link.startswith("#")}
    assert inside <= set(read.ids)
    assert {link for link in read.links if not link.startswith("#")} == {"/under/openapi.json", "/under/"}
    text = "".join(read.words)
    for path, operations in described["paths"].items():
        assert f"/under{path}" in text
        for operation in operations.values():
            assert operation["summary"] in text
    for name, schema in described["components"]["schemas"].items():
        assert name in read.ids
        for field in schema.get("properties", {}):
            assert field in text


async def test_it_is_served_without_a_key_under_a_policy_that_allows_nothing_else(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, client(app.url) as http:
        answer = await http.get("/docs")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert not re.search(r"https?:", policy)


@needs_chromium
@pytest.mark.asyncio(loop_scope="session")
async def test_a_browser_shows_it_and_reports_nothing(browser: Browser, tmp_path: Path) -> None:
    """The policy allows the page's own style, and the page loads nothing."""
    async with (
        running_app(settings(tmp_path)) as app,
        await browser.new_page(viewport={"width": 390, "height": 800}) as shown,
    ):
        said: list[str] = []
        asked: list[str] = []
        shown.on("console", lambda message: said.append(message.text))
        shown.on("request", lambda request: asked.append(request.url))
        await shown.goto(f"{app.url}/docs")
        assert await shown.evaluate("getComputedStyle(document.body).maxWidth") == "960px"
        assert await shown.evaluate("document.documentElement.scrollWidth") <= 390
        await shown.get_by_role("link", name="POST /api/v1/generate").click()
        heading = shown.get_by_role("heading", name="POST /api/v1/generate")
        await expect(heading).to_be_in_viewport()
        assert [message for message in said if "favicon" not in message] == []
        assert {url.partition("#")[0] for url in asked if "favicon" not in url} == {f"{app.url}/docs"}

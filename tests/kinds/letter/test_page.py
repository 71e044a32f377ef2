"""The page in a real browser with tasks of kind `letter`: it has no text or code of its own for them."""

from __future__ import annotations

import json
from pathlib import Path

import anyio
import pytest
from playwright.async_api import Browser, Page, Route, expect

from gencode.bootstrap.app import BUILTIN_KINDS
from tests.kinds.letter import kind
from tests.kinds.letter.kind import LETTER
from tests.kinds.letter.test_letter import submit_letter, wait_for
from tests.servers.browser import needs_chromium, tab
from tests.servers.calls import post
from tests.servers.service import running_app, settings

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="session")]

KINDS = (*BUILTIN_KINDS, LETTER)


async def expect_stages(page: Page, *stages: str) -> None:
    await expect(page.locator(".stage-name")).to_have_text(stages)


async def expect_nothing_of_generate(page: Page) -> None:
    for selector in (".work", ".figure.filesDone", ".figure.tokens", ".figure.cost", ".plan-rows", "#clone"):
        await expect(page.locator(f"main {selector}:visible")).to_have_count(0)
    for name in ("Download zip", "Open repository"):
        await expect(page.get_by_role("link", name=name)).to_have_count(0)


async def test_a_letter_is_followed_through_its_stages_and_approved(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end = anyio.Event()
    monkeypatch.setattr(kind, "write", lambda _: may_end.wait())
    async with running_app(settings(tmp_path), KINDS) as app:
        task_id = await submit_letter(app.url, review=True)
        async with tab(browser, app.url, hash=f"#/task/{task_id}") as page:
            badge = page.locator("main .badge")
            await expect(page.get_by_role("heading", level=1)).to_have_text("Send a letter")
            await expect(badge).to_have_text("Drafting")
            await expect(page.locator(".stage.now")).to_contain_text("Drafting (under way)")
            await expect_nothing_of_generate(page)
            may_end.set()
            await expect(badge).to_have_text("Waiting for approval")
            await expect_stages(
                page,
                "In line (done)",
                "Drafting (done)",
                "Reviewing (under way)",
                "Sending (to come)",
                "Done (to come)",
            )
            await page.get_by_role("button", name="中文").click()
            await expect(badge).to_have_text("等待批准")
            await expect_stages(
                page, "排队 (已完成)", "起草 (已完成)", "审阅 (进行中)", "寄出 (未开始)", "完成 (未开始)"
            )
            await expect(page.get_by_role("heading", level=1)).to_have_text("寄信")
            await page.get_by_role("button", name="English").click()
            await expect_nothing_of_generate(page)
            await page.get_by_role("button", name="Approve").click()
            await expect(badge).to_have_text("Completed")
            await expect(page.get_by_role("region", name="The task is completed")).to_be_visible()
            await expect(page.locator(".stage.done")).to_have_count(5)
            await expect_nothing_of_generate(page)
            await page.locator(".log-box summary").click()
            await expect(page.locator(".log")).to_contain_text("The letter is sent")
            row = page.get_by_role("navigation").get_by_role("link", name="Send a letter")
            await expect(row).to_contain_text("Completed")


async def test_a_letter_without_a_stamp_fails_with_advice_and_can_be_retried(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_app(settings(tmp_path), KINDS) as app:
        task_id = await submit_letter(app.url, stamp=False)
        async with tab(browser, app.url, hash=f"#/task/{task_id}") as page:
            card = page.get_by_role("region", name="The task failed")
            await expect(card).to_contain_text("NO_STAMP")
            await expect(card).to_contain_text("in “Sending”")
            await expect(card).to_contain_text("Buy a stamp, then retry.")
            await expect_nothing_of_generate(page)
            async with page.expect_response("**/retry") as retried:
                await card.get_by_role("button", name="Retry").click()
            assert (await retried.value).status == 202
            await wait_for(app.url, task_id, state="failed")
            await page.get_by_role("button", name="中文").click()
            await expect(page.locator("main .card.bad")).to_contain_text("买邮票后重试。")
            await post(app.url, f"/task/{task_id}/retry", {"stamp": True})
            await page.reload()
            await expect(page.locator("main .badge")).to_have_text("已完成")


async def test_a_letter_is_listed_as_unfinished_and_cancelled(browser: Browser, tmp_path: Path) -> None:
    async with running_app(settings(tmp_path), KINDS) as app:
        task_id = await submit_letter(app.url, review=True)
        await wait_for(app.url, task_id, state="paused")
        async with tab(browser, app.url) as page:
            await page.get_by_label("Show").select_option("Under way")
            row = page.get_by_role("navigation").get_by_role("link", name="Send a letter")
            await expect(row).to_contain_text("Waiting for approval")
            await row.click()
            await page.get_by_role("button", name="Cancel").click()
            await page.get_by_role("button", name="Cancel the task").click()
            await expect(page.locator("main .badge")).to_have_text("Cancelled")
            await expect(page.locator(".stage.cancelled")).to_contain_text("Reviewing")
            await expect_nothing_of_generate(page)


@pytest.mark.parametrize("has_list_of_kinds", [True, False])
async def test_a_task_of_an_unknown_kind_is_shown_by_its_names(
    browser: Browser, tmp_path: Path, has_list_of_kinds: bool
) -> None:
    """Also by a service that has no list of kinds yet."""
    async with running_app(settings(tmp_path), KINDS) as app:
        task_id = await submit_letter(app.url, stamp=False)
        await wait_for(app.url, task_id, state="failed")
    expected = ["409", *([] if has_list_of_kinds else ["404"])]
    async with running_app(settings(tmp_path)) as app, tab(browser, app.url, expected=expected) as page:
        if not has_list_of_kinds:
            await page.route("**/api/v1/kinds", lambda route: route.fulfill(status=404, json={}))
            await page.reload()
        row = page.get_by_role("navigation").get_by_role("link", name="letter")
        await expect(row).to_contain_text("Failed")
        await row.click()
        await expect_stages(
            page, "In line (done)", "drafting (done)", "sending (failed here)", "Done (to come)"
        )
        card = page.get_by_role("region", name="The task failed")
        await expect(card).to_contain_text("NO_STAMP")
        await expect(card).to_contain_text("in “sending”")
        await expect_nothing_of_generate(page)
        await card.get_by_role("button", name="Retry").click()
        await expect(card.get_by_role("alert")).to_contain_text("UNKNOWN_KIND")


EVENTS = [
    ("status", {"status": "pending", "message": "", "at": "2026-01-01T00:00:00Z"}),
    ("status", {"status": "drafting", "message": "", "at": "2026-01-01T00:00:01Z"}),
    ("plan", {"of": "the letter"}),
    ("file", {}),
    ("usage", {}),
    ("findings", {"findings": 3}),
    ("status", {"status": "constructor", "message": "", "at": "2026-01-01T00:00:02Z"}),
]
"""Names of events that generate has with other content, and a stage that the kind does not declare."""


async def test_events_of_other_content_and_undeclared_stages_are_shown_by_name(
    browser: Browser, tmp_path: Path
) -> None:
    body = "".join(
        f"event: {name}\nid: {number}\ndata: {json.dumps(data)}\n\n"
        for number, (name, data) in enumerate(EVENTS, start=1)
    )

    async def stream(route: Route) -> None:
        await route.fulfill(content_type="text/event-stream", body=body)

    async with running_app(settings(tmp_path), KINDS) as app, tab(browser, app.url) as page:
        task_id = await submit_letter(app.url, seconds=60)
        await page.route("**/api/v1/status/*", stream)
        await page.goto(f"{app.url}/#/task/{task_id}")
        await expect(page.locator("main .badge")).to_have_text("constructor")
        names = [text.partition(" (")[0] for text in await page.locator(".stage-name").all_text_contents()]
        assert names == ["In line", "Drafting", "constructor", "Reviewing", "Sending", "Done"]
        await page.locator(".log-box summary").click()
        await expect(page.locator(".log li")).to_have_count(len(EVENTS))
        await expect_nothing_of_generate(page)

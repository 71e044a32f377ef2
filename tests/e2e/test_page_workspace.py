"""The workspace on the page: its resources are listed, created, changed and deleted."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.test_page_access import check_accessibility
from tests.e2e.test_page_accounts import PASSWORD, create_admin, log_in
from tests.servers.browser import held_back, needs_chromium, tab
from tests.servers.calls import client, get
from tests.servers.model import chunk, model_server, stream, text
from tests.servers.service import running_app, service, settings

pytestmark = [
    needs_chromium,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.campaign,
]

REFUSED = "422"
KEY = "sk-4be1d0a7f3"


GROUPS = {
    "Build": ["Projects"],
    "Documents and chat": ["Chat"],
    "Settings": ["Models", "Teams", "Usage", "Users", "Account"],
}
"""Sections that tests open, by the group in which they are."""


async def open_section(page: Page, name: str) -> None:
    links = page.get_by_role("navigation", name="Workspace")
    (group,) = (group for group, sections in GROUPS.items() if name in sections)
    await links.get_by_role("link", name=group, exact=True).click()
    await links.get_by_role("link", name=name, exact=True).click()
    await expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


async def test_a_model_config_is_made_changed_and_deleted(browser: Browser, tmp_path: Path) -> None:
    async with (
        running_app(settings(tmp_path, workspace=True)) as app,
        tab(browser, app.url, expected=[REFUSED]) as page,
    ):
        await page.get_by_role("link", name="Workspace").click()
        await open_section(page, "Models")
        await expect(page.get_by_text("There is nothing here yet.")).to_be_visible()
        await check_accessibility(page)
        await page.get_by_role("link", name="Add").click()
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_label("Name", exact=True)).to_be_focused()
        await page.get_by_label("Name", exact=True).fill("<b>Mine</b>")
        await page.get_by_label("Provider").select_option("compatible")
        await page.get_by_label("Model id").fill("some-model")
        await page.get_by_label("API key").fill(KEY)
        await page.get_by_label("Use it by default").check()
        await check_accessibility(page)
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_label("Address of the API")).to_be_focused()
        await page.get_by_label("Address of the API").fill("http://127.0.0.1:9/v1")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("button", name="Test")).to_be_visible()
        await expect(page.get_by_label("API key")).to_have_value("")
        assert KEY not in await page.content()
        await page.get_by_label("Name", exact=True).fill("Spare")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("form").get_by_text("Saved.", exact=True)).to_be_visible()
        await expect(page.get_by_role("button", name="Save")).to_be_focused()
        await open_section(page, "Models")
        await expect(page.get_by_text("compatible/some-model · default")).to_be_visible()
        (row,) = (await get(app.url, "/api/v1/ai/models"))["items"]
        assert (row["name"], row["has_api_key"], row["is_default"]) == ("Spare", True, True)
        await page.get_by_role("link", name="Spare").click()
        await page.get_by_role("button", name="Delete").click()
        await page.get_by_role("button", name="Yes, delete it").click()
        await expect(page.get_by_text("There is nothing here yet.")).to_be_visible()


async def test_a_change_that_another_tab_has_made_is_not_overwritten(
    browser: Browser, tmp_path: Path
) -> None:
    async with (
        running_app(settings(tmp_path, workspace=True)) as app,
        tab(browser, app.url, hash="#/workspace/templates/new", expected=["412"]) as page,
    ):
        await page.get_by_label("Name", exact=True).fill("Review")
        await page.get_by_label("Identifier").fill("review")
        await page.get_by_label("Text", exact=True).fill("Review {{ code }}")
        await page.get_by_role("button", name="Save").click()
        await page.get_by_role("link", name="Review", exact=True).click()
        await expect(page.get_by_label("Identifier")).to_have_value("review")
        other = await page.context.new_page()
        await other.goto(page.url)
        await other.get_by_label("Name", exact=True).fill("Theirs")
        await other.get_by_role("button", name="Save").click()
        await expect(other.get_by_role("link", name="Theirs")).to_be_visible()
        await page.get_by_label("Name", exact=True).fill("Mine")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("alert")).to_contain_text("VERSION_CHANGED")
        assert (await get(app.url, "/api/v1/prompts"))["items"][0]["name"] == "Theirs"
        await page.get_by_role("button", name="Show it as it is now, with my edits").click()
        await expect(page.get_by_text("It was changed meanwhile")).to_be_visible()
        await expect(page.get_by_label("Name", exact=True)).to_have_value("Mine")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("link", name="Mine")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (800, "light")])
async def test_in_chinese_on_narrow_screens(
    browser: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    async with (
        running_app(settings(tmp_path, workspace=True)) as app,
        tab(browser, app.url, hash="#/workspace", locale="zh-CN", width=width, scheme=scheme) as page,
    ):
        await expect(page.get_by_role("heading", level=1, name="蓝图")).to_be_visible()
        await check_accessibility(page)
        await page.get_by_role("link", name="文档与对话").click()
        await expect(page.get_by_role("heading", level=1, name="对话")).to_be_visible()
        await page.get_by_role("link", name="提示词模板").click()
        await page.get_by_role("link", name="添加").click()
        await expect(page.get_by_label("内容")).to_be_visible()
        await check_accessibility(page)


async def test_a_service_without_a_workspace_shows_none(browser: Browser, tmp_path: Path) -> None:
    async with (
        running_app(settings(tmp_path)) as app,
        tab(browser, app.url) as page,
    ):
        await expect(page.get_by_text("No tasks yet.")).to_be_visible()
        await expect(page.get_by_role("link", name="Workspace")).to_have_count(0)


@pytest.mark.one_process("`gencode users` is given DATA_DIR")
async def test_an_admin_makes_a_user_who_changes_the_password(browser: Browser, tmp_path: Path) -> None:
    async with service(tmp_path, {"WORKSPACE": "true"}) as process:
        await create_admin(process.data_dir)
        async with tab(browser, process.url, expected=["401"]) as page:
            await log_in(page)
            await page.get_by_role("link", name="Workspace").click()
            await open_section(page, "Users")
            await page.get_by_role("link", name="Add").click()
            await page.get_by_label("User name").fill("bob")
            await page.get_by_label("Email address").fill("bob@example.com")
            await page.get_by_label("First password").fill(PASSWORD)
            await page.get_by_label("Role").select_option("developer")
            await check_accessibility(page)
            await page.get_by_role("button", name="Save").click()
            await expect(page.get_by_text("bob@example.com · Developer")).to_be_visible()
            await page.get_by_role("link", name="Account", exact=True).click()
            await expect(page.get_by_label("Current password")).to_be_visible()
            await expect(page.get_by_text("a@example.com · Admin")).to_be_visible()
            await check_accessibility(page)
            await page.get_by_label("Current password").fill(PASSWORD)
            await page.get_by_label("New password").fill("another long password")
            await page.get_by_role("button", name="Change password").click()
            await expect(page.get_by_text("The password is changed.")).to_be_visible()
            await expect(page.get_by_text("this one")).to_be_visible()


async def test_a_view_has_its_heading_while_it_loads(browser: Browser, tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app, tab(browser, app.url) as page:
        async with held_back(page, "**/api/v1/usage*"):
            await page.goto(f"{app.url}/#/workspace/usage")
            await expect(page.get_by_role("heading", level=1, name="Usage")).to_be_visible()
            await expect(page.locator("main").get_by_text("Loading")).to_be_visible()
            await check_accessibility(page)
        await expect(page.locator("main").get_by_text("Loading")).to_have_count(0)
        await expect(page.get_by_role("heading", level=1, name="Usage")).to_be_visible()


async def test_a_document_is_uploaded_and_read(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "需求 <b>.md"
    file.write_text("# 登录\n\n用户必须登录。<img src=x onerror=alert(1)>\n", encoding="utf-8")
    async with (
        running_app(settings(tmp_path, workspace=True)) as app,
        tab(browser, app.url, hash="#/workspace/requirements") as page,
    ):
        await expect(page.get_by_text("There is nothing here yet.")).to_be_visible()
        await page.get_by_label("Upload a file").set_input_files(file)
        await expect(page.get_by_role("heading", name="Its text")).to_be_visible()
        await expect(page.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()
        await check_accessibility(page)
        await (
            page.get_by_role("navigation", name="Workspace").get_by_role("link", name="Requirements").click()
        )
        await expect(page.get_by_text("需求 <b>.md").first).to_be_visible()
        await expect(page.get_by_text("read · ").first).to_be_visible()


async def test_a_knowledge_base_is_filled_and_searched(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "guide.md"
    file.write_text(
        "# 部署\n\n服务默认监听 8080 端口。\n\n# Backup\n\nA backup is made every night.\n", encoding="utf-8"
    )
    async with (
        running_app(settings(tmp_path, workspace=True)) as app,
        tab(browser, app.url, hash="#/workspace/knowledge/new", expected=["ERR_FAILED"]) as page,
    ):
        await page.get_by_label("Name", exact=True).fill("Handbook")
        await page.get_by_role("button", name="Save").click()
        await page.get_by_label("Upload files").set_input_files(file)
        await page.route("**/chunks?*", lambda route: route.abort())
        await page.get_by_text("Show passages").click()
        told = page.get_by_role("alert").filter(has_text="The service cannot be reached.")
        await expect(told).to_be_visible()
        await check_accessibility(page)
        await told.get_by_role("button", name="Close").click()
        await expect(told).to_be_hidden()
        await page.unroute("**/chunks?*")
        await page.get_by_text("Show passages").click()
        await page.get_by_text("Show passages").click()
        await expect(page.locator(".chunks")).to_contain_text("8080")
        await page.get_by_label("Question").fill("监听端口")
        await page.get_by_role("button", name="Search").click()
        await expect(page.locator(".found li").first).to_contain_text("服务默认监听 8080 端口")
        await expect(page.locator(".found mark").first).to_be_visible()
        await check_accessibility(page)
        await open_section(page, "Chat")
        await page.get_by_role("button", name="New conversation").click()
        await page.get_by_label("Knowledge base").select_option("Handbook")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_label("Your message")).to_be_focused()
        await page.get_by_label("Your message").fill("When is a backup made?")
        await page.get_by_role("button", name="Send").click()
        source = page.get_by_role("list", name="Sources").get_by_role("link", name="[1] guide.md").last
        await expect(source).to_be_visible()
        await check_accessibility(page)
        await source.click()
        await expect(page.locator("mark")).to_have_text("A backup is made every night.")
        await check_accessibility(page)


PATCH = """\
diff --git a/app.py b/app.py
--- a/app.py
+++ b/app.py
@@ -1,2 +1,4 @@
 import subprocess
+def run(name):
+    subprocess.run("ls " + name, shell=True)
 print(1)
"""


async def test_a_change_is_reviewed(browser: Browser, tmp_path: Path) -> None:
    async with (
        running_app(settings(tmp_path, workspace=True)) as app,
        tab(browser, app.url, hash="#/workspace/reviews") as page,
    ):
        await page.get_by_label("The change", exact=True).fill(PATCH)
        await check_accessibility(page)
        await page.get_by_role("button", name="Review it").click()
        await expect(page.get_by_role("heading", name="Findings")).to_be_visible()
        await expect(page.locator(".finding").first).to_contain_text("app.py:3")
        await expect(page.locator(".coverage")).to_contain_text("reviewed: 1 hunk,")
        await check_accessibility(page)


async def test_a_conversation_streams_survives_a_reload_and_is_stopped(
    browser: Browser, tmp_path: Path
) -> None:
    gate = anyio.Event()
    answers = iter(
        [text("The first answer."), stream(chunk({"content": "The second"}), gate, chunk({}, "stop"))]
    )
    async with (
        model_server(lambda body: next(answers)) as model,
        running_app(settings(tmp_path, model, workspace=True, default_model="scripted")) as app,
        tab(browser, app.url, hash="#/workspace/chat") as page,
    ):
        await page.get_by_role("button", name="New conversation").click()
        await page.get_by_label("Your message").fill("Hello <b>there</b>")
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator(".turn.assistant .text").last).to_have_text("The first answer.")
        await expect(page.locator(".turn.user .text")).to_have_text("Hello <b>there</b>")
        await expect(page.get_by_role("button", name="Answer again")).to_be_visible()
        await check_accessibility(page)
        await page.get_by_label("Your message").fill("And now?")
        await page.keyboard.press("Control+Enter")
        await expect(page.locator(".turn.assistant .text").last).to_have_text("The second")
        await page.reload()
        await expect(page.locator(".turn.assistant .text").last).to_have_text("The second")
        await page.get_by_role("button", name="Stop").click()
        await expect(page.locator(".turn-foot").last).to_contain_text("stopped")
        await expect(page.locator(".turn.assistant .text").last).to_have_text("The second")
        gate.set()
        await open_section(page, "Usage")
        await expect(page.locator("tbody tr")).to_have_count(1)
        await check_accessibility(page)


async def test_a_diff_is_shown_side_by_side(browser: Browser, tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app, client(app.url) as http:
        made = await http.post(
            "/api/v1/code-diffs/patch", content=PATCH, headers={"Content-Type": "text/x-diff"}
        )
        assert made.status_code == 201, made.text
        async with tab(browser, app.url, hash=f"#/workspace/diffs/{made.json()['id']}") as page:
            await expect(page.locator(".diff .added")).to_have_count(2)
            await expect(page.locator(".diff .deleted")).to_have_count(0)
            await expect(page.locator(".diff .added").last).to_contain_text("shell=True")
            await page.locator(".diff-file summary").focus()
            await page.keyboard.press("n")
            await expect(page.locator(".hunk")).to_be_focused()
            await page.keyboard.press("k")
            await expect(page.locator(".diff-file summary")).to_be_focused()
            await check_accessibility(page)

"""The workbench of blueprints on the page: drawn, edited, checked, saved and published, by keyboard, too."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.test_blueprints import SPEC
from tests.e2e.test_page_access import check_accessibility
from tests.e2e.test_page_teams import log_in, team_with_a_viewer
from tests.servers.browser import needs_chromium, tab
from tests.servers.calls import client, get, post
from tests.servers.service import running_app, settings

pytestmark = [
    needs_chromium,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.campaign,
]

PAGES = [
    {
        "name": "Orders",
        "path": "/orders",
        "components": [
            {"name": "box", "type": "container", "children": [{"name": "title", "type": "heading"}]},
            {"name": "list", "type": "table", "dataBinding": {"entity": "Order", "action": "list"}},
        ],
    }
]
BROKEN = {"name": "订单明细", "fields": [{"name": "class", "type": "string"}]}


async def store(url: str, **changes: Any) -> str:
    """The id of a new blueprint."""
    made = await post(url, "/blueprints", {"name": "Shop", "spec": {**SPEC, **changes}})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def spec_of(url: str, blueprint: str) -> Any:
    return (await get(url, f"/api/v1/blueprints/{blueprint}"))["spec"]


async def open_tab(page: Page, name: str) -> None:
    parts = page.get_by_role("navigation", name="Parts of the blueprint")
    await parts.get_by_role("link", name=name).click()
    await expect(parts.get_by_role("link", name=name)).to_have_attribute("aria-current", "page")


async def save(page: Page) -> None:
    """Waits until it is stored: the bar that saves is gone then."""
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("There are edits that are not saved.")).to_be_hidden()


async def test_data_models_are_made_linked_and_renamed(browser: Browser, tmp_path: Path) -> None:
    """Edits outlive a reload, a link leads to an element, and an element keeps its id when it is renamed."""
    async with (
        running_app(settings(tmp_path, workspace=True)) as app,
        tab(browser, app.url, hash="#/workspace/blueprints/new") as page,
    ):
        await page.get_by_label("Name", exact=True).fill("Library <b>")
        await page.get_by_label("How it begins").select_option("Empty")
        await page.get_by_role("button", name="Create it").click()
        await expect(page.get_by_role("heading", level=1, name="Library <b>")).to_be_visible()
        await page.get_by_role("button", name="Add a data model").click()
        await expect(page.get_by_role("heading", name="Data model Entity")).to_be_focused()
        await page.locator("#entity-name").fill("Author")
        await page.get_by_role("button", name="Add a data model").click()
        await expect(page.get_by_role("heading", name="Data model Entity")).to_be_focused()
        await page.locator("#entity-name").fill("Book")
        await page.get_by_role("button", name="Add a field").click()
        await page.keyboard.type("x")  # the name of the new field has the focus
        await page.get_by_label("Type of field").select_option("Decimal")
        await page.get_by_label("Digits").fill("8")
        await page.get_by_label("After the point").fill("2")
        await page.get_by_role("button", name="Add a relation").click()
        await page.get_by_label("To of relation").select_option("Author")
        await page.get_by_label("Name at the other end of relation").fill("books")
        await page.reload()
        await expect(page.get_by_role("heading", name="Data model Book")).to_be_visible()
        await expect(page.get_by_label("Digits")).to_have_value("8")
        await expect(page.get_by_role("link", name="Book: 2 fields, 1 relation")).to_be_visible()
        await expect(page.locator(".relation .ends")).to_have_text(["*", "0..1"])
        await check_accessibility(page)
        await save(page)
        blueprint = page.url.split("/blueprints/")[1].split("/")[0]
        before = (await spec_of(app.url, blueprint))["dataModels"]
        author, book = before
        (link,) = book["relations"]
        assert (author["name"], book["name"], link["target"]) == ("Author", "Book", author["id"])
        assert (book["fields"][1]["precision"], book["fields"][1]["scale"]) == (8, 2)
        await page.locator("#entity-name").fill("Volume")
        await page.get_by_role("button", name="Undo").click()
        await expect(page.locator("#entity-name")).to_have_value("Book")
        await page.locator("#entity-name").fill("Volume")
        await save(page)
        after = (await spec_of(app.url, blueprint))["dataModels"]
        assert after[1] == {**book, "name": "Volume"}


async def test_findings_are_mended_in_place_and_a_version_is_published(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app:
        blueprint = await store(app.url, dataModels=[*SPEC["dataModels"], BROKEN])
        address = f"#/workspace/blueprints/{blueprint}/models/{BROKEN['name']}"
        async with tab(browser, app.url, hash=address) as page:
            await expect(page.locator(".editor .line-finding")).to_have_count(2)
            await expect(page.locator("tr.found-here .line-finding")).to_contain_text("class")
            await check_accessibility(page)
            await page.locator("tr.found-here").get_by_role("button", name="Apply the fix").click()
            await expect(page.locator(".editor .line-finding")).to_have_count(1)
            await page.get_by_role("button", name="Save", exact=True).click()
            await open_tab(page, "Build")
            await expect(page.get_by_role("button", name="Build the project")).to_be_disabled()
            await page.locator("#build-why").get_by_role("link", name="Findings").click()
            await expect(page.get_by_text("1 error, 0 warnings.")).to_be_visible()
            await check_accessibility(page)
            await page.get_by_role("button", name="Apply the fixes of all errors").click()
            await expect(page.get_by_text("Nothing was found: it can be published")).to_be_visible()
            await save(page)
            await open_tab(page, "Versions")
            await page.get_by_role("button", name="Publish", exact=True).click()
            await expect(page.get_by_text("0.1.0 · published")).to_be_visible()
            await page.get_by_label("Version of the new draft").fill("0.2.0")
            await page.get_by_role("button", name="Make a new version").click()
            await expect(page.get_by_text("0.2.0 · draft")).to_be_visible()
            await open_tab(page, "Application")
            await page.get_by_label("Title").fill("Corner shop")
            await open_tab(page, "Data models")
            await page.get_by_role("link", name="Order", exact=True).click()
            await page.get_by_role("button", name="Remove placed").click()
            await save(page)
            await open_tab(page, "Versions")
            changes = page.get_by_role("region", name="What was changed")
            await expect(changes.get_by_role("insertion")).to_have_text('"Corner shop"')
            await expect(changes.get_by_role("link", name="Application")).to_be_visible()
            await expect(page.get_by_role("list", name="History").get_by_role("link")).to_have_count(2)
            await expect(page.locator(".migration .destructive")).to_contain_text("placed")
            await check_accessibility(page)
            await open_tab(page, "Build")
            await expect(page.locator(".migration .destructive")).to_contain_text("(may lose data)")
            await check_accessibility(page)


async def test_what_another_tab_has_saved_is_not_overwritten_unasked(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app, client(app.url) as http:
        blueprint = await store(app.url)
        address = f"#/workspace/blueprints/{blueprint}/application"
        async with tab(browser, app.url, hash=address, expected=["412"]) as page:
            await page.get_by_label("Title").fill("Mine")
            theirs = {**await spec_of(app.url, blueprint), "label": "Theirs"}
            await http.patch(f"/api/v1/blueprints/{blueprint}", json={"spec": theirs})
            await page.get_by_role("button", name="Save", exact=True).click()
            await expect(page.get_by_role("alert")).to_contain_text("VERSION_CHANGED")
            assert (await spec_of(app.url, blueprint))["label"] == "Theirs"
            await page.reload()
            await expect(page.get_by_text("Somebody else has saved it since you began")).to_be_visible()
            await expect(page.get_by_label("Title")).to_have_value("Mine")
            await check_accessibility(page)
            await page.get_by_role("button", name="Show theirs, drop mine").click()
            await expect(page.get_by_label("Title")).to_have_value("Theirs")
            await page.get_by_label("Title").fill("Mine again")
            await http.patch(f"/api/v1/blueprints/{blueprint}", json={"spec": theirs})
            await page.get_by_role("button", name="Save", exact=True).click()
            await page.get_by_role("button", name="Save mine in its place").click()
            await expect(page.get_by_role("button", name="Undo")).to_be_hidden()
            assert (await spec_of(app.url, blueprint))["label"] == "Mine again"


WIDEST_BOX = "Math.max(...[...document.querySelectorAll('.entity')].map((box) => box.getBBox().width))"


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
async def test_by_keyboard_in_chinese(browser: Browser, tmp_path: Path, width: int, scheme: str) -> None:
    long = {"name": "Long", "label": "Z" * 200, "fields": [{"name": "f" * 200, "type": "string"}]}
    async with running_app(settings(tmp_path, workspace=True)) as app:
        blueprint = await store(app.url, dataModels=[*SPEC["dataModels"], long], pages=PAGES)
        address = f"#/workspace/blueprints/{blueprint}"
        async with tab(browser, app.url, hash=address, locale="zh-CN", width=width, scheme=scheme) as page:
            box = page.locator(".diagram a").first
            await expect(box).to_be_visible()
            await check_accessibility(page)
            assert await page.evaluate(WIDEST_BOX) <= 210
            await box.focus()
            await page.keyboard.press("ArrowRight")
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("heading", name="数据模型 Order")).to_be_focused()
            assert page.url.endswith("/models/Order")
            await check_accessibility(page)
            await page.get_by_role("link", name="页面设计").press("Enter")
            await page.get_by_role("link", name="Orders").press("Enter")
            await expect(page.get_by_role("treeitem", name="box")).to_have_attribute("aria-selected", "true")
            await page.get_by_role("treeitem", name="box").press("End")
            await expect(page.get_by_role("treeitem", name="list, table · list Order")).to_be_focused()
            await page.keyboard.press("Alt+ArrowRight")
            await page.keyboard.press("Alt+ArrowUp")
            await expect(page.get_by_role("treeitem", name="list, table")).to_be_focused()
            await check_accessibility(page)
            await page.get_by_role("button", name="保存", exact=True).press("Enter")
            await expect(page.get_by_text("有尚未保存的修改。")).to_be_hidden()
        (box_of,) = (await spec_of(app.url, blueprint))["pages"][0]["components"]
        assert [one["name"] for one in box_of["children"]] == ["list", "title"]


async def test_apis_and_flows_are_edited(browser: Browser, tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app:
        blueprint = await store(app.url)
        async with tab(browser, app.url, hash=f"#/workspace/blueprints/{blueprint}/flows") as page:
            await page.get_by_role("button", name="Add a flow").click()
            await page.locator("#flow-name").fill("cancelOrder")
            await page.get_by_role("button", name="Add a step").click()
            await page.get_by_label("Step 1", exact=True).fill("Set its state")
            await open_tab(page, "APIs")
            await page.get_by_role("button", name="Add an API").click()
            await expect(page.locator("#api-path")).to_have_value("/api")
            await page.locator("#api-path").fill("/orders/{id}/cancel")
            await page.get_by_label("Method").select_option("POST")
            await page.get_by_label("Runs the flow").select_option("cancelOrder")
            await check_accessibility(page)
            await save(page)
        spec = await spec_of(app.url, blueprint)
        (api,), (flow,) = spec["apis"], spec["businessFlows"]
        assert (api["method"], api["path"], api["flow"]) == ("POST", "/orders/{id}/cancel", flow["id"])
        assert flow["steps"] == [{"text": "Set its state"}]


async def test_an_api_and_a_flow_of_the_same_id_are_opened_each(browser: Browser, tmp_path: Path) -> None:
    """As the offline model makes them. Of many elements, those are listed that have what is typed."""
    names = ["logIn", *(f"flow{number}" for number in range(20))]
    flows = [{"name": name, "steps": [{"text": "Wait"}]} for name in names]
    apis = [{"name": "logIn", "method": "POST", "path": "/log-in", "flow": "logIn"}]
    async with running_app(settings(tmp_path, workspace=True)) as app:
        blueprint = await store(app.url, apis=apis, businessFlows=flows)
        async with tab(browser, app.url, hash=f"#/workspace/blueprints/{blueprint}/apis/logIn") as page:
            await expect(page.locator("#api-path")).to_have_value("/log-in")
            await open_tab(page, "Business flows")
            rows = page.get_by_role("list", name="Business flows").get_by_role("link")
            await expect(rows).to_have_count(21)
            await page.get_by_label("Filter: Business flows").fill("login")
            await expect(rows).to_have_count(1)
            await rows.click()
            await expect(page.get_by_label("Step 1", exact=True)).to_have_value("Wait")
            await check_accessibility(page)


async def test_a_viewer_reads_a_blueprint(browser: Browser, tmp_path: Path) -> None:
    async with (
        running_app(settings(tmp_path, workspace=True)) as app,
        httpx.AsyncClient(base_url=app.url, trust_env=False, timeout=60) as http,
    ):
        accounts, team = await team_with_a_viewer(http)
        body = {"name": "P", "code": "p", "team_id": team["id"], "visibility": "team"}
        project = (await accounts.call("bob", "POST", "/projects", json=body)).json()["id"]
        made = await accounts.call(
            "bob", "POST", f"/projects/{project}/blueprints", json={"name": "Shop", "spec": SPEC}
        )
        config = {
            "project_id": project,
            "name": "Live",
            "env_name": "live",
            "secrets": {"SMTP_PASSWORD": "x"},
        }
        deployment = (await accounts.call("bob", "POST", "/deployments", json=config)).json()
        address = f"#/workspace/blueprints/{made.json()['id']}/models/Order"
        async with tab(browser, app.url, hash=address, expected=["401"]) as page:
            await log_in(page)
            await expect(page.locator("#entity-name")).to_have_value("Order")
            await expect(page.locator("#entity-name")).not_to_be_editable()
            await expect(page.get_by_label("Type of total")).to_be_disabled()
            await expect(page.get_by_text("You may read this, and not change it.")).to_be_visible()
            names = await page.locator("article button:visible").all_inner_texts()
            await page.goto(f"{app.url}/#/workspace/deployments/{deployment['id']}")
            await expect(page.get_by_text("SMTP_PASSWORD", exact=True)).to_be_visible()
            await expect(page.get_by_role("button", name="Store it")).to_have_count(0)
            await expect(page.get_by_label("Environment")).not_to_be_editable()
            await expect(page.get_by_text("You may read this, and not change it.")).to_be_visible()
            assert names == ["Smaller", "Larger", "Show all"]


async def test_a_project_is_built_and_its_proof_is_shown(browser: Browser, tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app:
        blueprint = await store(app.url)
        async with tab(browser, app.url, hash=f"#/workspace/blueprints/{blueprint}/build") as page:
            await expect(page.get_by_role("heading", name="What would be written")).to_be_visible()
            await page.get_by_label("Database").select_option("MySQL or MariaDB")
            await page.get_by_label("Template set").select_option("None")
            await page.get_by_text("Push it to a repository").click()
            await page.get_by_label("Repository name").fill("shop")
            await check_accessibility(page)
            await page.get_by_role("button", name="Build the project").click()
            result = page.get_by_role("region", name="The project")
            await expect(result.get_by_text("Unverified: nothing has proven that")).to_be_visible()
            await check_accessibility(page)
            await expect(result.get_by_role("link", name="Open repository")).to_have_attribute(
                "href", re.compile("/shop")
            )
            task = page.url.split("/task/")[1]
            (artifact,) = (await get(app.url, f"/api/v1/task/{task}/artifacts"))["items"]
            await expect(result.get_by_label("SHA-256 of the archive")).to_have_text(artifact["sha256"])
            async with page.expect_download() as download:
                await result.get_by_role("link", name="Download the project").click()
            assert (await download.value).suggested_filename == artifact["name"]
            await page.get_by_role("link", name="Open the blueprint").click()
            await expect(page.get_by_role("heading", level=1, name="Shop")).to_be_visible()


LAYOUT = r"""async () => {
  const { layered } = await import("./page/js/workspace/blueprints/layout.js");
  const boxes = Array.from({ length: 200 }, (_, at) => ({ id: `e${at}`, height: 40 + (at % 7) * 18 }));
  const links = boxes.flatMap(({ id }, at) => [3, 7].map((by) => ({ from: id, to: `e${(at * by) % 190}` })));
  const [one, other] = [layered(boxes, links, 208), layered(boxes, links, 208)];
  const all = boxes.map(({ id, height }) => ({ ...one.places.get(id), height }));
  const meet = (a, b) => a.x === b.x && a.y < b.y + b.height && b.y < a.y + a.height;
  const isSame = JSON.stringify([...one.places]) === JSON.stringify([...other.places]);
  const overlaps = all.flatMap((a, at) => all.slice(at + 1).filter((b) => meet(a, b))).length;
  const { nameOf } = await import("./page/js/workspace/blueprints/spec.js");
  const turned = nameOf({ label: "\u202eshop" }) === "\u2068\u202eshop\u2069";
  const isIsolated = turned && nameOf({ name: "Shop" }) === "Shop";
  const areInside = all.every(({ x, y, height }) => x >= 0 && y >= 0 && y + height <= one.height);
  return [isSame, overlaps, isIsolated && areInside];
}"""
COMPACT = """async (spec) => (await import("./page/js/workspace/blueprints/spec.js")).compact(spec)"""


async def test_the_diagram_is_the_same_each_time_and_a_document_is_sent_without_its_defaults(
    browser: Browser, tmp_path: Path
) -> None:
    flag = {"name": "paid", "type": "boolean", "default": False}
    end = {"name": "twin", "type": "OneToOne", "target": "Order", "owner": False}
    order = {**SPEC["dataModels"][1], "fields": [flag], "relations": [end]}
    async with (
        running_app(settings(tmp_path, workspace=True)) as app,
        tab(browser, app.url, hash="#/workspace/blueprints") as page,
    ):
        await expect(page.get_by_text("There is nothing here yet.")).to_be_visible()
        assert await page.evaluate(LAYOUT) == [True, 0, True]
        spec = await spec_of(app.url, await store(app.url, dataModels=[order], pages=PAGES))
        sent = await page.evaluate(COMPACT, spec)
        assert len(str(sent)) < len(str(spec)) / 2
        assert await spec_of(app.url, await store(app.url, **sent)) == spec


REQUIREMENTS = """\
我需要一个图书管理系统。
图书：书名、作者、价格、库存。
读者：姓名、手机号。
借阅：读者、图书、借出日期、归还日期。
"""


async def test_requirements_become_a_blueprint_and_a_change_is_proposed(
    browser: Browser, tmp_path: Path
) -> None:
    async with (
        running_app(settings(tmp_path, workspace=True)) as app,
        tab(browser, app.url, hash="#/workspace/blueprints/new") as page,
    ):
        await page.get_by_label("Requirements", exact=True).fill(REQUIREMENTS)
        await check_accessibility(page)
        await page.reload()
        await expect(page.get_by_label("Requirements", exact=True)).to_have_value(REQUIREMENTS)
        await page.get_by_role("button", name="Make a blueprint").click()
        said = page.get_by_role("region", name="What it consists of")
        await expect(said.get_by_text("Data model").first).to_be_visible()
        await said.get_by_role("link", name="Open the blueprint").click()
        await expect(page.locator(".diagram a").first).to_be_visible()
        await page.get_by_role("link", name="Proposals", exact=True).click()
        await page.get_by_label("Further requirements").fill("供应商：名称、电话。")
        await check_accessibility(page)
        await page.get_by_role("button", name="Propose a change").click()
        await said.get_by_role("link", name="Look at the proposed change").click()
        proposal = page.get_by_role("region", name="Proposed change")
        await expect(proposal.locator(".changes").first).to_contain_text("供应商")
        await check_accessibility(page)
        await proposal.get_by_role("button", name="Accept").click()
        await expect(page.locator(".diagram").get_by_role("link", name="供应商")).to_be_visible()


async def test_tables_are_imported_and_what_is_not_taken_over_is_told(
    browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "shop.sql"
    file.write_text(
        "CREATE TABLE customers (id INT PRIMARY KEY, email VARCHAR(80) UNIQUE);\n"
        "CREATE TABLE orders (\n"
        "  id INT PRIMARY KEY, customer_id INT REFERENCES customers (id), shape GEOMETRY);\n",
        encoding="utf-8",
    )
    async with (
        running_app(settings(tmp_path, workspace=True)) as app,
        tab(browser, app.url, hash="#/workspace/blueprints/new", expected=["422"]) as page,
    ):
        await page.get_by_label("How it begins").select_option("From a file")
        await page.get_by_label("Its text").fill("CREATE TABLE (((")
        await page.get_by_role("button", name="Import it").click()
        await expect(page.get_by_label("Its text")).to_be_focused()
        await page.get_by_label("File", exact=True).set_input_files(file)
        await expect(page.get_by_label("Its text")).to_have_value(file.read_text(encoding="utf-8"))
        await check_accessibility(page)
        await page.get_by_role("button", name="Import it").click()
        await page.get_by_role("region", name="It is imported").get_by_role("link").click()
        await expect(page.get_by_role("group", name="Entity diagram").get_by_role("link")).to_have_count(2)
        await open_tab(page, "Versions")
        async with page.expect_download() as download:
            await page.get_by_role("link", name="DBML").click()
        assert (await download.value).suggested_filename.endswith(".dbml")

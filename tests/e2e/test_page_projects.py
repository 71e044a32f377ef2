"""Template sets and deployment configs on the page."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.test_page_access import check_accessibility
from tests.e2e.test_page_blueprints import store
from tests.servers.browser import needs_chromium, tab
from tests.servers.calls import get, post
from tests.servers.service import running_app, settings

pytestmark = [
    needs_chromium,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.campaign,
]


def archive(folder: Path, version: str, template: str) -> Path:
    files = [{"path": "[[ entity.module ]].py", "template": "model.py.j2", "for": "entity"}]
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as packed:
        packed.writestr("manifest.json", json.dumps({"name": "plain", "version": version, "files": files}))
        packed.writestr("model.py.j2", template)
    path = folder / f"{version}.zip"
    path.write_bytes(data.getvalue())
    return path


async def prove(page: Page, outcome: str) -> None:
    await page.get_by_role("button", name="Prove it").click()
    await expect(page.get_by_role("region", name="Proof").get_by_text(outcome, exact=True)).to_be_visible()


async def test_a_template_set_is_uploaded_proven_shared_and_tried(browser: Browser, tmp_path: Path) -> None:
    careless = archive(tmp_path, "1.0.0", 'LABEL = "[[ entity.label ]]"\n')
    careful = archive(tmp_path, "1.1.0", "LABEL = [[ entity.label | py ]]\n")
    async with running_app(settings(tmp_path, workspace=True)) as app:
        await store(app.url)
        async with tab(browser, app.url, hash="#/workspace/template-sets", expected=["422"]) as page:
            await expect(page.get_by_text("fastapi · proven · of the service")).to_be_visible()
            await page.get_by_role("link", name="fastapi").click()
            await expect(page.get_by_text("You may read this, and not change it.")).to_be_visible()
            await check_accessibility(page)
            await page.get_by_role("link", name="Template sets").last.click()
            await page.get_by_label("Upload a set").set_input_files(
                {"name": "x.zip", "mimeType": "application/zip", "buffer": b"no archive"}
            )
            await expect(page.get_by_role("alert")).to_contain_text("x.zip")
            await page.get_by_label("Upload a set").set_input_files(careless)
            await prove(page, "failed its proof")
            await expect(page.get_by_role("region", name="Proof").get_by_text(".py:1").first).to_be_visible()
            await check_accessibility(page)
            await page.get_by_label("Upload its next version").set_input_files(careful)
            await expect(page.get_by_role("list", name="Versions").get_by_role("link")).to_have_count(2)
            await prove(page, "proven")
            await page.get_by_role("button", name="Share it with everybody").click()
            await expect(page.get_by_role("button", name="Share it with everybody")).to_have_count(0)
            await page.get_by_label("Blueprint", exact=True).select_option("Shop")
            await page.get_by_role("button", name="Show the files").click()
            made = page.get_by_role("region", name="What it makes of a blueprint")
            await expect(made.get_by_text("customer.py")).to_be_visible()
            async with page.expect_download() as download:
                await made.get_by_role("link", name="Download it unproven").click()
            assert (await download.value).suggested_filename.endswith("project.zip")
        (stored,) = (await get(app.url, "/api/v1/templates?status=proven"))["items"]
        assert (stored["version_tag"], stored["is_public"]) == ("1.1.0", True)


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
async def test_a_deployment_config_is_checked_rendered_and_given_a_secret(
    browser: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    address = "#/workspace/deployments/new"
    async with running_app(settings(tmp_path, workspace=True)) as app:
        await post(app.url, "/projects", {"name": "Shop", "code": "shop"})
        async with tab(browser, app.url, hash=address, width=width, scheme=scheme, expected=["422"]) as page:
            await page.get_by_label("Name", exact=True).fill("Production")
            await page.get_by_label("Environment").fill("production")
            await page.get_by_label("Domain").fill("no domain")
            await page.get_by_label("Variables of the back end").fill("LOG_LEVEL=info\nPATH=/x=y")
            await page.get_by_role("button", name="Save").click()
            await expect(page.get_by_label("Domain")).to_be_focused()
            await expect(page.get_by_text("It has not the form that is described here.")).to_be_visible()
            await expect(page.get_by_text("PATH: PATH is reserved")).to_be_visible()
            await check_accessibility(page)
            await page.get_by_label("Domain").fill("shop.example.com")
            await page.get_by_label("Variables of the back end").fill("LOG_LEVEL=info\nGREETING=a=b")
            await page.get_by_role("button", name="Save").click()
            rendered = page.get_by_role("region", name="Files for Compose")
            await expect(rendered.get_by_role("region", name=".env")).to_contain_text("GREETING='a=b'")
            await page.get_by_label("Value").fill("s3cret-value")
            secrets = page.get_by_role("region", name="Secrets")
            await secrets.get_by_label("Name").fill("PATH")
            await secrets.get_by_role("button", name="Store it").click()
            await expect(secrets.get_by_label("Name")).to_be_focused()
            await secrets.get_by_label("Name").fill("MAIL_PASSWORD")
            await secrets.get_by_role("button", name="Store it").click()
            await expect(rendered.get_by_role("region", name=".env")).to_contain_text("MAIL_PASSWORD=")
            assert "s3cret-value" not in await page.content()
            await expect(page.get_by_label("Project")).to_be_disabled()
            await check_accessibility(page)
            await page.get_by_label("Port").fill("9000")
            await page.get_by_role("button", name="Save").click()
            await expect(page.locator("form").get_by_text("Saved.", exact=True)).to_be_visible()
            await expect(rendered.get_by_role("region", name=".env")).to_contain_text("HTTP_PORT=9000")
            await secrets.get_by_role("button", name="Remove MAIL_PASSWORD").click()
            await page.get_by_role("button", name="Yes, delete it").click()
            await expect(secrets.get_by_text("There are none.")).to_be_visible()
        (row,) = (await get(app.url, "/api/v1/deployments"))["items"]
        assert (row["secrets"], row["config_data"]["domain"]) == ([], "shop.example.com")
        assert row["config_data"]["variables"] == {"LOG_LEVEL": "info", "GREETING": "a=b"}

"""A project of the offline model is a template: its task says so, and how to get another one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, expect

from gencode.embedded.offline import TemplateProject
from tests.servers.browser import needs_chromium, tab
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import ROOT, running_app, settings

RAY_TRACER = "A ray tracer in Rust"
FILES = {"app.py": "print('hello')\n", "README.md": "# Hello\n"}


async def finished(url: str, *, language: str = "en", **body: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the submission answers, and the task when it is over."""
    headers = {"Accept-Language": language}
    async with httpx.AsyncClient(base_url=f"{url}/api/v1", trust_env=False, headers=headers) as http:
        accepted = (await http.post("/generate", json={"repo_name": "hello", **body})).json()
        await http.get(accepted["status_url"].removeprefix("/api/v1"))
        return accepted, (await http.get(accepted["task_url"].removeprefix("/api/v1"))).json()


@needs_chromium
@pytest.mark.asyncio(loop_scope="session")
async def test_the_page_names_the_template_before_the_submission(browser: Browser, tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, tab(browser, app.url) as page:
        await page.get_by_label("Prompt").fill(RAY_TRACER)
        await expect(page.locator("#estimate")).to_contain_text(
            "It will be a template, a Python command line tool"
        )
        await page.get_by_role("button", name="中文").click()
        await expect(page.locator("#estimate")).to_contain_text(
            "将使用模板：一个保存笔记的 Python 命令行工具"
        )


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["a Python command line tool", "no template has Rust", "No language model is configured"]),
        ("zh", ["一个保存笔记的 Python 命令行工具", "没有 Rust 的模板", "未配置语言模型"]),
    ],
)
async def test_the_first_and_the_last_message_name_the_template(
    tmp_path: Path, language: str, words: list[str]
) -> None:
    async with running_app(settings(tmp_path)) as app:
        accepted, task = await finished(app.url, language=language, prompt=RAY_TRACER)
    assert task["status"] == "completed"
    for message in (accepted["message"], task["message"]):
        assert [word for word in [*words, "DEEPSEEK_API_KEY", "PROVIDERS"] if word not in message] == []
    template = task["template"]
    assert (template["name"], template["nearest_to"], template["is_fallback"]) == ("cli", "Rust", True)


async def test_the_offline_model_by_choice_is_not_blamed_on_the_configuration(tmp_path: Path) -> None:
    async with (
        model_server(plan_and_files(FILES)) as model,
        running_app(settings(tmp_path, model)) as app,
    ):
        _, chosen = await finished(app.url, prompt="A Flask app", model="offline")
        _, written = await finished(app.url, prompt="A Flask app", repo_name="other")
    assert (chosen["template"]["name"], chosen["template"]["is_fallback"]) == ("flask", False)
    assert 'The model "offline" is not a language model' in chosen["message"]
    assert "DEEPSEEK_API_KEY" not in chosen["message"]
    assert (written["template"], written["message"]) == (None, "Task completed successfully")


async def test_a_cached_project_is_the_template_of_the_earlier_task(tmp_path: Path) -> None:
    """The similar prompt alone would choose another template."""
    words = "a small service that keeps notes for a team, with a list, a form, a search and tests, in "
    configured = settings(tmp_path, prompt_cache="similar", prompt_cache_similarity=0.9)
    async with running_app(configured) as app:
        _, first = await finished(app.url, prompt=words + "Flask")
        _, second = await finished(app.url, prompt=words + "Go", repo_name="other")
    assert second["cached_from"] == first["task_id"]
    assert second["template"] == first["template"]
    assert second["template"]["name"] == "flask"


@needs_chromium
@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en-GB", "No language model is configured: set DEEPSEEK_API_KEY"),
        ("zh-CN", "未配置语言模型：请设置 DEEPSEEK_API_KEY"),
    ],
)
@pytest.mark.asyncio(loop_scope="session")
async def test_the_page_says_so_in_its_own_language(
    browser: Browser, tmp_path: Path, locale: str, words: str
) -> None:
    async with running_app(settings(tmp_path)) as app:
        _, task = await finished(app.url, prompt=RAY_TRACER)
        async with tab(browser, app.url, hash=f"#/task/{task['task_id']}", locale=locale) as page:
            notice = page.locator(".card .notice")
            await expect(notice).to_contain_text(words)
            await expect(notice).to_contain_text("Rust")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_examples_of_the_page_fit_a_template(language: str) -> None:
    text = (ROOT / f"gencode/ui/assets/js/texts/{language}.js").read_text(encoding="utf-8")
    examples = re.findall(r'"(.+)"', text.partition("exampleTexts: [")[2].partition("]")[0])
    choices = [TemplateProject.from_request(example).choice for example in examples]
    assert [choice.template for choice in choices] == ["flask-auth", "fastapi", "go"]
    for choice in choices:
        assert (choice.nearest_to, choice.unused_technologies, choice.unmet_purposes) == ("", (), ())

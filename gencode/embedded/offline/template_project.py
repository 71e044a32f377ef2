"""A project rendered from a template for one request: its plan and its files."""

from __future__ import annotations

import json
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from gencode.embedded.offline.keyword_tables import Purpose
from gencode.embedded.offline.request_summary import RequestSummary
from gencode.embedded.offline.template_choice import TemplateChoice, choose_template

README = "README.md"
MAX_LISTED_TECHNOLOGIES = 12  # in the README's list of those that the project does not use

_PURPOSE_NAMES = {
    "en": {
        Purpose.API: "an HTTP API",
        Purpose.AUTH: "user accounts and logins",
        Purpose.CLI: "a command line tool",
        Purpose.PAGE: "a page for the browser",
        Purpose.WEB: "a website",
    },
    "zh": {
        Purpose.API: "HTTP 接口",
        Purpose.AUTH: "用户账号和登录",
        Purpose.CLI: "命令行工具",
        Purpose.PAGE: "浏览器页面",
        Purpose.WEB: "网站",
    },
}


class UnknownFile(Exception):
    """The template of this request has no such file."""


class _FileTemplate(string.Template):
    """Placeholders are `@@name`: the templates' JavaScript, shell and Python code uses `$`."""

    delimiter = "@@"


@dataclass(frozen=True, kw_only=True, slots=True)
class TemplateProject:
    """`manifest`: the template's template.json. Its few small files are read anew on each call."""

    request: RequestSummary
    choice: TemplateChoice
    manifest: Mapping[str, Any]

    @classmethod
    def from_request(cls, request: str) -> TemplateProject:
        """The project of the template that matches the text of a request best."""
        choice = choose_template(request)
        manifest = json.loads(_read(choice.template, "template.json"))
        return cls(request=RequestSummary.from_request(request), choice=choice, manifest=manifest)

    def plan(self) -> str:
        """The plan as JSON, one line for each file, so that a streaming parser gets one file at a time."""
        entries = ",\n  ".join(_to_json(self._entry(file)) for file in self.manifest["files"])
        return f'{{"summary": {_to_json(self._plan_summary())},\n "files": [\n  {entries}\n]}}\n'

    def file(self, path: str) -> str:
        """The content of one file of the plan. Raises UnknownFile."""
        if path not in {file["path"] for file in self.manifest["files"]}:
            raise UnknownFile(path)
        if path == README:
            head = self._render(f"head.{self._language}.md")
            return head + self._render(self.choice.template, f"README.{self._language}.md")
        return self._render(self.choice.template, path)

    @property
    def titles(self) -> Mapping[str, str]:
        """What the template makes, in English ("en") and Chinese ("zh")."""
        return dict(self.manifest["name"])

    @property
    def _language(self) -> str:
        return "zh" if self.request.is_chinese else "en"

    def _entry(self, file: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "path": file["path"],
            "purpose": file[self._language],
            "exports": file.get("exports", []),
            "needs": file.get("needs", []),
        }

    def _plan_summary(self) -> str:
        title, name, other = self.request.title, self._name, self.choice.nearest_to
        if self.request.is_chinese:
            nearest = f"需求提到 {other}，但没有对应的模板，这是最接近的一个。" if other else ""
            return f"{title}：{name}，由 gencode 的离线模型（不是语言模型）按模板生成。{nearest}"
        nearest = f" There is no template for {other}; this is the nearest one." if other else ""
        return f"{title}: {name}, from a template of gencode's offline model (not a language model).{nearest}"

    @property
    def _name(self) -> str:
        name: str = self.manifest["name"][self._language]
        return name

    def _render(self, *path: str) -> str:
        *folder, name = path
        text = _read(*folder, f"{name}.tmpl")
        return _FileTemplate(text).substitute(self._values())

    def _values(self) -> dict[str, str]:
        words: dict[str, str] = self.manifest.get("words", {}).get(self._language, {})
        return words | {
            "title": self.request.title,
            "name": self._name,
            "excerpt": self.request.excerpt,
            "lacks": "\n".join(f"- {line}" for line in self._limitations()),
            "language": "zh-CN" if self.request.is_chinese else "en",
        }

    def _limitations(self) -> Iterable[str]:
        """What the README lists under "What it does not do"."""
        nearest_to, unused = self.choice.nearest_to, self.choice.unused_technologies
        names = ", ".join(unused[:MAX_LISTED_TECHNOLOGIES])
        wanted = [_PURPOSE_NAMES[self._language][purpose] for purpose in self.choice.unmet_purposes]
        if self.request.is_chinese:
            yield "需求中的要求，凡是下面“它能做什么”没有列出的，这里都没有实现。"
            if nearest_to:
                yield f"需求提到 {nearest_to}，但没有对应的模板：这是最接近的一个。"
            yield from (f"需求似乎想要{thing}，这个模板没有。" for thing in wanted)
            if names:
                yield f"需求中还提到以下内容，本项目没有使用：{names}。"
            return
        yield "Whatever the request asks for beyond the list under “What it does” below is not here."
        if nearest_to:
            yield f"There is no template for {nearest_to}, which the request names; this is the nearest."
        yield from (f"The request seems to want {thing}: this template has not got that." for thing in wanted)
        if names:
            yield f"Also named in the request, and not used in this project: {names}."


def _read(*path: str) -> str:
    return files(__package__).joinpath("templates", *path).read_text(encoding="utf-8")


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)

"""A template filled in for one request: its plan, and each of its files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from string import Template as Text
from typing import Any

from gencode.embedded.offline.subject import Subject
from gencode.embedded.offline.template_choice import Choice, choose
from gencode.embedded.offline.vocabulary import Purpose

README = "README.md"
MOST_NAMES = 12  # of absent technologies in the README

_WANTED = {
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


class _Filling(Text):
    """`@@name` is filled in: JavaScript, shell and Python all use `$` for themselves."""

    delimiter = "@@"


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """Nothing is kept between calls: the few small files are read when they are asked for."""

    subject: Subject
    choice: Choice
    about: Mapping[str, Any]

    @classmethod
    def of(cls, request: str) -> Project:
        choice = choose(request)
        about = json.loads(_read(choice.template, "template.json"))
        return cls(subject=Subject.of(request), choice=choice, about=about)

    def plan(self) -> str:
        """The plan as JSON, one line for each file, so that a stream of it can be used as it comes."""
        entries = ",\n  ".join(_dump(self._entry(file)) for file in self.about["files"])
        return f'{{"summary": {_dump(self._summary())},\n "files": [\n  {entries}\n]}}\n'

    def file(self, path: str) -> str:
        """The content of one file of the plan. Raises UnknownFile."""
        if path not in {file["path"] for file in self.about["files"]}:
            raise UnknownFile(path)
        if path == README:
            return self._fill(f"head.{self._language}.md") + self._filled(f"README.{self._language}.md")
        return self._filled(path)

    @property
    def _language(self) -> str:
        return "zh" if self.subject.chinese else "en"

    def _entry(self, file: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "path": file["path"],
            "purpose": file[self._language],
            "exports": file.get("exports", []),
            "needs": file.get("needs", []),
        }

    def _summary(self) -> str:
        title, name, other = self.subject.title, self._name, self.choice.instead_of
        if self.subject.chinese:
            nearest = f"需求提到 {other}，但没有对应的模板，这是最接近的一个。" if other else ""
            return f"{title}：{name}，由 gencode 的离线模型（不是语言模型）按模板生成。{nearest}"
        nearest = f" There is no template for {other}; this is the nearest one." if other else ""
        return f"{title}: {name}, from a template of gencode's offline model (not a language model).{nearest}"

    @property
    def _name(self) -> str:
        name: str = self.about["name"][self._language]
        return name

    def _filled(self, path: str) -> str:
        return self._fill(self.choice.template, path)

    def _fill(self, *where: str) -> str:
        *folder, name = where
        text = _read(*folder, f"{name}.tmpl")
        return _Filling(text).substitute(self._fillings())

    def _fillings(self) -> dict[str, str]:
        words: dict[str, str] = self.about.get("words", {}).get(self._language, {})
        return words | {
            "title": self.subject.title,
            "name": self._name,
            "excerpt": self.subject.excerpt,
            "lacks": "\n".join(f"- {line}" for line in self._lacks()),
            "language": "zh-CN" if self.subject.chinese else "en",
        }

    def _lacks(self) -> Iterable[str]:
        nearest_to, names = self.choice.instead_of, ", ".join(self.choice.absent[:MOST_NAMES])
        wanted = [_WANTED[self._language][purpose] for purpose in self.choice.unmet]
        if self.subject.chinese:
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


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)

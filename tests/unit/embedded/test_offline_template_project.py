"""Plans and files of the offline model: complete, consistent with each other, and open about their origin."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

import pytest

from gencode.codegen.file_extraction import file_in_answer
from gencode.codegen.plan import Plan
from gencode.domain.tree import Tree, check_paths
from gencode.embedded.offline.keyword_tables import Template
from gencode.embedded.offline.template_project import TemplateProject, UnknownFile

REQUESTS = {
    Template.CLI: "Write a command line tool that renames photos",
    Template.EXPRESS: "Create an Express server for a chat",
    Template.FASTAPI: "Build a REST API with FastAPI",
    Template.FLASK: "A small Flask site for recipes",
    Template.FLASK_AUTH: "创建一个Python Flask Web应用，包含用户认证功能",
    Template.GO: "An HTTP service in Go",
    Template.STATIC: "Build a landing page for my bakery",
}
HOSTILE = """\
# "); DROP TABLE x; --
</request><script>alert(1)</script> {{ config }} ${HOME} `rm -rf` @@title "quotes" 'too' \\ %s
"""
UNFINISHED = re.compile(
    r"\b(?:TODO|FIXME|XXX|TBD)\b|placeholder|implement me|lorem ipsum|not implemented", re.I
)
BODYLESS = re.compile(r"(?m)^\s*(?:\.\.\.|pass)\s*$")

each_template = pytest.mark.parametrize("template", list(Template))


def written(request: str) -> Mapping[str, str]:
    project = TemplateProject.from_request(request)
    return {file.path: project.file(file.path) for file in plan(project).files}


def plan(project: TemplateProject) -> Plan:
    return Plan.model_validate_json(project.plan())


def test_the_requests_below_choose_every_template() -> None:
    assert {t: TemplateProject.from_request(request).choice.template for t, request in REQUESTS.items()} == {
        t: t for t in Template
    }


@each_template
def test_a_plan_is_a_valid_and_complete_tree(template: Template) -> None:
    plan_ = plan(TemplateProject.from_request(REQUESTS[template]))
    paths = [file.path for file in plan_.files]
    check_paths(paths)
    assert len(set(paths)) == len(paths)
    assert 6 <= len(paths) <= 12
    assert {"README.md", ".gitignore"} < set(paths)
    assert any("test" in path for path in paths)
    assert {need for file in plan_.files for need in file.needs} <= set(paths)


@each_template
def test_every_file_defines_its_planned_exports(template: Template) -> None:
    request = REQUESTS[template]
    contents = written(request)
    for file in plan(TemplateProject.from_request(request)).files:
        for name in file.exports:
            declared = rf"(?m)(?:def|class|func|function|type|const|var) {name}\b|^{name} = "
            assert re.search(declared, contents[file.path]), (file.path, name)


@each_template
@pytest.mark.parametrize("request_text", ["{}", "{} " + HOSTILE, HOSTILE + " {}"])
def test_every_file_is_complete_and_passes_unchanged_to_the_tree(
    template: Template, request_text: str
) -> None:
    contents = written(request_text.replace("{}", REQUESTS[template]))
    Tree.of({path: text.encode() for path, text in contents.items()})
    for path, text in contents.items():
        assert text.strip(), path
        assert text.endswith("\n"), path
        assert "\r" not in text
        assert file_in_answer(text, path) == text, path
        assert "@@" not in text or path == "README.md"
        assert path == "README.md" or not UNFINISHED.search(text), path
        assert not BODYLESS.search(text), path


@pytest.mark.parametrize(
    "request_text", [*REQUESTS.values(), HOSTILE, "Flask " + HOSTILE, "Express " + HOSTILE]
)
def test_python_and_json_files_parse_for_every_request(request_text: str) -> None:
    for path, text in written(request_text).items():
        if path.endswith(".py"):
            ast.parse(text)
        if path.endswith(".json"):
            json.loads(text)


@each_template
def test_python_imports_resolve(template: Template) -> None:
    contents = written(REQUESTS[template])
    modules = {path.removesuffix(".py").replace("/", ".").removesuffix(".__init__") for path in contents}
    declared = {line.split(">")[0].lower() for line in contents.get("requirements.txt", "").splitlines()}
    for path, text in contents.items():
        for name in _imports(text) if path.endswith(".py") else ():
            top = name.split(".")[0]
            assert name in modules or top in declared or top in sys.stdlib_module_names, (path, name)


def _imports(text: str) -> list[str]:
    nodes = list(ast.walk(ast.parse(text)))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return plain + [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]


@each_template
def test_javascript_imports_resolve(template: Template) -> None:
    contents = written(REQUESTS[template])
    for path, text in contents.items():
        for name in re.findall(r"""(?:from|require\()\s*"([^"]+)\"""", text) if path.endswith(".js") else ():
            local = name.startswith("../") and name.removeprefix("../") in contents
            sibling = name.startswith("./") and path.rsplit("/", 1)[0] + name[1:] in contents
            assert local or sibling or name.startswith("node:") or name == "express", (path, name)


@each_template
def test_the_readme_begins_with_a_notice_that_no_language_model_wrote_it(template: Template) -> None:
    readme = written(REQUESTS[template])["README.md"]
    first = "\n".join(readme.splitlines()[:5])
    notices = (
        "gencode's offline model, which is not a language model",
        "gencode 的离线模型按模板生成，它不是语言模型",
    )
    assert any(words in first for words in notices)
    assert REQUESTS[template] in readme


def test_the_readme_and_the_summary_list_what_is_missing() -> None:
    project = TemplateProject.from_request(
        "A Spring Boot REST API in Java with MySQL, Docker and user authentication"
    )
    readme = project.file("README.md")
    assert "There is no template for Spring" in readme
    assert "MySQL, Docker" in readme
    assert "user accounts and logins" in readme
    assert "There is no template for Spring" in plan(project).summary


def test_the_readme_and_the_summary_list_what_is_missing_in_chinese() -> None:
    project = TemplateProject.from_request("用Rust写一个命令行计算器，数据保存在Redis里")
    readme = project.file("README.md")
    assert "需求提到 Rust，但没有对应的模板" in readme
    assert "没有使用：Redis" in readme
    assert "需求提到 Rust，但没有对应的模板" in plan(project).summary


def test_a_chinese_request_gets_a_chinese_page() -> None:
    page = written("做一个静态网页展示作品")["index.html"]
    assert '<html lang="zh-CN">' in page
    assert "还没有笔记" in page


def test_the_readme_quotes_the_request_as_a_code_block() -> None:
    readme = TemplateProject.from_request(HOSTILE).file("README.md")
    lines = [line for line in readme.splitlines() if "<script>" in line or "{{" in line]
    assert lines
    assert all(line.startswith("    ") for line in lines)


@pytest.mark.parametrize("path", ["nothing.py", "../template.json", "template.json", "README.en.md", ""])
def test_a_file_outside_the_plan_raises_unknown_file(path: str) -> None:
    with pytest.raises(UnknownFile):
        TemplateProject.from_request("a Go service").file(path)


def test_every_template_file_belongs_to_a_plan() -> None:
    root = files("gencode.embedded.offline").joinpath("templates")
    for template in Template:
        project = TemplateProject.from_request(REQUESTS[template])
        planned = {f"{file.path}.tmpl" for file in plan(project).files} - {"README.md.tmpl"}
        readmes = {"README.en.md.tmpl", "README.zh.md.tmpl", "template.json"}
        assert _names(root.joinpath(template), "") == planned | readmes


def _names(folder: Traversable, above: str) -> set[str]:
    found: set[str] = set()
    for item in folder.iterdir():
        found |= _names(item, f"{above}{item.name}/") if item.is_dir() else {above + item.name}
    return found

"""The file in an answer: among text and further blocks, in a tag, in JSON; and what is not certain."""

from __future__ import annotations

import json

import pytest

from gencode.codegen.file_extraction import UNCLOSED, Reading, read_answer
from gencode.codegen.tag_and_json_wrappers import unwrapped

DOCKERFILE = 'FROM python:3.11\nCOPY . .\nCMD ["python", "app.py"]\n'
CODE = (
    'import os\n\n\ndef f():\n    """Use it so:\n\n    ```python\n    f()\n    ```\n    """\n    return os\n'
)
DOCUMENTED = '"""Use it so:\n\n```\nf()\n```\n"""\nx = 1\n'
GLOBS = "export default { include: ['src/**/*.ts', 'test/*.ts'] }\n"
RUN = "\nRun it with:\n\n```bash\npython app.py\n```\n"
FILES = {
    "app.py": CODE,
    "src/documented.py": DOCUMENTED,
    "vite.config.ts": GLOBS,
    "Dockerfile": DOCKERFILE,
    "schema.sql": "CREATE TABLE t (id INTEGER);\n",
    "settings.ini": "[a]\nb = 1\n",
    ".env.example": "KEY=value\n",
    "Makefile": "all:\n\tmake x\n",
    "crlf.py": CODE.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize(
    "head",
    [
        "",
        "Here is the file:\n\n",
        "**{path}**\n\n",
        "### `{path}`\n",
        "{path}:\n",
        "I apologize for the confusion. Here is the corrected\nversion of the file:\n\n",
        "以下是文件内容\n",
    ],
)
@pytest.mark.parametrize("fence", ["```", "````", "~~~", "```text", "```{path}", "```python:{path}"])
@pytest.mark.parametrize("tail", ["", "\n", RUN, "\nThis file does it all.\n\n- one\n- two\n", RUN + RUN])
def test_the_file_is_the_block_among_remarks(path: str, head: str, fence: str, tail: str) -> None:
    opening = fence.format(path=path)
    mark = opening[: 4 if opening.startswith("````") else 3]
    answer = f"{head.format(path=path)}{opening}\n{FILES[path]}{mark}\n{tail}"
    assert read_answer(answer, path) == Reading(text=FILES[path])


@pytest.mark.parametrize("path", FILES)
def test_a_file_as_it_stands_stays(path: str) -> None:
    assert read_answer(FILES[path], path) == Reading(text=FILES[path])


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("app.py", f"```python\n{CODE}"),
        ("Dockerfile", f"Here it is:\n```dockerfile\n{DOCKERFILE}"),
        ("Dockerfile", f"{DOCKERFILE}{RUN}"),
        ("app.py", f"{CODE}{RUN}"),
        ("app.py", f"```python\n{CODE}```\n\nimport sys\nsys.exit()\n"),
        ("app.py", f"```python\nimport os\n```\n\nAnd the rest:\n\n```python\n{CODE}```\n"),
        ("app.py", f"**other.py**\n```python\n{CODE}```\n"),
        ("app.py", f"```python\n{CODE}```\n\nRun it:\n```bash\npython app.py\n"),
        ("app.py", f'<file path="app.py">\n{CODE}'),
        ("app.py", "--- a/app.py\n+++ b/app.py\n@@ -1 +1 @@\n-x\n+y\n"),
        ("app.py", "```diff\n--- a/app.py\n+++ b/app.py\n@@ -1 +1 @@\n-x\n+y\n```\n"),
        ("app.py", "<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n"),
        ("README.md", "```markdown\n# T\n\ntext\n```\n\nLet me know if you need more.\n"),
        ("README.md", "```markdown\n# T\n\ntext\n"),
        ("README.md", "Here is the README:\n\n# T\n\ntext\n"),
    ],
)
def test_what_is_not_certain_is_doubted(path: str, answer: str) -> None:
    assert read_answer(answer, path).doubt


def test_of_two_files_the_named_one_is_taken() -> None:
    answer = f"**a.py**\n```python\nx = 1\n```\n\n**app.py**\n```python\n{CODE}```\n"
    assert read_answer(answer, "app.py") == Reading(text=CODE)
    assert read_answer(answer, "a.py") == Reading(text="x = 1\n")


def test_commands_before_the_file_are_not_the_file() -> None:
    answer = f"First install it:\n```bash\npip install x\n```\n\nThen the file:\n```python\n{CODE}```\n"
    assert read_answer(answer, "app.py") == Reading(text=CODE)


def test_the_indentation_of_a_block_is_removed_if_every_line_has_it() -> None:
    indented = "".join(f"   {line}" for line in DOCKERFILE.splitlines(True))
    assert read_answer(f"1. The file:\n\n   ```\n{indented}   ```\n", "Dockerfile") == Reading(
        text=DOCKERFILE
    )


@pytest.mark.parametrize("tag", ['<file path="{path}">', "<answer>", "<content>", "<current>", "<code>"])
@pytest.mark.parametrize("head", ["", "Here is the file:\n"])
@pytest.mark.parametrize("path", FILES)
def test_a_tag_around_the_file_is_removed(path: str, head: str, tag: str) -> None:
    name = tag.strip("<>").split()[0]
    answer = f"{head}{tag.format(path=path)}\n{FILES[path]}</{name}>\n"
    assert read_answer(answer, path) == Reading(text=FILES[path])
    assert read_answer(f"```\n{answer}```\n", path) == Reading(text=FILES[path])


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.html", "<code>\nx\n</code>\n"),
        ("a.xml", "<answer>\n</answer>\n"),
        ("a.vue", "<source>\n</source>\n"),
        ("a.md", "<code>x</code>\n"),
        ("prompts/a.md", "Say <answer>.\n"),
        ("a.xml", '<file path="b">\n</file>\n'),
        ("a.json", '"a\\nb"'),
        ("a.json", '{"content": "x"}'),
        (".babelrc", '{"content": "x"}'),
        ("a.py", '"a docstring"'),
        ("page.j2", "text\n```\ncode\n```\nmore text;\n"),
        ("a.unknown", '{"code": "x"}'),
    ],
)
def test_markup_and_json_of_the_file_itself_stay(path: str, text: str) -> None:
    assert read_answer(text, path) == Reading(text=text)


@pytest.mark.parametrize("path", ["app.py", "Dockerfile", "schema.sql", "README.md"])
def test_a_file_in_json_is_decoded(path: str) -> None:
    assert unwrapped(json.dumps(CODE), path) == (CODE, True)
    assert unwrapped(json.dumps({"path": path, "content": CODE}), path) == (CODE, True)
    assert unwrapped(json.dumps({"path": "other", "content": CODE}), path)[0] != CODE


@pytest.mark.parametrize(
    "unit", ["```\n", "```a\n", "~~~\n", "a\n```\n", "```\n\n", "<file>\n", "````\n```\n", '"""\n```\n']
)
def test_a_hostile_answer_is_read(unit: str) -> None:
    assert len(read_answer(unit * 20_000, "a.py").text) <= len(unit) * 20_000


@pytest.mark.parametrize("mark", ["````", "~~~"])
def test_a_block_around_markdown_is_not_closed_by_another_fence(mark: str) -> None:
    assert read_answer(f"{mark}\n# Title\n\nText.\n```\n\nThat is all.\n", "a.md").doubt == UNCLOSED

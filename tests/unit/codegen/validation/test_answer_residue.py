"""What is left of a model's answer around a file, and files that rightly hold the same marks."""

from __future__ import annotations

import pytest

from gencode.codegen.validation.answer_residue import residue_findings
from gencode.codegen.validation.findings import Rule
from gencode.llm.special_tokens import END_TOKENS, THINK_TAGS
from tests.unit.codegen.validation.projects import of, one

SQL = "CREATE TABLE a (id INTEGER);\n"
DOCKERFILE = 'FROM alpine\nRUN apk add git\nCMD ["sh"]\n'
README = "# Tool\n\nInstall it:\n\n```bash\npip install tool\n```\n"
PLAIN = (
    *("Dockerfile", "deploy/Dockerfile.dev", "Makefile", "a.mk", "schema.sql", "app.ini", "setup.cfg"),
    *(
        "nginx.conf",
        "a.properties",
        ".env",
        ".env.example",
        ".gitignore",
        ".dockerignore",
        "requirements.txt",
    ),
    *("requirements-dev.txt", "go.mod", "Procfile", ".editorconfig"),
)


def lines(path: str, text: str) -> list[int]:
    return [finding.line for finding in residue_findings(path, text)]


@pytest.mark.parametrize("path", PLAIN)
@pytest.mark.parametrize("opening", THINK_TAGS)
def test_reasoning_at_the_beginning(path: str, opening: str) -> None:
    assert lines(path, f"\n{opening.upper()}\nHm.\n{THINK_TAGS[opening]}\nA=1\n") == [2]


@pytest.mark.parametrize("path", ["a.kt", "a.lua", "run.sh", "a.jsx", "README.md", "LICENSE", "CHANGELOG.md"])
def test_reasoning_at_the_beginning_of_other_files(path: str) -> None:
    assert lines(path, "<think>\nHm.\n</think>\nx\n") == [1]


@pytest.mark.parametrize("path", PLAIN)
def test_reasoning_without_an_opening_tag(path: str) -> None:
    assert lines(path, "Let me write it.\n</think>\nA=1\n") == [2]


@pytest.mark.parametrize("path", PLAIN)
@pytest.mark.parametrize("token", END_TOKENS)
def test_an_end_token(path: str, token: str) -> None:
    assert lines(path, f"A=1\nB=2{token}\n") == [2]
    assert lines(path, f"A=1\nB=2\n{token}<|endoftext|>") == [3]


@pytest.mark.parametrize("path", ["README.md", "docs/a.md", "a.html", "a.kt", "a.css", "LICENSE"])
def test_an_end_token_at_the_end_of_other_files(path: str) -> None:
    assert lines(path, "Some text.\n<|im_end|>\n") == [2]


@pytest.mark.parametrize("path", PLAIN)
@pytest.mark.parametrize("fence", ["```", "```sql", "~~~", "````text  "])
def test_a_fence(path: str, fence: str) -> None:
    assert lines(path, f"{fence}\nA=1\n") == [1]
    assert lines(path, f"A=1\n{fence}\nRun it with make.\n") == [2]


def test_a_fence_around_a_file_whose_parser_accepts_it() -> None:
    assert of("a.js", "```js\nlet a = 1;\n```\n") == [(1, Rule.RESIDUE)]
    assert lines("a.html", "```html\n<p>a</p>\n```\n") == [1]
    assert lines("a.php", "```php\n<?php\necho 1;\n```\n") == [1]
    assert lines("run.sh", "```\necho 1\n```\n") == [1]


@pytest.mark.parametrize("path", ["README.md", "docs/a.md"])
@pytest.mark.parametrize("end", ["```\n", "```", ""])
def test_markdown_in_a_fence_that_names_it(path: str, end: str) -> None:
    assert lines(path, f"```markdown\n{README}{end}") == [1]
    assert lines(path, f"\n````md\n{README}{end and '`' + end}") == [2]


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("Dockerfile", "FROM a\nRUN apt-get update &amp;&amp; apt-get install -y git\n", 2),
        (
            "a.kt",
            "fun f(a: Int): Int {\n    if (a &lt; 1) return a\n    return if (1 &gt;= a) 1 else a\n}\n",
            2,
        ),
        (
            "a.c",
            "/* a &lt; b */\n#include &lt;stdio.h&gt;\n#include &lt;math.h&gt;\nint main() { return 0; }\n",
            2,
        ),
        ("A.java", "class A {\n List&lt;String&gt; a;\n Map&lt;String, Integer&gt; b;\n}\n", 2),
        ("q.sql", "SELECT a FROM t WHERE a &lt; 1\nAND b &gt; 2;\n", 1),
        ("run.sh", "cd a &amp;&amp; make\n", 1),
    ],
)
def test_entities_in_place_of_operators(path: str, text: str, line: int) -> None:
    assert lines(path, text) == [line]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("README.md", README),
        ("README.md", f"{README}\n```text\n<think>\nHm.\n</think>\n```\n"),
        ("docs/think.md", "<think> begins the reasoning, </think> ends it.\n"),
        ("README.md", "<think> begins the reasoning, </think> ends it.\n\n`<think>` is a tag.\n"),
        ("docs/a.md", "```markdown\n# A sample\n```\n\nRun it:\n\n```bash\nmake\n```\n"),
        ("docs/a.md", "```\n# A shell comment\n```\n"),
        ("docs/tokens.md", "`<|im_start|>` begins a message, and this ends it:\n<|im_end|>\n"),
        ("docs/tokens.md", "The last token is <|endoftext|>\n"),
        ("a.md", "<s>old</s>\n"),
        ("chat.jinja", "{% for m in messages %}<|im_start|>{{ m }}<|im_end|>\n{% endfor %}<|im_end|>"),
        ("prompts/a.txt", "<think>\n{thoughts}\n</think>\n{answer}<|im_end|>"),
        ("prompts/a.txt", "Answer so:\n```json\n{}\n```\n"),
        ("vocabulary.txt", "<pad>\n<|endoftext|>\n"),
        ("Modelfile", "FROM a\nPARAMETER stop <|im_end|>\n"),
        (".env", "STOP=<|im_end|>\n"),
        (".env", "STOP=a,<|im_end|>\n"),
        (".env", "TEMPLATE={prompt}</s>\n"),
        ("app.ini", "[think]\na = 1\n"),
        ("app.ini", "[chat]\nstop =\n    <|im_start|>\n    <|im_end|>\n"),
        ("a.yaml", "stop:\n  - <eos>\n"),
        ("a.yaml", "template: |\n  {system}\n  {user}<|endoftext|>\n"),
        ("a.py", "# reads until <eos>\n"),
        ("a.html", "<think>a</think>\n"),
        ("a.xml", "<think>a</think>\n"),
        ("a.sql", "INSERT INTO a VALUES ('Write:\n```js\nlet a;\n```\nThat''s it.');\n"),
        ("a.sql", "INSERT INTO a VALUES ('a', 'it\\'s\n```js\n```\n');\n"),
        ("a.sql", "-- don't\nINSERT INTO a VALUES ('Okay.\n</think>\nYes.');\n"),
        ("a.sql", "CREATE FUNCTION f() AS $body$\n```\n$body$;\n"),
        ("a.sql", "CREATE TABLE `a` (`b` TEXT);\nINSERT INTO `a` VALUES ('```js');\n"),
        ("Makefile", "readme:\n\tprintf '```\\n' ; cat <<EOF\n\t```bash\n\tmake\n\t```\n\tEOF\n"),
        ("Makefile", "define README\n```bash\nmake\n```\nendef\n"),
        ("Dockerfile", "FROM a\nCOPY <<EOF /README.md\n```bash\nmake\n```\nEOF\n"),
        (".env", 'PROMPT="Answer so:\n```json\n{}\n```"\n'),
        ("a.properties", "prompt=Answer so:\\\n```json\\\n{}\n"),
        ("setup.cfg", "[metadata]\nlong_description =\n    ```bash\n    make\n    ```\n"),
        ("a.js", "const a = `\n```\n`;\n"),
        ("a.php", "```js\n<p>\n```\n"),
        ("run.sh", "cat <<EOF\n```\nmake\n```\nEOF\n"),
        ("a.js", 'const escaped = text.replace("&", "&amp;").replace("\\u003c", "&lt;");\n'),
        (
            "A.java",
            "/**\n List&lt;String&gt; and Map&lt;String, String&gt;.\n a &amp;&amp; b\n */\npackage a;\n",
        ),
        ("a.kt", 'val a = """\n if a &lt; b &amp;&amp; c\n"""\n'),
        ("a.sql", "INSERT INTO a VALUES ('\n a &lt; b &amp;&amp; c\n');\n"),
        ("a.go", "// a &amp;&amp; b\npackage a\n"),
        ("a.c", "int a = b &amp;&amp; c;\nint d = b && c;\n"),
        ("{{name}}/Dockerfile", "```\n"),
        ("Dockerfile", DOCKERFILE),
        ("a.sql", SQL),
        (".env", ""),
    ],
)
def test_what_may_be_content_is_left_alone(path: str, text: str) -> None:
    assert lines(path, text) == []


def test_the_message_says_what_to_do() -> None:
    finding = one({"Dockerfile": f"{DOCKERFILE}```\n"})
    assert (finding.line, finding.rule) == (4, Rule.RESIDUE)
    assert finding.message == "The code fence ``` in line 4 of Dockerfile is no part of the file"
    assert finding.instruction == "Write the whole file without it."

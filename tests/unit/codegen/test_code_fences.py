"""Fences around a file are removed, fences within a file stay."""

from __future__ import annotations

import pytest

from gencode.codegen.file_extraction import file_in_answer

CODE = 'def f():\n    """Use it so:\n\n    ```python\n    f()\n    ```\n    """\n'
README = "# Title\n\n```bash\nmake\n```\n\nText.\n\n```\nplain\n```\n"
BOTH_ENDS = "```bash\npip install x\n```\n\n# Title\n\nUse it:\n\n```python\nimport x\n```\n"
TWO_BLOCKS = "```\na\n```\n\ntext\n\n```\nb\n```\n"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", CODE),
        ("a.py", "x = 1"),
        ("a.py", ""),
        ("a.py", "\n\nx = 1\n\n"),
        ("README.md", README),
        ("README.md", BOTH_ENDS),
        ("README.md", TWO_BLOCKS),
        ("README", BOTH_ENDS),
        ("docs/a.md", "Here is the list:\n\n```\na\n```\n"),
        ("docs/a.md", "```markdown\n# how it looks\n```\n\nand so on\n"),
        ("a.sh", "cat <<EOF\n```\n$x\n```\nEOF\n"),
    ],
)
def test_a_file_without_a_fence_around_it_is_unchanged(path: str, text: str) -> None:
    assert file_in_answer(text, path) == text


@pytest.mark.parametrize("opening", ["```\n", "```python\n", "\n```py\n", "~~~~python\n"])
@pytest.mark.parametrize("before", ["", "Here is app.py:\n", "Sure, this is the file.\n\n"])
@pytest.mark.parametrize("after", ["", "\n", "\nThis code does it.\n"])
def test_a_fence_around_source_code_is_removed(opening: str, before: str, after: str) -> None:
    mark = opening.strip().rstrip("python")
    assert file_in_answer(f"{before}{opening}{CODE}{mark}{after}", "app.py") == CODE


@pytest.mark.parametrize("opening", ["```markdown\n", "```md\n", "````\n", "````markdown\n"])
def test_a_fence_around_markdown_is_removed_if_it_is_certain(
    opening: str,
) -> None:
    mark = opening.strip().rstrip("markdown")
    assert file_in_answer(f"{opening}{README}{mark}\n", "README.md") == README


def test_a_bare_fence_around_markdown_with_named_blocks_is_removed() -> None:
    text = "# T\n\n```bash\nmake\n```\n"
    assert file_in_answer(f"```\n{text}```\n", "README.md") == text


def test_an_unclosed_fence_is_removed_in_doubt() -> None:
    assert file_in_answer(f"```python\n{CODE}", "a.py") == CODE
    assert file_in_answer(f"```markdown\n{README}", "README.md") == README


def test_a_closing_fence_without_an_opening_one_is_removed() -> None:
    assert file_in_answer(f"{CODE}```\n", "a.py") == CODE

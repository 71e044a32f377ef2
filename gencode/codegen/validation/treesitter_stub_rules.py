"""Rules for stubs in languages with braces: function bodies that only announce missing code.

For Python see `python_stub_rules`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from gencode.codegen.validation.file_analysis import StubBody
from gencode.codegen.validation.findings import excerpt, placeholder
from gencode.codegen.validation.grammar_workarounds import SyntaxTree
from gencode.codegen.validation.languages import is_test_file
from gencode.codegen.validation.placeholder_rules import (
    is_ellipsis_comment,
    is_todo_comment,
    is_unfinished_message,
)
from gencode.codegen.validation.treesitter import captures, line_of, text_of
from gencode.codegen.validation.treesitter_queries import BODIES

_THROW_WITH_MESSAGE = re.compile(
    r"""(?:throw|panic|return\s+Promise\.reject|return\s+Err)\b[^"'`]{0,80}["'`]([^"'`\n]{0,200})["'`]"""
)
_BARE_THROW = re.compile(r"throw new (?:System\.)?NotImplementedException\(\)")
_RUST = re.compile(r"\btodo!\s*[(\[{]|^\s*unimplemented!\s*[(\[{]")
_TRIGGERS = re.compile(r"\.\.\.|…|TODO|FIXME|XXX|todo!|implement|Implement|实现")
_ABSTRACT_CLASS = re.compile(r"^(?:Abstract|Base|I[A-Z])|(?:Abstract|Base|Interface|Mixin)$")
_COMMENTS = frozenset({"comment", "line_comment", "block_comment"})


def stub_bodies(path: str, tree: SyntaxTree, text: str) -> Iterator[StubBody]:
    if tree.language not in BODIES or is_test_file(path) or not _TRIGGERS.search(text):
        return
    for body in captures(tree.language, BODIES[tree.language], tree.root).get("body", ()):
        if body.named_child_count <= 3 and (what := _gap_text(body, tree.language)):
            class_name = _class_name(body)
            if not _ABSTRACT_CLASS.search(class_name) and not _is_intentional(body):
                finding = placeholder(path, line_of(body), f"{excerpt(what)!r} as the body of a function")
                yield StubBody(class_name=class_name, finding=finding)


def _gap_text(body: Node, language: str) -> str:
    """The placeholder in the body (a comment or a throw); "" if the body has real code."""
    comments = [child for child in body.named_children if child.type in _COMMENTS]
    statements = [child for child in body.named_children if child.type not in _COMMENTS]
    if not statements:
        words = map(text_of, comments)
        return next((text for text in words if is_ellipsis_comment(text) or is_todo_comment(text)), "")
    statement = text_of(statements[0])[:400] if len(statements) == 1 else ""
    if language == "rust":
        return statement if _RUST.search(statement) else ""
    thrown = _THROW_WITH_MESSAGE.match(statement)
    unfinished = _BARE_THROW.match(statement) or (
        thrown and is_unfinished_message(thrown[1]) and not _is_about_subclasses(thrown[1])
    )
    return statement if unfinished else ""


def _is_about_subclasses(message: str) -> bool:
    """Statements by which languages without the keyword express `abstract`."""
    return (
        re.search(r"subclass|overrid|abstract|must|should|child class|子类", message, re.IGNORECASE)
        is not None
    )


def _is_intentional(body: Node) -> bool:
    """Inside a test module of Rust, or a method of a prototype: how old JavaScript expresses `abstract`."""
    node = body.parent
    while node is not None:
        if node.type == "mod_item" and (name := node.child_by_field_name("name")) and "test" in text_of(name):
            return True
        left = node.child_by_field_name("left") if node.type == "assignment_expression" else None
        if left and ".prototype." in text_of(left):
            return True
        node = node.parent
    return False


def _class_name(body: Node) -> str:
    """The name of the class around a method, or ""."""
    node = body.parent
    while node is not None:
        if node.type.startswith("class") and (name := node.child_by_field_name("name")):
            return text_of(name)
        node = node.parent
    return ""

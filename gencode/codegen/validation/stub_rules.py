"""Function bodies in braces that hold nothing but the news that something is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from gencode.codegen.validation.file_facts import Stub, placeholder
from gencode.codegen.validation.finding import shown
from gencode.codegen.validation.grammar import captures, line, text_of
from gencode.codegen.validation.language import is_test
from gencode.codegen.validation.placeholder_rules import is_only_dots, is_todo, says_unfinished
from gencode.codegen.validation.syntax_tree import Parsed
from gencode.codegen.validation.tree_queries import BODIES

# What a body of one statement says when it is not written; its message is judged on its own.
_THROWS = re.compile(
    r"""(?:throw|panic|return\s+Promise\.reject|return\s+Err)\b[^"'`]{0,80}["'`]([^"'`\n]{0,200})["'`]"""
)
_BARE = re.compile(r"throw new (?:System\.)?NotImplementedException\(\)")
_RUST = re.compile(r"\btodo!\s*[(\[{]|^\s*unimplemented!\s*[(\[{]")
_TRIGGER = re.compile(r"\.\.\.|…|TODO|FIXME|XXX|todo!|implement|Implement|实现")
_ABSTRACT = re.compile(r"^(?:Abstract|Base|I[A-Z])|(?:Abstract|Base|Interface|Mixin)$")
_COMMENTS = frozenset({"comment", "line_comment", "block_comment"})


def bodies(path: str, parsed: Parsed, text: str) -> Iterator[Stub]:
    if parsed.language not in BODIES or is_test(path) or not _TRIGGER.search(text):
        return
    for body in captures(parsed.language, BODIES[parsed.language], parsed.root).get("body", ()):
        if body.named_child_count <= 3 and (what := _gap(body, parsed.language)):
            owner = _owner(body)
            if not _ABSTRACT.search(owner) and not _is_meant(body):
                finding = placeholder(path, line(body), f"{shown(what)!r} as the body of a function")
                yield Stub(owner=owner, finding=finding)


def _gap(body: Node, language: str) -> str:
    """The text that shows it, or ""."""
    comments = [child for child in body.named_children if child.type in _COMMENTS]
    statements = [child for child in body.named_children if child.type not in _COMMENTS]
    if not statements:
        return next((text_of(c) for c in comments if is_only_dots(text_of(c)) or is_todo(text_of(c))), "")
    statement = text_of(statements[0])[:400] if len(statements) == 1 else ""
    if language == "rust":
        return statement if _RUST.search(statement) else ""
    said = _THROWS.match(statement)
    unfinished = _BARE.match(statement) or (said and says_unfinished(said[1]) and not _is_abstract(said[1]))
    return statement if unfinished else ""


def _is_abstract(message: str) -> bool:
    """The old way to say `abstract` in languages that lack the word."""
    return (
        re.search(r"subclass|overrid|abstract|must|should|child class|子类", message, re.IGNORECASE)
        is not None
    )


def _is_meant(body: Node) -> bool:
    """Inside Rust's own tests, or a prototype's method, which is how old JavaScript says `abstract`."""
    node = body.parent
    while node is not None:
        if node.type == "mod_item" and (name := node.child_by_field_name("name")) and "test" in text_of(name):
            return True
        left = node.child_by_field_name("left") if node.type == "assignment_expression" else None
        if left and ".prototype." in text_of(left):
            return True
        node = node.parent
    return False


def _owner(body: Node) -> str:
    """The class around a method."""
    node = body.parent
    while node is not None:
        if node.type.startswith("class") and (name := node.child_by_field_name("name")):
            return text_of(name)
        node = node.parent
    return ""

"""JDL becomes a blueprint."""

import pytest

from gencode.blueprints.importing import ImportFailed, SourceFormat
from gencode.blueprints.importing.reading import import_text
from tests.unit.blueprints.importing.imports import entities, fields, imported, relations, rules

BLOG = """
application { config { baseName myBlog, testFrameworks [cypress] } entities * }
MAX = 50
/** Where people write. */
@EnableAudit
entity Blog (blogs_table) {
  /** its name */
  name String required minlength(3) maxlength(MAX) unique,
  price BigDecimal min(0) max(10.5)
  handle String pattern(/^[a-z\\/]+$/) // short
  kind Kind required
  content TextBlob
  at Instant
  file ImageBlob required
  took Duration
}
entity Post
entity Tag { label String }
enum Kind { PRIVATE("Only me") PUBLIC, HIDDEN (h) }
relationship ManyToOne { Blog{user(login) required} to User with builtInEntity  Post{blog(name)} to Blog }
relationship ManyToMany { Post{tag(label)} to Tag{post} }
relationship OneToMany {
  /** comments */
  Post{reply} to Post{parent},
  Blog to Tag{home required}
}
relationship OneToOne { Tag{cover required} to Post{tagOf} }
paginate Post, Tag with infinite-scroll
service all with serviceImpl except Post
dto * with mapstruct
"""


def test_entities_enums_relationships_and_options() -> None:
    made = imported("jdl", BLOG)
    found = entities(made)
    assert (made.blueprint.project_name, list(found)) == ("my_blog", ["Blog", "Post", "Tag", "User"])
    blog = found["Blog"]
    assert (blog.table, blog.description) == ("blogs_table", "Where people write.")
    assert blog.fields[0].description == "its name"
    assert fields(blog) == {
        "name": "string(50) required unique minLength=3",
        "price": "decimal(21,2) >=0 <=10.5",
        "handle": "string",
        "kind": "enum required PRIVATE|PUBLIC|HIDDEN",
        "content": "text",
        "at": "datetime",
        "file": "binary required",
        "took": "bigint",
    }
    assert [value.label for value in blog.fields[3].enum_values] == ["Only me", "", "h"]
    assert relations(blog) == {"user": "ManyToOne User required", "tags": "OneToMany Tag required <- home"}
    assert relations(found["Post"])["blog"] == "ManyToOne Blog"
    assert relations(found["Post"])["tags"] == "ManyToMany Tag <- posts"
    assert relations(found["Post"])["replies"] == "OneToMany Post <- parent"
    assert relations(found["Tag"]) == {"cover": "OneToOne Post required <- tagOf"}
    assert fields(found["User"]) == {"login": "string(50) required unique"}
    assert rules(made) == {"option-not-kept", "pattern-not-kept", "built-in-added", "column-type"}
    options = [note.parameters["option"] for note in made.notes if note.rule.value == "option-not-kept"]
    assert "paginate Post, Tag with infinite-scroll" in options
    assert "service all with serviceImpl except Post" in options


def test_reserved_names_and_unknown_types_are_told() -> None:
    made = imported("jdl", "entity List { class String, x Unknown }")
    assert list(entities(made)) == ["ListRecord"] or "List" not in entities(made)
    assert {"unresolved-name", "adapted"} <= rules(made)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("entity A {\n  name\n}", 3),
        ("entity A {\n  name String min(\n}", 3),
        ("entity A { x String }\nentity A", 2),
        ("entity A {\n x String", 1),
        ("enum E { A\n", 1),
        ("entity A\nrelationship ManyToFew { A to A }", 2),
        ("entity A\nrelationship OneToOne { A into A }", 2),
        ("application {\n {\n", 1),
        ("/** never", 1),
        ('entity A { x String pattern("', 1),
        ("flow A", 1),
        ("paginate", 1),
        ("", 0),
        ("enum E { A }", 0),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(text: str, line: int) -> None:
    with pytest.raises(ImportFailed) as caught:
        import_text(SourceFormat.JDL, text)
    assert caught.value.line == line, str(caught.value)


@pytest.mark.parametrize("kind", ["OneToOne", "ManyToMany"])
def test_two_relations_in_opposite_directions_stay_two(kind: str) -> None:
    text = (
        f"entity A {{ x String }} entity B {{ y String }} relationship {kind} {{ A{{b}} to B  B{{a}} to A }}"
    )
    made = imported("jdl", text)
    assert len(relations(entities(made)["A"])) == len(relations(entities(made)["B"])) == 1

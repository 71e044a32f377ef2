"""Reads JDL (https://www.jhipster.tech/jdl): entities, enums, relationships, constants; options are noted."""

from __future__ import annotations

import re

from gencode.blueprints.importing.jdl.syntax import JDL, End, Field, JdlEntity, JdlText, Relationship
from gencode.blueprints.importing.scanning import END, Token, TokenReader
from gencode.blueprints.types import RelationType

_STAR = re.compile(r"^[ \t]*\*+[ \t]?", re.M)
_VALIDATIONS = frozenset(
    {"required", "unique", "min", "max", "minlength", "maxlength", "minbytes", "maxbytes", "pattern"}
)
_OPTIONS = frozenset(
    {
        "dto",
        "service",
        "paginate",
        "pagination",
        "search",
        "microservice",
        "filter",
        "skipclient",
        "skipserver",
        "skipusermanagement",
        "noflowmethod",
        "nofluentmethod",
        "readonly",
        "embedded",
        "clientrootfolder",
        "angularsuffix",
        "changelogdate",
        "use",
    }
)
_AFTER_NAMES = ("with", "except", "for")


def parse_jdl(text: str) -> JdlText:
    """Raises ImportFailed."""
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self._reader = TokenReader(text, JDL.tokens(text))
        self._jdl = JdlText()

    def parse(self) -> JdlText:
        while self._reader.next.kind != END:
            comment = self._comment()
            if self._reader.next.kind != END:
                self._statement(comment)
        return self._jdl

    def _statement(self, comment: str) -> None:
        word = self._reader.expect_kind(("word",), "entity, enum, relationship, application or an option")
        kind = word.text
        if kind == "entity":
            self._entity(comment)
        elif kind == "enum":
            self._enum()
        elif kind == "relationship":
            self._relationships()
        elif kind in ("application", "deployment"):
            self._application(word)
        elif self._reader.accept("="):
            self._jdl.constants[kind] = self._argument("the value of a constant")
        elif kind.lower() in _OPTIONS:
            self._option(word)
        else:
            raise self._reader.failed(f"{kind} is no statement of JDL", word)

    def _comment(self) -> str:
        """The last comment and the annotations before an element."""
        comment = ""
        while self._reader.next.kind == "doc" or self._reader.at("@"):
            if self._reader.next.kind == "doc":
                comment = _STAR.sub("", self._reader.take().text[3:-2]).strip()
            else:
                self._annotation()
        return comment

    def _annotation(self) -> None:
        sign = self._reader.take()
        name = self._reader.expect_kind(("word",), "the name of an annotation")
        if self._reader.at("("):
            self._reader.skip_block("(", ")")
        self._jdl.options.append((f"@{name.text}", sign.line))

    # --- applications and options ---------------------------------------------------------------------

    def _application(self, word: Token) -> None:
        """The first base name becomes the project's; the rest is of the generator."""
        first = self._reader.next
        self._reader.expect("{", word.text)
        depth = 1
        while depth:
            token = self._reader.take()
            if token.kind == END:
                raise self._reader.failed("this '{' is not closed", first)
            depth += (token.text == "{") - (token.text == "}") if token.kind == "sign" else 0
            if token.text == "baseName" and self._reader.next.kind in ("word", "text"):
                self._jdl.name = self._jdl.name or self._reader.next.text.strip("\"'")
        self._jdl.options.append((word.text, word.line))

    def _option(self, word: Token) -> None:
        """`paginate Post, Tag with pagination except Tag`."""
        words = [word.text]
        names = 0
        while self._reader.next.kind in ("word", "text") or self._reader.at("*"):
            token = self._reader.take()
            if token.text in _AFTER_NAMES or names == 0 or self._reader.previous is token:
                words.append(token.text)
            names += 1
            if self._reader.accept(","):
                words[-1] += ","
            elif not self._reader.at(*_AFTER_NAMES) and token.text not in _AFTER_NAMES:
                break
        if not names:
            raise self._reader.failed(f"{word.text} needs the names of entities, or *")
        self._jdl.options.append((" ".join(words), word.line))

    # --- entities and enums ---------------------------------------------------------------------------

    def _entity(self, comment: str) -> None:
        name = self._reader.expect_kind(("word",), "the name of an entity")
        if name.text in self._jdl.entities:
            raise self._reader.failed(f"there is another entity {name.text}", name)
        entity = JdlEntity(name=name, comment=comment)
        self._jdl.entities[name.text] = entity
        if self._reader.accept("("):
            entity.table = self._reader.expect_kind(("word", "text"), "the name of a table").text.strip("\"'")
            self._reader.expect(")", "the name of a table")
        if not self._reader.at("{"):
            return
        first = self._reader.take()
        while not self._reader.accept("}"):
            field_comment = self._comment()
            if self._reader.next.kind == END:
                raise self._reader.failed("this '{' is not closed", first)
            if not self._reader.at("}"):
                entity.fields.append(self._field(field_comment))

    def _field(self, comment: str) -> Field:
        name = self._reader.expect_kind(("word",), "the name of a field")
        kind = self._reader.expect_kind(("word",), f"the type of the field {name.text}")
        field = Field(name=name, type=kind.text, comment=comment)
        while self._reader.next.kind == "word" and self._reader.next.text.lower() in _VALIDATIONS:
            if self._reader.next.line != self._reader.previous.line and self._reader.after().kind == "word":
                break  # a field with the name of a validation
            word = self._reader.take().text.lower()
            field.validations[word] = ""
            if self._reader.accept("("):
                field.validations[word] = self._argument(f"the argument of {word}")
                self._reader.expect(")", word)
        if self._reader.next.kind == "doc" and self._reader.next.line == name.line:
            field.comment = field.comment or self._comment()
        self._reader.accept(",")
        return field

    def _argument(self, what: str) -> str:
        token = self._reader.expect_kind(("number", "word", "pattern", "text"), what)
        return token.text

    def _enum(self) -> None:
        name = self._reader.expect_kind(("word",), "the name of an enum")
        if name.text in self._jdl.enums:
            raise self._reader.failed(f"there is another enum {name.text}", name)
        first = self._reader.expect("{", "an enum")
        values: list[tuple[str, str]] = []
        while not self._reader.accept("}"):
            self._comment()
            if self._reader.next.kind == END:
                raise self._reader.failed("this '{' is not closed", first)
            if self._reader.accept("}"):
                break
            value = self._reader.expect_kind(("word", "number"), "a value of the enum").text
            label = ""
            if self._reader.accept("("):
                label = self._argument("the text of a value").strip("\"'")
                while self._reader.next.kind == "word":
                    label += f" {self._reader.take().text}"
                self._reader.expect(")", "the text of a value")
            values.append((value, label))
            self._reader.accept(",")
        self._jdl.enums[name.text] = values

    # --- relationships --------------------------------------------------------------------------------

    def _relationships(self) -> None:
        kind = self._reader.expect_kind(("word",), "OneToOne, OneToMany, ManyToOne or ManyToMany")
        if kind.text not in {one.value for one in RelationType}:
            raise self._reader.failed(f"{kind.text} is no type of relationship", kind)
        first = self._reader.expect("{", "a relationship")
        while not self._reader.accept("}"):
            comment = self._comment()
            if self._reader.next.kind == END:
                raise self._reader.failed("this '{' is not closed", first)
            if not self._reader.at("}"):
                self._jdl.relationships.append(self._relationship(kind.text, comment))
            self._reader.accept(",")

    def _relationship(self, kind: str, comment: str) -> Relationship:
        source = self._end(comment)
        if not self._reader.at("to"):
            raise self._reader.failed(f"'to' is expected here, not {self._reader.shown()}")
        self._reader.take()
        target = self._end(self._comment())
        options = []
        if self._reader.at("with"):
            self._reader.take()
            while self._reader.next.kind == "word" and self._reader.after().text != "{":
                options.append(self._reader.take().text)
                if self._reader.next.line != self._reader.previous.line or not self._reader.accept(","):
                    break
        return Relationship(type=kind, source=source, target=target, options=tuple(options))

    def _end(self, comment: str) -> End:
        entity = self._reader.expect_kind(("word",), "the name of an entity")
        if not self._reader.accept("{"):
            return End(entity=entity, comment=comment)
        name = self._reader.expect_kind(("word",), "the name of the relation").text
        display, required = "", False
        if self._reader.accept("("):
            display = self._reader.expect_kind(("word",), "the field that is shown").text
            self._reader.expect(")", "the field that is shown")
        while self._reader.next.kind == "word":
            word = self._reader.take()
            if word.text != "required":
                raise self._reader.failed(f"{word.text} is not expected here", word)
            required = True
        self._reader.expect("}", "the end of a relationship")
        return End(entity=entity, field=name, display=display, required=required, comment=comment)

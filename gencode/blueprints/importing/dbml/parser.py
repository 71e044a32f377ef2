"""Reads the elements of a DBML file one by one, then puts partial tables and references together."""

from __future__ import annotations

from dataclasses import replace

from gencode.blueprints.importing.dbml.lexer import DBML, value
from gencode.blueprints.importing.dbml.references import ReferenceReader
from gencode.blueprints.importing.dbml.settings import NAME, read_name, read_settings
from gencode.blueprints.importing.dbml.table_body import Body, read_body, read_note
from gencode.blueprints.importing.notes import NoteList, NoteRule
from gencode.blueprints.importing.relational.schema import Enumeration, Schema, Table
from gencode.blueprints.importing.scanning import END, Token, TokenReader

_SKIPPED = ("tablegroup", "diagramview", "policy", "records", "note", "dep")


class DbmlParser:
    def __init__(self, text: str, notes: NoteList) -> None:
        self._reader = TokenReader(text, DBML.tokens(text))
        self._notes = notes
        self._schema = Schema()
        self._partials: dict[str, Body] = {}
        self._tables: list[tuple[Table, Body]] = []
        self._use: Token | None = None
        self._references = ReferenceReader(self._reader, self._schema, notes)

    def read(self) -> Schema:
        """Raises ImportFailed."""
        while self._reader.next.kind != END:
            self._read_element()
        for table, body in self._tables:
            self._complete(table, self._with_partials(body))
        self._references.add_all()
        if self._use is not None and not self._tables:
            raise self._reader.failed("no table was found: tables of other files are not read", self._use)
        return self._schema

    def _read_element(self) -> None:
        word = self._reader.expect_kind(("word",), "Table, Enum, Ref, Project or another element")
        kind = word.text.lower()
        if kind == "table":
            self._read_table(word)
        elif kind == "tablepartial":
            name = self._reader.expect_kind(NAME, "the name of a partial table")
            read_settings(self._reader)
            self._partials[value(name).lower()] = read_body(self._reader, self._notes)
        elif kind == "enum":
            self._read_enum(word)
        elif kind == "ref":
            self._references.read()
        elif kind == "project":
            self._read_project()
        elif kind in ("use", "reuse"):
            self._skip_use(word)
        elif kind in _SKIPPED:
            self._skip_element(word)
        else:
            raise self._reader.failed(f"{word.text} is no element of DBML", word)

    def _read_table(self, word: Token) -> None:
        name = read_name(self._reader, "the name of a table")
        if name.key in self._schema.tables:
            raise self._reader.failed(f"there is another table {name}", word)
        alias = ""
        if self._reader.at_word("as"):
            self._reader.take()
            alias = value(self._reader.expect_kind(NAME, "the alias of a table"))
        settings = {setting.name: setting for setting in read_settings(self._reader)}
        body = read_body(self._reader, self._notes)
        note = body.note or (settings["note"].text if "note" in settings else "")
        table = Table(name=name, line=word.line, comment=note)
        self._schema.tables[name.key] = table
        self._tables.append((table, body))
        if alias:
            self._references.aliases[alias.lower()] = name

    def _read_enum(self, word: Token) -> None:
        name = read_name(self._reader, "the name of an enum")
        read_settings(self._reader)
        first = self._reader.expect("{", "an enum")
        values: dict[str, str] = {}
        while not self._reader.accept("}"):
            if self._reader.next.kind == END:
                raise self._reader.failed("this '{' is not closed", first)
            if self._reader.at_word("note") and self._reader.after().text in (":", "{"):
                self._reader.take()
                read_note(self._reader)
                continue
            one = value(self._reader.expect_kind((*NAME, "text"), "a value of the enum"))
            note = [setting.text for setting in read_settings(self._reader) if setting.name == "note"]
            if one in values:
                raise self._reader.failed(f"the enum {name} has {one} twice", word)
            values[one] = note[0] if note and len(note[0]) <= 200 else ""
        self._schema.enumerations[name.key] = Enumeration(name=name, values=tuple(values.items()))

    def _read_project(self) -> None:
        if self._reader.next.kind in NAME:
            self._schema.name = value(self._reader.take())
        read_settings(self._reader)
        first = self._reader.expect("{", "a project")
        while not self._reader.accept("}"):
            if self._reader.next.kind == END:
                raise self._reader.failed("this '{' is not closed", first)
            if self._reader.at_word("note"):
                self._reader.take()
                self._schema.description = read_note(self._reader)
            elif self._reader.at_word("table", "enum", "ref", "tablegroup", "tablepartial"):
                self._reader.nested(1)
                self._read_element()
                self._reader.nested(-1)
            else:
                name = self._reader.expect_kind(NAME, "a property of the project")
                self._reader.expect(":", "a property of the project")
                self._reader.expect_kind((*NAME, "text", "expression"), "the value of a property")
                self._notes.add(NoteRule.OPTION, line=name.line, option=f"Project {value(name)}")

    def _skip_use(self, word: Token) -> None:
        """`use { table users } from './auth.dbml'`: other files are not read."""
        if not self._reader.accept("*"):
            self._reader.skip_block("{", "}")
        if self._reader.at_word("from"):
            self._reader.take()
        source = value(self._reader.expect_kind(("text", "quoted"), "the name of a file"))
        self._use = self._use or word
        self._notes.add(NoteRule.STATEMENT, line=word.line, statement=f"{word.text} from {source}", count="1")

    def _skip_element(self, word: Token) -> None:
        """`TableGroup a { ... }`, `Note: '...'`, `Records users(id, name) { ... }`."""
        if self._reader.at(":"):
            read_note(self._reader)
        else:
            while self._reader.next.kind in (*NAME, "text") or self._reader.at(".", "(", "["):
                if self._reader.at("("):
                    self._reader.skip_block("(", ")")
                elif self._reader.at("["):
                    self._reader.skip_block("[", "]")
                else:
                    self._reader.take()
            self._reader.skip_block("{", "}")
        self._notes.add(NoteRule.STATEMENT, line=word.line, statement=word.text, count="1")

    # --- tables ---------------------------------------------------------------------------------------

    def _with_partials(self, body: Body) -> Body:
        """A column of the table goes before that of a partial table, a later partial before an earlier."""
        if not body.partials:
            return body
        columns: list[object] = []
        merged = Body(
            key=[*body.key],
            indexes=[*body.indexes],
            checks=[*body.checks],
            references=[*body.references],
            note=body.note,
        )
        own = {column.name.lower() for column in body.columns}
        at = {place: [] for _, place, _ in body.partials}  # type: dict[int, list[Body]]
        for name, place, token in body.partials:
            partial = self._partials.get(name.lower())
            if partial is None:
                raise self._reader.failed(f"there is no partial table {name}", token)
            at[place].append(partial)
        chosen: dict[str, Body] = {}
        for partial in (one for many in at.values() for one in many):
            chosen |= {column.name.lower(): partial for column in partial.columns}
        for place in range(len(body.columns) + 1):
            for partial in at.get(place, []):
                mine = [
                    column
                    for column in partial.columns
                    if column.name.lower() not in own and chosen[column.name.lower()] is partial
                ]
                names = {column.name for column in mine}
                columns += [replace(column, checks=[*column.checks]) for column in mine]
                merged.key += [one for one in partial.key if one in names or one.lower() not in own]
                merged.references += [one for one in partial.references if one.column in names]
                merged.indexes += partial.indexes
                merged.checks += partial.checks
                merged.note = merged.note or partial.note
            columns += body.columns[place : place + 1]
        merged.columns = columns  # type: ignore[assignment]  # all of them are columns
        return merged

    def _complete(self, table: Table, body: Body) -> None:
        for column in body.columns:
            if column.name.lower() in table.columns:
                place = Token("word", column.name, 0, 0, column.line)
                raise self._reader.failed(f"the table {table.name} has two columns {column.name}", place)
            table.columns[column.name.lower()] = column
        table.primary_key = tuple(dict.fromkeys(body.key))
        table.indexes = body.indexes
        table.checks = body.checks
        table.comment = table.comment or body.note
        for reference in body.references:
            self._references.add_inline(table.name, reference)

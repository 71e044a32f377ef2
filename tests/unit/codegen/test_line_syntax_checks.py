"""Files without a grammar: what cannot be one, and what is one however odd it looks."""

from __future__ import annotations

import pytest

from gencode.codegen.extraneous_text import extraneous_text
from gencode.codegen.file_extraction import read_answer
from gencode.codegen.validation.answer_residue import residue_findings

FILES = [
    ("schema.sql", "-- tables\n/* a; b */\nCREATE TABLE t (a TEXT DEFAULT ';x');\n"),
    ("schema.sql", "INSERT INTO t VALUES ('it\\'s'); -- ok\nINSERT INTO t VALUES ('x; hello');\n"),
    ("schema.sql", "COPY t FROM stdin;\n1\tAnn\n\\.\n"),
    ("schema.sql", "DELIMITER $$\nCREATE PROCEDURE p() BEGIN SELECT 1; END$$\nDELIMITER ;\n"),
    ("schema.sql", "\\set ON_ERROR_STOP on\n.mode csv\nSELECT 1\nGO\n"),
    ("models/orders.sql", "{{ config(materialized='table') }}\nselect * from {{ ref('x') }}\n"),
    ("schema.sql", ""),
    (
        "Dockerfile",
        "# syntax=docker/dockerfile:1\nARG V=3\nFROM python:$V\nRUN a \\\n    && b \\\n  # c\n    && d\n",
    ),
    ("Dockerfile", 'FROM a\nRUN <<EOF\nset -e\necho hi\nEOF\nCMD ["x"]\n'),
    ("Dockerfile.dockerignore", "node_modules\n*.log\n"),
    (
        "Makefile",
        "-include .env\nCC ?= gcc\n.PHONY: all\nall: a b\n\t$(CC) x\nifeq ($(A),b)\nB := 1\nelse\nendif\n",
    ),
    ("Makefile", "define TEXT\nany line\nendef\nall:\n\ttrue\n"),
    (".env.example", '# keys\nexport A=1\nB="two words"\nC\n'),
    (".env", 'KEY="first\nsecond"\n'),
    ("alembic.ini", "[alembic]\nscript_location = a\n  continued\n; c\nflag\n"),
    ("go.mod", "module example.com/x\n\ngo 1.23\n\nrequire (\n\tgithub.com/a/b v1.2.3\n)\n"),
    ("ids.tsv", "1\tAnn\n2\tBob\n3\tCy\n4\tDi\n"),
    ("notes.md", "1. one\n2. two\n3. three\n"),
    ("main.py", "error = 5\n"),
    ("app.js", 'alert("try again later")\n'),
]
NO_FILES = [
    ("schema.sql", "Sure! Here it is:\n\nCREATE TABLE t (a INT);\n"),
    ("schema.sql", "CREATE TABLE t (a INT);\n\nThis completes the schema.\n"),
    ("schema.sql", "CREATE TABLE t (a INT);\n<|im_end|>"),
    ("schema.sql", "\\begin{verbatim}\nSELECT 1;\n\\end{verbatim}\n"),
    ("Dockerfile", "FROM a\n... (rest unchanged)\n"),
    ("Dockerfile", "FROM a\nRUN\n"),
    ("Makefile", "I will write it now.\nall:\n\ttrue\n"),
    (".env", "Here are the variables:\nA=1\n"),
    ("app.ini", "I cannot write [a]\nb = 1\n"),
    ("go.mod", "The module file is below\nmodule x\n"),
    ("README.md", "> # A\n> b\n> c\n"),
    ("README.md", "+# A\n+\n+b\n"),
    ("README.md", "# A\0\n"),
    ("index.html", "&lt;!DOCTYPE html&gt;\n"),
    ("run.sh", "1: #!/bin/sh\n2: set -eu\n3: echo hi\n"),
    ("schema.sql", "CREATE TABLE a (b INT);\\nCREATE TABLE c (d INT);\\nSELECT 1;\\n"),
    ("notes.txt", "I'm sorry, but I can't assist with that request."),
]


@pytest.mark.parametrize(("path", "text"), FILES)
def test_a_file_is_read_as_it_stands(path: str, text: str) -> None:
    reading = read_answer(text, path)
    assert (reading.text, reading.doubt) == (text, "")


@pytest.mark.parametrize(("path", "text"), NO_FILES)
def test_what_is_no_file_raises_doubt(path: str, text: str) -> None:
    assert read_answer(text, path).doubt


@pytest.mark.parametrize("path", ["schema.sql", "README.md"])
@pytest.mark.parametrize("unit", ["<|im_end|> ", "<|im_end|", "[EOS]", "\x04"])
def test_a_long_row_of_tokens_is_read_once(path: str, unit: str) -> None:
    """A pattern that tries each token in two ways would not end here."""
    assert isinstance(extraneous_text(path, f"hello; {unit * 2000}x"), str)


@pytest.mark.parametrize(
    "text",
    [
        "REM made by hand\nPROMPT ****** tables ......\nCREATE TABLE t (a NUMBER);\n/\n",
        "CREATE TABLE [dbo].[t](\n    [id] [int] NOT NULL,\n    [name]\n        [nvarchar](20)\n)\nGO\n",
        "SELECT 1 /* ✂ */ AS \"【x】\", '@@@ x @@@', $$ === $$; -- ### end ###\n",
        "CREATE FUNCTION f() RETURNS INT AS $$\nBEGIN\n  x := 1;\n  RETURN x;\nEND;\n$$ LANGUAGE plpgsql;\n",
        "SELECT a->>'b', c #>> '{d}', e @> f, tags[1] FROM t WHERE n ~~* 'x' AND g <-> h < 1;\n",
        "\\set n 1\n\\i other.sql\nSELECT :n;\n",
        "USE [app1]\nGO\nSELECT 1\nGO\n",
        "ALTER LANGUAGE plpgsql OWNER TO @extowner@;\n",
    ],
)
def test_odd_dialects_of_sql_are_files(text: str) -> None:
    assert read_answer(text, "schema.sql").doubt == ""
    assert list(residue_findings("schema.sql", text)) == []


@pytest.mark.parametrize(
    "line",
    ["[cut]", "** CUT **", "<part 2>", "```", "⟦x⟧", "{{done}}", "@x@", "$$$ x $$$", "<<<", "=== x ==="],
)
def test_marks_between_statements_and_within_one(line: str) -> None:
    for text in (f"SELECT 1;\n{line}\nSELECT 2;\n", f"CREATE TABLE t (\n  a INT,\n{line}\n  b INT\n);\n"):
        assert read_answer(text, "a.sql").doubt or list(residue_findings("a.sql", text)), text


@pytest.mark.parametrize("unit", ["'", "[a ", "{{a ", "-- x\n", "$$ ", "a;\n", "** a **\n", "\\x ", "/*"])
def test_sql_is_read_in_linear_time(unit: str) -> None:
    """Four times the text takes at most about four times the steps: a quadratic pattern would not end."""
    text = f"SELECT 1;\n{unit * (400_000 // len(unit))}"
    assert isinstance(read_answer(text, "a.sql").doubt, str)
    assert isinstance(list(residue_findings("a.sql", text)), list)


def test_a_large_file_of_sql_is_searched_by_the_checks_before_a_push() -> None:
    whole = "INSERT INTO t VALUES (1, 'a; b');\n" * 6000
    assert read_answer(whole, "a.sql").doubt == ""
    assert list(residue_findings("a.sql", whole)) == []
    for marked in (f"[cut]\n{whole}", f"{whole}@@@ END @@@\n"):
        assert read_answer(marked, "a.sql").doubt or list(residue_findings("a.sql", marked))

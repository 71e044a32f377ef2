"""SQL of several dialects becomes a blueprint."""

import pytest

from gencode.blueprints.importing import ImportFailed, SourceFormat
from gencode.blueprints.importing.reading import import_text
from gencode.blueprints.importing.sql.statements import statements
from tests.unit.blueprints.importing.imports import entities, fields, imported, relations, rules

POSTGRES = """
SET client_encoding = 'UTF8';
CREATE TYPE public.mood AS ENUM ('sad', 'ok');
CREATE DOMAIN year AS integer CHECK (VALUE >= 1901);
CREATE FUNCTION f() RETURNS text AS $_$ SELECT 'a;b'; $_$ LANGUAGE sql;
CREATE TABLE public.customer (
    customer_id integer DEFAULT nextval('s'::regclass) NOT NULL,
    email character varying(50) NOT NULL,
    mood mood DEFAULT 'ok'::mood NOT NULL,
    born year,
    limits numeric(8,2) DEFAULT 4.99 CHECK (limits >= 0),
    notes text[],
    seen timestamp without time zone DEFAULT now() NOT NULL,
    manager_id integer
);
COMMENT ON TABLE customer IS '客户';
COMMENT ON COLUMN public.customer.email IS 'Where we write';
ALTER TABLE ONLY customer ADD CONSTRAINT pk PRIMARY KEY (customer_id);
ALTER TABLE ONLY customer ADD CONSTRAINT fk
    FOREIGN KEY (manager_id) REFERENCES customer(customer_id) ON DELETE SET NULL;
CREATE UNIQUE INDEX i ON customer USING btree (email);
CREATE INDEX j ON customer USING btree (lower(email));
CREATE VIEW v AS SELECT 1;
COPY customer (customer_id) FROM stdin;
1\t';
\\.
ALTER TABLE public.customer OWNER TO postgres;
"""
MYSQL = """
/*!40101 SET NAMES utf8 */;
CREATE TABLE `order` (
  `id` INT UNSIGNED NOT NULL AUTO_INCREMENT,
  `kind` ENUM('a','b') DEFAULT 'a' COMMENT 'it''s \\'so',
  `paid` TINYINT(1) NOT NULL DEFAULT 0,
  `n` INT UNSIGNED, `big` BIGINT,
  `t` TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`), KEY `k` (`n`), UNIQUE KEY `u` (`n`,`big`)
) ENGINE=InnoDB COMMENT='Orders';
INSERT INTO `order` VALUES (1,'a;b');
CREATE TABLE tag (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(30) NOT NULL UNIQUE);
CREATE TABLE order_tag (order_id INT NOT NULL, tag_id INT NOT NULL, PRIMARY KEY (order_id, tag_id),
  FOREIGN KEY (order_id) REFERENCES `order` (id) ON DELETE CASCADE, FOREIGN KEY (tag_id) REFERENCES tag (id));
DELIMITER ;;
CREATE TRIGGER x BEFORE INSERT ON tag FOR EACH ROW BEGIN SET @a = 1; END;;
DELIMITER ;
"""


def test_a_dump_of_postgresql() -> None:
    made = imported("sql", POSTGRES)
    (customer,) = made.blueprint.data_models
    assert (customer.name, customer.label, customer.table) == ("Customer", "客户", "customer")
    assert fields(customer) == {
        "email": "string(50) required unique",
        "mood": "enum required default=ok sad|ok",
        "born": "integer",
        "limits": "decimal(8,2) default=4.99 >=0",
        "notes": "json",
        "seen": "datetime required default=now",
    }
    assert customer.fields[0].description == "Where we write"
    assert relations(customer) == {"manager": "ManyToOne customer setNull"}
    shown = {(note.rule.value, note.line) for note in made.notes}
    assert {("statement-not-kept", 5), ("primary-key", 7), ("check-not-kept", 4)} <= shown


def test_a_dump_of_mysql_with_a_join_table() -> None:
    made = imported("sql", MYSQL)
    found = {entity.id: entity for entity in made.blueprint.data_models}
    assert [*found] == ["order", "tag"]
    assert fields(found["order"]) == {
        "kind": "enum default=a a|b",
        "paid": "boolean required default=False",
        "n": "bigint index >=0",
        "big": "bigint",
        "t": "datetime default=now",
    }
    assert found["order"].fields[0].description == "it's 'so"
    assert [one.fields for one in found["order"].unique_constraints] == [["n", "big"]]
    assert relations(found["order"]) == {"tags": "ManyToMany tag <- orders"}
    assert {"statement-not-kept", "option-not-kept", "join-table"} <= rules(made)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "CREATE TABLE [dbo].[a] ([id] INT IDENTITY, [n] NVARCHAR(MAX), PRIMARY KEY CLUSTERED ([id]))",
            "text",
        ),
        ("CREATE TABLE a (id NUMBER(10) PRIMARY KEY, n VARCHAR2(20 CHAR))", "string(20)"),
        ("CREATE TABLE a (id NUMBER(10) PRIMARY KEY, n NUMBER(12))", "bigint"),
        ("CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, n)", "text"),
        ("CREATE TABLE a (id SERIAL PRIMARY KEY, n VARCHAR(9) CHECK (n IN ('x', 'y')))", "enum x|y"),
        ("CREATE TABLE a (id SERIAL PRIMARY KEY, n TEXT CHECK (char_length(n) >= 3))", "text minLength=3"),
        ("CREATE TABLE a (id SERIAL PRIMARY KEY, n INT CHECK (n BETWEEN 1 AND 5))", "integer >=1 <=5"),
        ("CREATE TABLE a (id SERIAL PRIMARY KEY, n INT CHECK (n > 1 AND n < 5))", "integer >=2 <=4"),
        ("CREATE TABLE a (id SERIAL PRIMARY KEY, n DATE DEFAULT CURRENT_DATE)", "date"),
        ("CREATE TABLE a (id SERIAL PRIMARY KEY, n INET)", "string(45)"),
    ],
)
def test_types_of_dialects(text: str, expected: str) -> None:
    assert fields(imported("sql", text).blueprint.data_models[0]) == {"n": expected}


def test_a_statement_that_cannot_be_read_does_not_hide_the_others() -> None:
    made = imported("sql", "CREATE TABLE a (id int PRIMARY KEY, b int);\n\nCREATE TABLE c (d int e int f);")
    (note,) = [one for one in made.notes if one.rule.value == "statement-unreadable"]
    assert note.line == 3
    assert list(entities(made)) == ["A"]


def test_partitions_are_not_tables_of_their_own() -> None:
    text = """CREATE TABLE p (id int PRIMARY KEY, n int);
    CREATE TABLE p1 (CHECK (n > 1)) INHERITS (p);
    CREATE TABLE p2 PARTITION OF p FOR VALUES IN (1);
    ALTER TABLE p1 ADD CONSTRAINT x FOREIGN KEY (n) REFERENCES p(id);"""
    assert list(entities(imported("sql", text, "postgres"))) == ["P"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("CREATE TABLE a (\n  b int c int d\n)", 2),
        ("CREATE TABLE a (b int);\nINSERT INTO a VALUES ('x", 2),
        ("/* never", 1),
        ("SELECT 1", 0),
        ("", 0),
        ("CREATE TABLE a (b int DEFAULT " + "(" * 3_000, 0),
        ("CREATE TABLE a (b int DEFAULT $x$", 1),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(text: str, line: int) -> None:
    with pytest.raises(ImportFailed) as caught:
        import_text(SourceFormat.SQL, text)
    assert caught.value.line == line or line == 0, str(caught.value)


def test_statements_end_where_they_end() -> None:
    text = "-- a;b\nA 'x;''y' \"q;\" ;\n# not mysql\nB $t$ ; $t$;\n\nC"
    assert [(one.text.split()[0], one.line) for one in statements(text, "postgres")] == [
        ("A", 2),
        ("#", 3),
        ("C", 6),
    ]
    text = "A 'x\\';' ; # c;d\nDELIMITER //\nB; C //\nDELIMITER ;\nD"
    assert [one.text.split()[0] for one in statements(text, "mysql")][:2] == ["A", "B;"]
    assert [one.text for one in statements("A\nGO\nB\ngo", "tsql")] == ["A\n", "B\n"]

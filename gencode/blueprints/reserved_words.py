"""Words that a name in a generated project must not be, by the place that it stands in.

Sources: the keyword lists of Python 3.11 and ECMAScript 2023 / TypeScript 5, PostgreSQL 15 (appendix C,
reserved), MySQL 8.0 (section 9.3, reserved) and MariaDB 10.11; the public attributes of pydantic's BaseModel
and of SQLAlchemy's declarative base; the names that generated modules import.
"""

from __future__ import annotations

import keyword
from types import MappingProxyType


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PYTHON = frozenset(
    word.lower() for word in (*keyword.kwlist, "self", "cls", "print", "match", "case", "type")
)

_JAVASCRIPT_KEYWORDS = _words(
    """await break case catch class const continue debugger default delete do else enum export extends
     false finally for function if implements import in instanceof interface let new null package
     private protected public return static super switch this throw true try typeof var void while
     with yield arguments eval"""
)

SQL_POSTGRESQL = _words(
    """all analyse analyze and any array as asc asymmetric authorization binary both case cast check
     collate collation column concurrently constraint create cross current_catalog current_date
     current_role current_schema current_time current_timestamp current_user default deferrable desc
     distinct do else end except false fetch for foreign freeze from full grant group having ilike
     in initially inner intersect into is isnull join lateral leading left like limit localtime
     localtimestamp natural not notnull null offset on only or order outer overlaps placing primary
     references returning right select session_user similar some symmetric table tablesample then to
     trailing true union unique user using variadic verbose when where window with"""
)

SQL_MYSQL = _words(
    """accessible add all alter analyze and as asc asensitive before between bigint binary blob both by
     call cascade case change char character check collate column condition constraint continue
     convert create cross cube cume_dist current_date current_time current_timestamp current_user
     cursor database databases day_hour day_microsecond day_minute day_second dec decimal declare
     default delayed delete dense_rank desc describe deterministic distinct distinctrow div double
     drop dual each else elseif empty enclosed escaped except exists exit explain false fetch
     first_value float float4 float8 for force foreign from fulltext function generated get grant
     group grouping groups having high_priority hour_microsecond hour_minute hour_second if ignore
     in index infile inner inout insensitive insert int int1 int2 int3 int4 int8 integer intersect
     interval into io_after_gtids io_before_gtids is iterate join json_table key keys kill lag
     last_value lateral lead leading leave left like limit linear lines load localtime
     localtimestamp lock long longblob longtext loop low_priority master_bind
     master_ssl_verify_server_cert match maxvalue mediumblob mediumint mediumtext middleint
     minute_microsecond minute_second mod modifies natural not no_write_to_binlog nth_value ntile
     null numeric of on optimize optimizer_costs option optionally or order out outer outfile over
     partition percent_rank precision primary procedure purge range rank read reads read_write real
     recursive references regexp release rename repeat replace require resignal restrict return
     revoke right rlike row rows row_number schema schemas second_microsecond select sensitive
     separator set show signal smallint spatial specific sql sqlexception sqlstate sqlwarning
     sql_big_result sql_calc_found_rows sql_small_result ssl starting stored straight_join system
     table terminated then tinyblob tinyint tinytext to trailing trigger true undo union unique
     unlock unsigned update usage use using utc_date utc_time utc_timestamp values varbinary varchar
     varcharacter varying virtual when where while window with write xor year_month zerofill offset
     returning"""
)

SQL = SQL_POSTGRESQL | SQL_MYSQL

PYDANTIC = _words(
    """construct copy dict fields from_orm json parse_file parse_obj parse_raw schema schema_json
     update_forward_refs validate"""
)
"""Attributes of BaseModel that a field would hide; names that begin with `model_` are pydantic's own."""

SQLALCHEMY = frozenset({"metadata", "registry", "query", "awaitable_attrs"})

GENERATED_NAMES = frozenset({"sa", "dt", "mapped_column", "relationship", "join_tables", "utc_now"})
"""Names that the module of a generated class uses within the class."""

DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
)
GENERATED_MODULES = frozenset({"records", "calls", "join_tables", "errors", "router", *DEVICES})
"""Modules that stand beside those of the entities, and names that Windows refuses for a file."""

BUILT_IN_NAMES = _words("bool bytes dict float int list str")
"""Names of types that annotations of a generated class use: as an attribute they would hide the type."""

ENGINE_FIELDS = frozenset({"id", "created_at", "updated_at"})
"""Columns that every generated table has."""

FIELD_WORDS = MappingProxyType(
    {
        "Python": frozenset(word.lower() for word in keyword.kwlist) | {"self", "cls"},
        "pydantic": PYDANTIC,
        "SQLAlchemy": SQLALCHEMY,
        "the generated code": GENERATED_NAMES,
        "JavaScript": _JAVASCRIPT_KEYWORDS,
    }
)
"""By language, what breaks where a field or relation (snake_case) has the name."""

CLASS_NAMES = MappingProxyType(
    {
        "Python": _words(
            """APIRouter Annotated Any ArithmeticError AssertionError Base BaseException BaseModel Binary Body
            Boolean Callable Column Database Date DateTime Decimal Depends Dict Ellipsis Engine
            Enum Exception False FastAPI Field Float ForeignKey Generic HTTPException Header Id
            Index Input Integer Item Iterator Json Key KeyError LargeNumber List Literal Mapped
            Mapping Moment None NotImplemented Numeric Optional Output Page Paging Path
            Protocol Query Real Record RecordPage Relationship Self Sequence Session Set String
            Table TestClient Text Time True Tuple Type TypeError UUID Union UniqueConstraint
            UtcDateTime Uuid ValueError Warning"""
        ),
        "JavaScript": _words(
            """Array ArrayBuffer Attr Audio BigInt Blob Boolean Buffer Cache Comment DataView Date Document
     DOMException Element Error Event EventTarget File FileList FileReader FormData Function Headers
     History HTMLElement Image Infinity Intl Iterator JSON Location Map Math NaN Navigator Node
     NodeList Notification Number Object Option Plugin Performance Promise Proxy Range Reflect
     RegExp Request Response Screen Selection Set Storage String Symbol Text URL WeakMap WeakSet
     WebSocket Window Worker"""
        ),
        "TypeScript": _words(
            """Awaited Exclude Extract InstanceType NonNullable Omit Parameters Partial Pick Readonly Record
     Required ReturnType Uppercase Lowercase"""
        ),
        "Vue": _words(
            """App Component Directive KeepAlive Ref Router RouterLink RouterView Route Slot Suspense Teleport
     Template Transition TransitionGroup VNode"""
        ),
    }
)
"""By language or framework, names of classes and types that a generated entity would hide."""

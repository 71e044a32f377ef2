"""Calls sqlglot: whatever it stumbles over is a SqlglotError."""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from gencode.blueprints.importing.sql.dialects import understood


def parsed(text: str, dialect: str) -> exp.Expr:
    """One statement. Raises SqlglotError."""
    try:
        found: exp.Expr = sqlglot.parse_one(understood(text, dialect), read=dialect)
    except SqlglotError:
        raise
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ParseError(f"it is not understood ({type(error).__name__})") from error
    return found


def parsed_or_none(text: str, dialect: str) -> exp.Expr | None:
    try:
        return parsed(text, dialect)
    except SqlglotError:
        return None

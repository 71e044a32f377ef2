"""Query and header parameters of an operation: one object reads, validates and describes each.

LIMIT = Parameter(name="limit", location="query", description="Tasks on a page",
                  type=Integer(minimum=1, maximum=100), default=20)
...
limit = LIMIT.read(request)  # an int
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

from starlette.requests import Request

from gencode.domain.errors import GencodeError, Invalid, Malformed
from gencode.domain.phrase import Phrase

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
JsonSchema = dict[str, Any]
"""JSON Schema, or another object of an OpenAPI document."""
DECLARED_INPUTS = "gencode.inputs"
"""The key in the ASGI scope of the parameters and the body that the request's operation declares."""


class InvalidText(ValueError):
    """The text of a parameter breaks a rule. `rule` is for programs, `message` for users."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message


class UndeclaredInput(RuntimeError):
    """A programming error: an endpoint reads an input that its operation does not declare, so the document
    would be wrong."""


class ParameterType(Protocol[T_co]):
    """The type of a parameter: parses and describes its text. Any package can define further types."""

    def schema(self) -> JsonSchema: ...

    def parse(self, text: str) -> T_co:
        """Parses the text. Raises InvalidText."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """Any text, or one that matches `pattern`. `check` replaces the pattern where the service accepts more
    than the document advertises."""

    pattern: str = ""
    check: Callable[[str], bool] | None = None
    rule: str = "format"
    message: str = "does not have the expected form"

    def schema(self) -> JsonSchema:
        return {"type": "string"} | ({"pattern": self.pattern} if self.pattern else {})

    def parse(self, text: str) -> str:
        if not self._is_valid(text):
            raise InvalidText(self.rule, self.message)
        return text

    def _is_valid(self, text: str) -> bool:
        if self.check:
            return self.check(text)
        if not self.pattern:
            return True
        return bool(re.search(self.pattern, text)) and not text.endswith("\n")  # Python's $ accepts one


def one_of(*values: str) -> Text:
    """One of these words."""
    pattern = f"^({'|'.join(map(re.escape, values))})$"
    return Text(pattern=pattern, rule="enum", message=f"is none of {', '.join(values)}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Integer:
    """A decimal number of at most nine digits, without a sign."""

    minimum: int = 0
    maximum: int

    def schema(self) -> JsonSchema:
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}

    def parse(self, text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) <= 9 and self.minimum <= int(text) <= self.maximum:
            return int(text)
        raise InvalidText(
            "range",
            Phrase("a number from {minimum} to {maximum}", minimum=self.minimum, maximum=self.maximum),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Choices:
    """Any number of these values, separated by commas."""

    values: Sequence[str]

    def schema(self) -> JsonSchema:
        return {"type": "array", "items": {"type": "string", "enum": [str(value) for value in self.values]}}

    def parse(self, text: str) -> list[str]:
        chosen = [value for value in text.split(",") if value]
        if unknown := [value for value in chosen if value not in self.values]:
            raise InvalidText(
                "enum",
                Phrase("{value!r} is none of {values}", value=unknown[0][:50], values=", ".join(self.values)),
            )
        return chosen


def invalid(name: str, error: InvalidText) -> GencodeError:
    """The error for status 422, with the parameter's name as the field."""
    problem = {"field": name, "rule": error.rule, "message": error.message}
    return Invalid(Phrase("{name}: {message}", name=name, message=error.message), [problem])


def malformed(_name: str, error: InvalidText) -> GencodeError:
    """The error for status 400."""
    return Malformed(error.message)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Parameter(Generic[T]):
    """A query or header parameter. Path parameters are not declared: they follow from the path.

    default        the value if the request does not have the parameter
    is_repeatable  it may occur several times; the texts are joined with commas
    aliases        other names that are understood in a query, and are not in the document
    on_invalid     makes the error of a broken rule
    """

    name: str
    location: Literal["query", "header"]
    description: str
    type: ParameterType[T]
    default: T
    is_repeatable: bool = False
    aliases: tuple[str, ...] = ()
    on_invalid: Callable[[str, InvalidText], GencodeError] = invalid

    def read(self, request: Request) -> T:
        """The parsed value. Raises the error that `on_invalid` creates."""
        require_declared(request, self)
        if (text := self._text(request)) is None:
            return self.default
        try:
            return self.type.parse(text)
        except InvalidText as error:
            raise self.on_invalid(self.name, error) from None

    def _text(self, request: Request) -> str | None:
        if self.location == "header":
            return request.headers.get(self.name)
        names = (self.name, *self.aliases)
        texts = [text for name in names for text in request.query_params.getlist(name)]
        return (",".join(texts) if self.is_repeatable else texts[-1]) if texts else None

    def to_openapi(self) -> JsonSchema:
        default = {} if self.default is None or self.default == "" else {"default": self.default}
        return {
            "name": self.name,
            "in": self.location,
            "description": self.description,
            "schema": self.type.schema() | default,
        }


def require_declared(request: Request, declared: object) -> None:
    """Checks that the operation of this request declares the parameter or body. Raises UndeclaredInput."""
    if declared not in request.scope[DECLARED_INPUTS]:
        raise UndeclaredInput(f"{declared} is read but not declared")

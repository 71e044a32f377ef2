"""Parameters, headers, errors and traits that several operations share."""

from __future__ import annotations

from gencode.domain.errors import (
    CrossSite,
    GencodeError,
    Invalid,
    Malformed,
    Misdirected,
    NotFound,
    Overloaded,
    RateLimited,
    ShuttingDown,
    StoreError,
    Unauthorized,
    WrongMethod,
)
from gencode.http.base_models import TASK_ID_SCHEMA
from gencode.http.operation import DeclaredError, ErrorResponse, Trait
from gencode.http.parameter_types import Parameter, Text
from gencode.http.response_specs import Header

_COUNT = {"type": "integer", "minimum": 0}

LOCATION = Header(name="Location", description="The task's address")
DISPOSITION = Header(name="Content-Disposition", description="A name for the file")

_RATE = (
    Header(name="RateLimit-Limit", description="Submissions in a window", schema=_COUNT),
    Header(name="RateLimit-Remaining", description="Left", schema=_COUNT),
    Header(name="RateLimit-Reset", description="Seconds until the window is over", schema=_COUNT),
)
RATE_LIMITED = Trait(
    headers=_RATE,
    errors=(ErrorResponse(error=RateLimited, description="More than RATE_LIMIT", headers=_RATE),),
)
"""The trait of operations that call `Services.rate.spend`."""

OWN_TASK = Trait(
    path_schemas={"task_id": TASK_ID_SCHEMA},
    errors=(ErrorResponse(error=NotFound, description="No such task, or another client's"),),
)
"""The trait of operations that call `gencode.http.dependencies.own_task`."""

IF_MATCH = Parameter(
    name="If-Match",
    location="header",
    description="Only if the plan is still of this revision (its ETag)",
    type=Text(),
    default=None,
)
IF_NONE_MATCH = Parameter(
    name="If-None-Match",
    location="header",
    description="ETags of what the client has",
    type=Text(),
    default="",
)

API_ERRORS: tuple[DeclaredError, ...] = (Unauthorized, RateLimited, StoreError, ShuttingDown, Overloaded)
"""The errors of every operation below /api/v1."""
EVERYWHERE: tuple[type[GencodeError], ...] = (
    GencodeError,
    Malformed,
    Invalid,
    CrossSite,
    Misdirected,
    NotFound,
    WrongMethod,
    StoreError,
)
"""Errors from the middlewares, from the router and of unhandled exceptions."""

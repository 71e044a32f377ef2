"""What a deployment config consists of, and which names and values are possible."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from gencode.domain.phrase import Phrase
from gencode.http.base_models import RequestModel

MAX_VARIABLES = 100
MAX_VALUE = 8000
"""Characters of a variable or a secret."""
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_COMPONENT = r"[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*"
_HOST = r"[A-Za-z0-9]([A-Za-z0-9.-]{0,200}[A-Za-z0-9])?(:[0-9]{1,5})?"
RESERVED = frozenset(
    {
        *("PATH", "HOME", "HOSTNAME", "SHELL", "USER", "PWD", "IFS", "ENV", "BASH_ENV", "TMPDIR"),
        *("LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "NODE_OPTIONS", "NODE_PATH"),
        *("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONWARNINGS"),
        "HTTP_PORT",
    }
)
"""Names that change how programs are found and loaded, and the one that `port` sets."""
_RESERVED_PREFIXES = ("COMPOSE_", "DOCKER_")
_SECRET_NAME = re.compile(r"(PASSWORD|PASSWD|SECRET|TOKEN|API_KEY|PRIVATE_KEY|DATABASE_URL)$")

EnvName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,48}[a-z0-9]$"),
    Field(description="Such as production; unique in the project"),
]
ImageReference = Annotated[
    str,
    StringConstraints(
        max_length=500,
        pattern=rf"^({_HOST}/)?{_COMPONENT}(/{_COMPONENT})*"
        r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$",
    ),
    Field(description="Such as registry.example.com/shop-backend:1.0.0; null: it is built from the project"),
]
Domain = Annotated[
    str,
    StringConstraints(max_length=253, pattern=rf"^{_LABEL}(\.{_LABEL})+$"),
    Field(description="Under which people reach it, in lower case, such as shop.example.com"),
]
Port = Annotated[int, Field(ge=1, le=65535, description="Of the machine itself, for a reverse proxy")]
Replicas = Annotated[int, Field(ge=1, le=100)]
Processors = Annotated[float, Field(ge=0.05, le=256, strict=False, description="At most, of each container")]
Memory = Annotated[int, Field(ge=32, le=4_194_304, description="MiB at most, of each container")]
Value = Annotated[str, StringConstraints(max_length=MAX_VALUE, pattern=r"^[^\x00\r\n]*$")]


def _checked_name(name: str) -> str:
    if name in RESERVED or name.startswith(_RESERVED_PREFIXES):
        raise ValueError(Phrase("{name} is reserved", name=name))
    return name


VariableName = Annotated[
    str, StringConstraints(pattern=r"^[A-Z_][A-Z0-9_]{0,99}$"), AfterValidator(_checked_name)
]


def _without_secrets(variables: dict[str, str]) -> dict[str, str]:
    secret = sorted(name for name in variables if _SECRET_NAME.search(name))
    if secret:
        raise ValueError(
            Phrase(
                "{names}: give what is secret in `secrets`, which are never shown",
                names=", ".join(secret[:10]),
            )
        )
    return variables


class EnvironmentConfig(RequestModel):
    """`variables`: of the back end; everybody who reads the project sees them."""

    model_config = ConfigDict(frozen=True)

    backend_image: ImageReference | None = None
    frontend_image: ImageReference | None = None
    domain: Domain | None = None
    port: Port = 8080
    replicas: Replicas = 1
    cpus: Processors | None = None
    memory_mb: Memory | None = None
    variables: Annotated[
        dict[VariableName, Value], Field(max_length=MAX_VARIABLES), AfterValidator(_without_secrets)
    ] = Field(default_factory=dict)


SecretValues = Annotated[
    dict[VariableName, Annotated[Value, StringConstraints(min_length=1)] | None],
    Field(
        max_length=MAX_VARIABLES,
        description="Stored encrypted and never shown. Those that are not given stay; null removes one",
    ),
]


def names_given_twice(variables: Mapping[str, str], secrets: list[str]) -> list[str]:
    return sorted(variables.keys() & set(secrets))

"""A deployment config as files that Compose reads beside the `compose.yaml` of a project."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from gencode.workspace.deployments.config import EnvironmentConfig

BACKEND, FRONTEND = "backend", "frontend"
"""Services of a project's `compose.yaml`."""
HTTP_PORT, DATABASE_PASSWORD = "HTTP_PORT", "DATABASE_PASSWORD"
"""What a project's `compose.yaml` reads from `.env`."""


def rendered_files(config: EnvironmentConfig, secrets: Sequence[str]) -> Mapping[str, str]:
    """By path. Values of secrets are never written: their lines of `.env` are for a person to fill in, and
    Compose refuses to start while one is empty."""
    return {
        ".env": _environment_file(config, missing_secrets(secrets)),
        "compose.override.yaml": _override(config, secrets),
    }


def missing_secrets(secrets: Sequence[str]) -> list[str]:
    """With the password of the database, which every project has."""
    return sorted({DATABASE_PASSWORD, *secrets})


def _override(config: EnvironmentConfig, secrets: Sequence[str]) -> str:
    backend: dict[str, Any] = {
        **({"image": config.backend_image} if config.backend_image else {}),
        "environment": {
            **{name: f"${{{name}}}" for name in sorted(_variables(config))},
            **{
                name: f"${{{name}:?is a secret, to be set in .env}}"
                for name in sorted(secrets)
                if name != DATABASE_PASSWORD
            },
        },
        "deploy": _resources(config, config.replicas),
    }
    services: dict[str, Any] = {BACKEND: backend}
    if config.frontend_image:  # a project may have no front end
        services[FRONTEND] = {"image": config.frontend_image, "deploy": _resources(config, 1)}
    return yaml.safe_dump({"services": services}, sort_keys=False, allow_unicode=True)


def _resources(config: EnvironmentConfig, replicas: int) -> dict[str, Any]:
    limits = {
        **({"cpus": f"{config.cpus:g}"} if config.cpus is not None else {}),
        **({"memory": f"{config.memory_mb}M"} if config.memory_mb is not None else {}),
    }
    return {"replicas": replicas, **({"resources": {"limits": limits}} if limits else {})}


def _variables(config: EnvironmentConfig) -> Mapping[str, str]:
    """With the domain, browsers may call the api from its pages, unless the variables say otherwise."""
    origins = {"CORS_ORIGINS": json.dumps([f"https://{config.domain}"])} if config.domain else {}
    return {**origins, **config.variables}


def _environment_file(config: EnvironmentConfig, secrets: Sequence[str]) -> str:
    plain = [f"{HTTP_PORT}={config.port}"]
    plain += [f"{name}={_quoted(value)}" for name, value in sorted(_variables(config).items())]
    hidden = [f"{name}=" for name in sorted(secrets)]
    return "\n".join([*plain, *(["# Secrets: not shown, to be filled in.", *hidden] if hidden else []), ""])


def _quoted(value: str) -> str:
    """In single quotes nothing is replaced; in double quotes a backslash keeps a character as it is."""
    if "'" not in value:
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'

"""Deployment configs: which are possible, and the files that are made of them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from gencode.workspace.deployments.config import EnvironmentConfig, EnvName, SecretValues
from gencode.workspace.deployments.rendering import rendered_files


@pytest.mark.parametrize(
    "config",
    [
        {"domain": "shop.example.com", "port": 443, "replicas": 3, "cpus": 0.5, "memory_mb": 512},
        {"backend_image": "registry.example.com:5000/team/shop-backend:1.0.0"},
        {"backend_image": f"shop@sha256:{'a' * 64}"},
        {"variables": {"LOG_LEVEL": "debug", "_X1": "", "KEYBOARD": "$HOME 'x' 客户"}},
    ],
)
def test_configs_that_are_possible(config: dict[str, Any]) -> None:
    EnvironmentConfig.model_validate(config)


@pytest.mark.parametrize(
    "config",
    [
        {"port": 0},
        {"port": 65536},
        {"replicas": 0},
        {"memory_mb": 1},
        {"domain": "localhost"},
        {"domain": "Shop.example.com"},
        {"domain": "-a.example.com"},
        {"domain": "a.b\n"},
        {"backend_image": "Shop:1"},
        {"backend_image": "shop:"},
        {"backend_image": "shop 1"},
        {"backend_image": "../shop"},
        {"variables": {"lower": "x"}},
        {"variables": {"A-B": "x"}},
        {"variables": {"PATH": "/tmp"}},
        {"variables": {"LD_PRELOAD": "x"}},
        {"variables": {"COMPOSE_FILE": "x"}},
        {"variables": {"A": "x\ny"}},
        {"variables": {"SMTP_PASSWORD": "x"}},
        {"variables": {"DATABASE_URL": "postgresql://a:b@c/d"}},
        {"variables": {"HTTP_PORT": "1"}},
        {"variables": {f"A{number}": "" for number in range(101)}},
        {"unknown": 1},
    ],
)
def test_configs_that_are_not(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EnvironmentConfig.model_validate(config)


def test_names_of_environments_and_secrets() -> None:
    names: TypeAdapter[str] = TypeAdapter(EnvName)
    secrets: TypeAdapter[dict[str, str | None]] = TypeAdapter(SecretValues)
    assert names.validate_python("eu-west-1") == "eu-west-1"
    assert secrets.validate_python({"DB_PASSWORD": "x", "OLD": None}) == {"DB_PASSWORD": "x", "OLD": None}
    for wrong in ("Prod", "a b", "-a", "a-", "../x", ""):
        with pytest.raises(ValidationError):
            names.validate_python(wrong)
    for broken in ({"PATH": "x"}, {"A": ""}, {"A": "x\n"}):
        with pytest.raises(ValidationError):
            secrets.validate_python(broken)


def test_the_files_have_the_variables_and_only_the_names_of_secrets() -> None:
    config = EnvironmentConfig.model_validate(
        {
            "backend_image": "shop:1",
            "domain": "shop.example.com",
            "replicas": 2,
            "cpus": 0.5,
            "memory_mb": 256,
            "variables": {"GREETING": 'it\'s "$5" \\', "YES": "no"},
        }
    )
    files = rendered_files(config, ["DB_PASSWORD"])
    services = yaml.safe_load(files["compose.override.yaml"])["services"]
    backend = services["backend"]
    assert backend["image"] == "shop:1"
    assert backend["deploy"] == {"replicas": 2, "resources": {"limits": {"cpus": "0.5", "memory": "256M"}}}
    assert backend["environment"] == {
        "CORS_ORIGINS": "${CORS_ORIGINS}",
        "DB_PASSWORD": "${DB_PASSWORD:?is a secret, to be set in .env}",
        "GREETING": "${GREETING}",
        "YES": "${YES}",
    }
    assert "frontend" not in services
    assert files[".env"].splitlines() == [
        "HTTP_PORT=8080",
        "CORS_ORIGINS='[\"https://shop.example.com\"]'",
        'GREETING="it\'s \\"\\$5\\" \\\\"',
        "YES='no'",
        "# Secrets: not shown, to be filled in.",
        "DATABASE_PASSWORD=",
        "DB_PASSWORD=",
    ]

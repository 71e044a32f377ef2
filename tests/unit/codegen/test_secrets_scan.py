"""The secrets are composed at run time, so that no scanner of this repository reports them."""

from __future__ import annotations

import base64
import json
import random
import string
from pathlib import Path

import pytest

from gencode.codegen.secrets_scan import COMMIT_MESSAGE, FILE_NAMES, MAX_FINDINGS, SecretFinding, scan
from gencode.embedded import offline

ALL = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


def made(length: int, alphabet: str = ALL, seed: int = 5) -> str:
    chooser = random.Random(seed)
    return "".join(chooser.choice(alphabet) for _ in range(length))


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


JWT = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part({'sub': '1', 'iat': 1})}.{made(43)}"


def key_file(kind: str) -> str:
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{made(64)}\n{made(64)}\n-----END {kind}PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("id = 'AKIA" + made(16, string.ascii_uppercase + "234567") + "'", "aws-access-key"),
        ("aws_secret_access_key = '" + made(40, ALL + "/+") + "'", "secret-assignment"),
        ("AWS_SECRET_ACCESS_KEY=" + made(40, ALL + "/+"), "secret-assignment"),
        ("token: ghp_" + made(36), "github-token"),
        ("x = 'github_pat_" + made(22) + "_" + made(59) + "'", "github-token"),
        ("glpat-" + made(20), "gitlab-token"),
        ("gck_" + made(48, HEX), "gencode-key"),
        ("KEY=sk-" + made(32, HEX), "model-api-key"),
        ("k='sk-proj-" + made(74) + "'", "model-api-key"),
        ("k='sk-ant-api03-" + made(93, ALL + "_-") + "AA'", "model-api-key"),
        ("gsk_" + made(52), "model-api-key"),
        ("const k = 'AIza" + made(35) + "';", "google-api-key"),
        ("xoxb-" + made(12, string.digits) + "-" + made(24), "slack-token"),
        ("https://hooks.slack.com/services/T" + made(8) + "/B" + made(8) + "/" + made(24), "slack-webhook"),
        ("sk_live_" + made(24), "stripe-key"),
        ("//registry.npmjs.org/:_authToken=npm_" + made(36), "npm-token"),
        ("pypi-AgEIcHlwaS5vcmc" + made(70), "pypi-token"),
        ("hf_" + made(34), "huggingface-token"),
        ("SG." + made(22) + "." + made(43), "sendgrid-key"),
        (made(9, "123456789") + ":AA" + made(33), "telegram-token"),
        (f"Authorization: Bearer {JWT}", "json-web-token"),
        (key_file("RSA "), "private-key"),
        (key_file(""), "private-key"),
        (key_file("ENCRYPTED "), "private-key"),
        (json.dumps({"pem": key_file("EC ")}), "private-key"),
        ("SECRET_KEY = '" + made(64, HEX) + "'", "secret-assignment"),
        ("SECRET_KEY: str = '" + made(50) + "'", "secret-assignment"),
        ("os.environ.get('JWT_SECRET', '" + made(43, ALL + "+/") + "=')", "secret-assignment"),
        ('{"clientSecret": "' + made(40) + '"}', "secret-assignment"),
        ("  api-key: " + made(32, string.ascii_lowercase + string.digits) + "\r", "secret-assignment"),
        ("İİ\napi_key='" + made(40) + "'", "secret-assignment"),
        ("postgres://app:" + made(24) + "@db.prod.acme.io/app", "password-in-url"),
    ],
)
def test_a_real_looking_secret_is_found(text: str, rule: str) -> None:
    findings = scan({"a/b.py": f"# one\n# two\n{text}\n# end\n"}, "message")
    line = 4 if "\n" in text and "PRIVATE" not in text else 3
    assert SecretFinding(path="a/b.py", line=line, rule=rule) in findings


@pytest.mark.parametrize(
    "text",
    [
        'SECRET_KEY = os.environ["SECRET_KEY"]',
        'app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY", "change-me-in-production")',
        'SECRET_KEY="change-me"',
        "SECRET_KEY = 'django-insecure-" + made(50) + "'",
        "OPENAI_API_KEY=sk-your-key-here",
        "GITHUB_TOKEN=ghp_" + "x" * 36,
        "GITHUB_TOKEN=ghp_" + "1234567890abcdefghijklmnopqrstuvwxyz",
        "DATABASE_URL=postgres://user:password@localhost:5432/app",
        "url = 'postgres://${DB_USER}:${DB_PASSWORD}@${DB_HOST}/app'",
        "postgresql://postgres:postgres@db:5432/app redis://:redispassword1@redis:6379/0",
        "JWT_SECRET=your-256-bit-secret-goes-here-please-change",
        "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7" + "EXAMPLE",
        "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY",
        'client.post("/login", data={"password": "correct horse battery staple"})',
        'password = "Passw0rd!123"; PASSWORD="hunter2hunter2"; password: "S3cur3P@ssw0rd!2024"',
        '"integrity": "sha512-' + made(86, ALL + "+/") + '=="',
        "github.com/gin-gonic/gin v1.9.1 h1:" + made(43, ALL + "+/") + "=",
        'PASSWORD_HASH = "$2b$12$' + made(53) + '"',
        'TOKEN_SHA256_DIGEST = "' + made(64, HEX) + '"',
        'commit = "' + made(40, HEX) + '"',
        'client_secret_id = "123e4567-e89b-12d3-a456-426614174000"',
        'const secretKey = getSecretKeyFromEnvironmentVariable("APPLICATION_SECRET_KEY")',
        "access_token = create_access_token(identity=user.id)",
        "secret = someVariableWithALongName2FA3Digits",
        'class="sk-fading-circle sk-circle-container-large-4"',
        "pip install sk-learn-contrib-project-template-1",
        'TOKEN_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"',
        "-----BEGIN PUBLIC KEY-----\n" + made(64) + "\n-----END PUBLIC KEY-----",
        'if "-----BEGIN RSA PRIVATE KEY-----" in text:',
        'KEY="-----BEGIN PRIVATE KEY-----\\nYOUR_PRIVATE_KEY\\n-----END PRIVATE KEY-----"',
        'src="data:image/png;base64,' + made(400, ALL + "+/") + '"',
        'TOKEN_URL = "/realms/Master2/protocol/openidConnect/Token4"',
        '"resetPasswordToken": "resetTokenFieldLabelWithOauth2Hint"',
        "token: ${{ secrets.GITHUB_TOKEN }}",
        "Authorization: Bearer <your-jwt-token>, eyJhbGciOi...",
        "secret = 'keyboard cat'; SECRET_KEY = 'dev'; api_key = '1234567890abcdef1234567890abcdef'",
        "STRIPE=sk_" + "test_" + made(24),
        "STRIPE=sk_live_" + "x" * 24,
        '<meta name="csrf-token" content="{{ csrf_token() }}">',
    ],
)
def test_placeholders_names_and_hashes_are_not_secrets(text: str) -> None:
    assert scan({"a.py": text}, "message") == []


def test_no_template_of_the_offline_model_has_findings() -> None:
    templates = Path(offline.__file__).parent / "templates"
    texts = {str(path): path.read_text(encoding="utf-8") for path in templates.rglob("*") if path.is_file()}
    assert len(texts) > 20
    assert scan(texts, "message") == []


def test_secrets_of_the_service_are_found_in_files_names_and_message() -> None:
    own = "hunter2-hunter2"
    found = scan({"a.txt": f"\nsee {own}", f"{own}.md": ""}, f"Says {own}", [own, "short"])
    assert found == [
        SecretFinding(path="a.txt", line=2, rule="service-secret"),
        SecretFinding(path=COMMIT_MESSAGE, line=1, rule="service-secret"),
        SecretFinding(path=FILE_NAMES, line=2, rule="service-secret"),
    ]


def test_a_finding_never_contains_the_secret_even_if_a_file_has_its_name() -> None:
    own = "hunter2-hunter2"
    found = scan({f"{own}/a.txt": own}, "", [own])
    assert found[0] == SecretFinding(path="[redacted]/a.txt", line=1, rule="service-secret")
    assert own not in str(found)


def test_a_short_secret_of_the_service_is_an_ordinary_word() -> None:
    assert scan({"a.txt": "changeme"}, "", ["changeme"]) == []


def test_secrets_of_the_service_come_first_and_the_findings_are_bounded() -> None:
    own = "hunter2-hunter2"
    found = scan({"a": "\n".join(["glpat-" + made(20)] * 500), "b": own}, "", [own])
    assert len(found) == MAX_FINDINGS
    assert found[0].rule == "service-secret"
    assert [finding.line for finding in found[1:4]] == [1, 2, 3]


@pytest.mark.parametrize("block", ["sk-" * 60 + "a" * 10_000 + " ", "eyJ-eyJ"])
def test_a_file_of_nothing_but_beginnings_takes_linear_time(block: str) -> None:
    assert scan({"a.txt": block * (2**20 // len(block))}, "") == []

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from gencode.domain.errors import StartError
from gencode.workspace.identity.tokens import SessionTokens
from tests.servers.workspace import SESSION_KEY

SESSION = "0b1f4c1e-8f43-4c53-b1a4-8a3d7a4f2f10"
TOKENS = SessionTokens(SESSION_KEY, access_minutes=30)
NOW = datetime.now(UTC)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(StartError, match="openssl rand -hex 32"):
        SessionTokens(b"s" * 31, 30)


def test_an_access_token_says_whose_it_is_until_it_expires() -> None:
    claims = TOKENS.read_access_token(TOKENS.access_token("u", SESSION, NOW))
    assert claims
    assert (claims.user_id, claims.session_id) == ("u", SESSION)
    assert TOKENS.read_access_token(TOKENS.access_token("u", SESSION, NOW - timedelta(minutes=31))) is None


def test_a_token_of_another_key_or_algorithm_is_not_genuine() -> None:
    genuine = TOKENS.access_token("u", SESSION, NOW)
    claims = jwt.decode(genuine, options={"verify_signature": False})
    unsigned = jwt.encode(claims, "", algorithm="none")
    foreign = SessionTokens(b"t" * 32, 30).access_token("u", SESSION, NOW)
    of_raw_key = jwt.encode(claims, SESSION_KEY, algorithm="HS256")
    assert TOKENS.read_access_token(genuine)
    for token in (
        unsigned,
        foreign,
        of_raw_key,
        genuine[:-2],
        "",
        "a.b.c",
        "ey" + "." * 2,
        genuine + "a",
        "é",
    ):
        assert TOKENS.read_access_token(token) is None


def test_every_claim_is_required() -> None:
    claims = jwt.decode(TOKENS.access_token("u", SESSION, NOW), options={"verify_signature": False})
    for name in ("exp", "iat", "iss", "sub", "sid"):
        partial = {key: value for key, value in claims.items() if key != name}
        assert TOKENS.read_access_token(jwt.encode(partial, TOKENS._access_key, algorithm="HS256")) is None


def test_a_refresh_token_can_be_computed_again_and_not_guessed() -> None:
    token = TOKENS.refresh_token(SESSION, 7)
    assert token == TOKENS.refresh_token(SESSION, 7)
    claims = TOKENS.read_refresh_token(token)
    assert claims
    assert (claims.session_id, claims.sequence) == (SESSION, 7)
    proof = token.rpartition(".")[2]
    for forged in (
        f"{SESSION}.8.{proof}",
        f"{SESSION}.7.{proof[:-1]}",
        f"{SESSION}.07.{proof}",
        "",
        "é",
        token + "\n",
    ):
        assert TOKENS.read_refresh_token(forged) is None
    assert TOKENS.read_access_token(token) is None
    assert TOKENS.read_refresh_token(TOKENS.access_token("u", SESSION, NOW)) is None

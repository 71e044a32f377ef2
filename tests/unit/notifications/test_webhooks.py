from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from gencode.domain.event import Event
from gencode.notifications.sender import Message
from gencode.notifications.webhooks import SigningSecrets, WebhookNotifier
from gencode.outbound.url_policy import Resolver, UrlPolicy, UrlRules
from tests.unit.notifications.texts import GenerateTexts
from tests.unit.storage.samples import a_task

MASTER = b"m" * 32
OLD, NEW = (f"whsec_{base64.b64encode(letter * 32).decode()}" for letter in (b"o", b"n"))
AT = "2026-11-22T07:13:44.227Z"


def message(
    own: list[str], kind: str = "status", following: Event | None = None, **data: object
) -> Message | None:
    notifier = WebhookNotifier(
        SigningSecrets(own, MASTER), UrlPolicy(UrlRules(), Resolver()), None, GenerateTexts()
    )  # type: ignore[arg-type]
    said = {"status": "pushing", "message": "推送", "at": AT, **data}
    task = a_task(id="t-1", principal="alice", parameters={"repo_name": "hello"})
    return notifier.message(task, Event(task_id="t-1", id=4, kind=kind, data=said), following)


def test_a_status_is_signed_as_an_independent_receiver_checks_it() -> None:
    made = message([NEW], repo_url="https://h/r")
    assert made
    body = Webhook(NEW).verify(made.body, dict(made.headers))
    data = {"task_id": "t-1", "event_id": 4, "status": "pushing", "message": "推送", "repo_name": "hello"}
    assert body == {"type": "task.pushing", "timestamp": AT, "data": {**data, "repo_url": "https://h/r"}}
    assert made.headers["webhook-id"] == "t-1-4"
    signed = f"t-1-4.{made.headers['webhook-timestamp']}.".encode() + made.body
    digest = base64.b64encode(hmac.new(b"n" * 32, signed, hashlib.sha256).digest()).decode()
    assert made.headers["webhook-signature"] == f"v1,{digest}"
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(made.body, dict(made.headers))


def test_while_secrets_are_exchanged_both_sign() -> None:
    made = message([NEW, OLD])
    assert made
    for secret in (NEW, OLD):
        Webhook(secret).verify(made.body, dict(made.headers))


def test_without_a_secret_of_the_operators_each_client_has_its_own() -> None:
    secrets = SigningSecrets([], MASTER)
    made = message([])
    assert made
    Webhook(secrets.of("alice")[0]).verify(made.body, dict(made.headers))
    assert secrets.disclosed_to("alice") == secrets.of("alice")[0] != secrets.of("bob")[0]
    assert SigningSecrets([NEW], MASTER).disclosed_to("alice") is None


def test_a_failure_comes_with_its_code_and_other_events_are_not_told() -> None:
    why = {"status": "failed", "code": "LLM_AUTH", "message": "m", "retryable": False, "stage": "generating"}
    made = message([NEW], following=Event(task_id="t-1", id=5, kind="error", data=why), status="failed")
    assert made
    error = Webhook(NEW).verify(made.body, dict(made.headers))["data"]["error"]
    assert error == {"code": "LLM_AUTH", "retryable": False, "stage": "generating"}
    assert message([NEW], kind="usage") is None


def test_a_plan_that_waits_for_approval_is_told() -> None:
    made = message([NEW], kind="approval", status="generating", approve_by=AT, awaiting_approval=True)
    assert made
    told = Webhook(NEW).verify(made.body, dict(made.headers))
    assert told["type"] == "task.awaiting_approval"
    assert (told["data"]["status"], told["data"]["approve_by"]) == ("generating", AT)


def test_a_message_shows_neither_its_secrets_nor_its_words() -> None:
    assert "t-1" not in repr(message([NEW]))

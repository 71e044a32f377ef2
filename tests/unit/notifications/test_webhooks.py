from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from gencode.bootstrap.notifications import repository_fields
from gencode.domain.event import Event
from gencode.notifications.notifier import TaskFields, no_fields
from gencode.notifications.sender import Message
from gencode.notifications.url_policy import Resolver, UrlPolicy, UrlRules
from gencode.notifications.webhooks import SigningSecrets, WebhookNotifier
from tests.unit.storage.samples import a_task

MASTER = b"m" * 32
OLD, NEW = (f"whsec_{base64.b64encode(letter * 32).decode()}" for letter in (b"o", b"n"))
AT = "2026-11-22T07:13:44.227Z"


def message(
    own: list[str],
    kind: str = "status",
    following: Event | None = None,
    fields: TaskFields = repository_fields,
    **data: object,
) -> Message | None:
    secrets, policy = SigningSecrets(own, MASTER), UrlPolicy(UrlRules(), Resolver())
    notifier = WebhookNotifier(secrets, policy, None, fields)  # type: ignore[arg-type]  # sends nothing
    content = {"status": "pushing", "message": "推送", "at": AT, **data}
    task = a_task(id="t-1", principal="alice", parameters={"repo_name": "hello"})
    return notifier.message(task, Event(task_id="t-1", id=4, kind=kind, data=content), following)


def test_a_status_is_signed_by_the_specification() -> None:
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


def test_every_configured_secret_signs() -> None:
    made = message([NEW, OLD])
    assert made
    for secret in (NEW, OLD):
        Webhook(secret).verify(made.body, dict(made.headers))


def test_without_configured_secrets_each_client_has_its_own() -> None:
    secrets = SigningSecrets([], MASTER)
    made = message([])
    assert made
    Webhook(secrets.of("alice")[0]).verify(made.body, dict(made.headers))
    assert secrets.disclosed_to("alice") == secrets.of("alice")[0] != secrets.of("bob")[0]
    assert SigningSecrets([NEW], MASTER).disclosed_to("alice") is None


def test_a_failure_has_its_code_and_other_events_are_not_sent() -> None:
    why = {"status": "failed", "code": "LLM_AUTH", "message": "m", "retryable": False, "stage": "generating"}
    made = message([NEW], following=Event(task_id="t-1", id=5, kind="error", data=why), status="failed")
    assert made
    error = Webhook(NEW).verify(made.body, dict(made.headers))["data"]["error"]
    assert error == {"code": "LLM_AUTH", "retryable": False, "stage": "generating"}
    assert message([NEW], kind="usage") is None


def test_a_pause_for_approval_is_sent() -> None:
    made = message([NEW], kind="approval", status="generating", approve_by=AT, awaiting_approval=True)
    assert made
    body = Webhook(NEW).verify(made.body, dict(made.headers))
    assert body["type"] == "task.awaiting_approval"
    assert (body["data"]["status"], body["data"]["approve_by"]) == ("generating", AT)


def test_the_repr_of_a_message_shows_nothing_of_it() -> None:
    assert "t-1" not in repr(message([NEW]))


def test_a_kind_without_repository_adds_its_own_fields() -> None:
    plain, own = message([NEW], fields=no_fields), message([NEW], fields=lambda task, _event: {"of": task.id})
    assert plain
    assert own
    data = {"task_id": "t-1", "event_id": 4, "status": "pushing", "message": "推送"}
    assert Webhook(NEW).verify(plain.body, dict(plain.headers))["data"] == data
    assert Webhook(NEW).verify(own.body, dict(own.headers))["data"] == data | {"of": "t-1"}

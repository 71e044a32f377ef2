"""Functions of the service itself that read text of a model, a host, a client or another server.

Parsers of generated files run in a limited child instead.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from gencode.cli.output import as_json, printable
from gencode.codegen.code_fences import split_lines
from gencode.codegen.plan_parser import json_object
from gencode.codegen.secret_rules import RULES
from gencode.codegen.secrets_scan import own_secret_findings
from gencode.domain.path_rules import check_path
from gencode.embedded.offline.chat_rules import chat_answer
from gencode.embedded.offline.openai_protocol import ChatMessage
from gencode.githosts.push_errors import push_error
from gencode.githosts.responses import error_text
from gencode.http.strict_json import parse_json
from gencode.llm.streaming.error_mapping import ErrorMapper, error_in
from gencode.notifications.chat_replies import escape_for_mattermost, escape_for_slack
from gencode.outbound.url_policy import parse as parse_url
from gencode.pipelines.chat.sources import quotes_of
from gencode.retrieval.citations import LONGEST, Quote, verify_quotes
from gencode.retrieval.records import Chunk
from gencode.retrieval.tokens import index_terms, query_terms
from gencode.security.redaction import quoted, redact, sanitize
from gencode.workspace.conversations.titles import title_of
from tests.growth import answers, diffs, streams

Function = Callable[[str], object]
"""It may raise errors of ours."""


def _error_page(text: str) -> None:
    for page in (text, json.dumps({"error": {"message": text, "code": text, "type": text}})):
        _ERRORS.from_error_object(error_in(page.encode("utf-8", "replace")))


def _verify(text: str) -> None:
    chunk = Chunk(document="a", ordinal=0, start=0, text=text)
    quotes = [Quote(text=quote) for quote in (text, text[:LONGEST], text[: LONGEST // 2] + "b")]
    verify_quotes(quotes, [chunk], {chunk.ref: chunk})


def _offline_chat(text: str) -> None:
    source = f'<source number="1" document="a">\n{text}\n</source>'
    for system in (text, source, source[:-1]):
        chat_answer([ChatMessage(role="system", content=system), ChatMessage(role="user", content=text)])


_ERRORS = ErrorMapper("model", ["own-secret-of-the-service"])

FUNCTIONS: Mapping[str, Function] = {
    **{f"secret {rule.name} {rule.hints[0]}": lambda text, r=rule: list(r.find(text)) for rule in RULES},
    "own secrets": lambda text: own_secret_findings({"a": text}, [text[:40], "a" * 30 + "b", "ab" * 20]),
    "redact": lambda text: redact(text, ["a" * 30 + "b", text[:20]]),
    "sanitize": lambda text: (sanitize(text), quoted(text)),
    "plan": lambda text: json_object(text, "files"),
    "lines": split_lines,
    "model error": _error_page,
    "push error": lambda text: push_error(text, ()),
    "host error": lambda text: error_text({"message": text, "errors": [text, {"a": [text]}]}),
    "path": check_path,
    "JSON body": lambda text: parse_json(text.encode("utf-8", "replace")),
    "callback url": lambda text: (parse_url(text[:4000]), parse_url(f"https://{text[:4000]}")),
    "chat text": lambda text: (escape_for_slack(text), escape_for_mattermost(text)),
    "terms": lambda text: (index_terms(text), query_terms(text)),
    "quotes": _verify,
    "quotes of an answer": quotes_of,
    "title": title_of,
    "offline chat": _offline_chat,
    "terminal": lambda text: (printable(text), as_json({"a": text})),
    **answers.FUNCTIONS,
    **diffs.FUNCTIONS,
    **streams.FUNCTIONS,
    **streams.STREAMED,
}
"""By a name of its own."""

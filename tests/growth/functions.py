"""Every function that reads text of a model, a host, a client or another server."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from gencode.chatops.routes import _parse_form
from gencode.cli.output import as_json, printable
from gencode.codegen.code_fences import split_lines, strip_fence
from gencode.codegen.continuation_merge import continuation, file_text, resume_point, without_overlap
from gencode.codegen.file_checkpoints import Piece
from gencode.codegen.plan_parser import json_object
from gencode.codegen.plan_stream_parser import PlanStreamParser
from gencode.codegen.secret_rules import RULES
from gencode.codegen.secrets_scan import own_secret_findings
from gencode.codegen.validation.expectations import Expectation
from gencode.codegen.validation.export_checks import exported_name
from gencode.codegen.validation.placeholder_rules import may_contain_placeholder, placeholder_lines
from gencode.codegen.validation.validator import check
from gencode.domain.tree import check_path
from gencode.githosts.origins import origin_of
from gencode.githosts.ownership_marker import has_marker
from gencode.githosts.push_errors import push_error
from gencode.githosts.responses import error_text
from gencode.http.validation import parse_json
from gencode.llm.openai.error_mapping import ErrorMapper, error_in
from gencode.llm.openai.event_parser import CompletionParser
from gencode.llm.port import ChatRequest
from gencode.notifications.chat_replies import escape_for_mattermost, escape_for_slack
from gencode.notifications.url_policy import parse as parse_url
from gencode.pipelines.generate.prompt_cache import _ratios
from gencode.resilience.retry_after import retry_after
from gencode.security.redaction import quoted, redact, sanitize

Function = Callable[[str], object]
"""What it raises for a text is of no interest here, as long as it is an error of ours."""

_IMPORTERS = {"app.py": "import x\nfrom a import b\n", "app.js": "import {y} from 'z'; import './q';\n"}
_IMPORTERS |= {"app.go": 'package a\nimport "example.com/b/c"\n', "types.ts": "import w from 'v/u';\n"}


def _plan_stream(text: str) -> None:
    parser = PlanStreamParser()
    for at in range(0, len(text), 4):
        parser.feed(text[at : at + 4])


def _plan_stream_entries(text: str) -> None:
    parser = PlanStreamParser()
    parser.feed('{"files": [')
    for at in range(0, len(text), 64):
        parser.feed(text[at : at + 64])


def _continuation(text: str) -> None:
    middle = len(text) // 2
    for written, answer in ((text, text), (text[:middle], text[middle:]), (text + "\nthe last line", text)):
        point = resume_point(written, len(written))
        for path in ("a.py", "a.md"):
            continuation(written, point, answer, path, whole=True)


def _pieces(text: str) -> None:
    pieces = [Piece(text=text[at : at + 2000], follows=at, whole=True) for at in range(0, len(text), 2000)]
    file_text(pieces, "a.py")


def _stream(line: str) -> None:
    parser = CompletionParser(ChatRequest(messages=(), max_tokens=1), _ERRORS)
    parser.feed([b"data: " + line.encode("utf-8", "replace")])
    for field in ("content", "reasoning_content", "refusal"):
        for at in range(0, len(line), 16):
            delta = {"choices": [{"delta": {field: line[at : at + 16]}}]}
            parser.feed([b"data: " + json.dumps(delta).encode()])


def _error_page(text: str) -> None:
    for page in (text, json.dumps({"error": {"message": text, "code": text, "type": text}})):
        _ERRORS.from_error_object(error_in(page.encode("utf-8", "replace")))


def _project(path: str) -> Function:
    """A file beside others that import, so that the rules across files read it."""
    return lambda text: check({**_IMPORTERS, path: text}, {path: Expectation(exports=(text[:300],) * 300)})


_ERRORS = ErrorMapper("model", ["own-secret-of-the-service"])

FUNCTIONS: Mapping[str, Function] = {
    "check toml": _project("pyproject.toml"),
    "check go.mod": _project("go.mod"),
    "check setup.cfg": _project("setup.cfg"),
    "check requirements": _project("requirements.txt"),
    **{f"secret {rule.name}": lambda text, r=rule: list(r.find(text)) for rule in RULES},
    "placeholders": lambda text: (may_contain_placeholder(text), list(placeholder_lines(text))),
    "exported name": exported_name,
    "own secrets": lambda text: own_secret_findings({"a": text}, [text[:40], "a" * 30 + "b", "ab" * 20]),
    "redact": lambda text: redact(text, ["a" * 30 + "b", text[:20]]),
    "sanitize": lambda text: (sanitize(text), quoted(text)),
    "plan": lambda text: json_object(text, "files"),
    "plan stream": _plan_stream,
    "plan stream entries": _plan_stream_entries,
    "fences": lambda text: (strip_fence(text, "a.py"), strip_fence(text, "a.md")),
    "fenced": lambda text: (strip_fence(f"```\n{text}\n```", "a.py"), strip_fence(f"```md\n{text}", "a.md")),
    "lines": split_lines,
    "continuation": _continuation,
    "pieces": _pieces,
    "overlap": lambda text: without_overlap(text, text),
    "model stream": _stream,
    "model error": _error_page,
    "push error": lambda text: push_error(text, ()),
    "host error": lambda text: error_text({"message": text, "errors": [text, {"a": [text]}]}),
    "marker": has_marker,
    "origin": lambda text: (origin_of(text), origin_of(f"https://{text}"), origin_of(f"https://a/{text}")),
    "retry-after": lambda text: (retry_after(text, 0.0), retry_after(f"Mon, {text}", 0.0)),
    "path": check_path,
    "JSON body": lambda text: parse_json(text.encode("utf-8", "replace")),
    "form": lambda text: _parse_form(text.encode("utf-8", "replace")),
    "callback url": lambda text: (parse_url(text[:4000]), parse_url(f"https://{text[:4000]}")),
    "chat text": lambda text: (escape_for_slack(text), escape_for_mattermost(text)),
    "terminal": lambda text: (printable(text), as_json({"a": text})),
    "similar prompts": lambda text: _ratios(text[:30_000], [text[1:30_000], text[:30_000]], 0.9),
}

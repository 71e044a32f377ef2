from __future__ import annotations

import re

import pytest

from gencode.githosts.errors import (
    GitError,
    GitNotFound,
    GitRejected,
    GitUnavailable,
    NonFastForward,
    PushSecret,
    PushTooLarge,
    PushWorkflowScope,
)
from gencode.githosts.push_errors import MAX_TEXT, push_error

RULES = "GH013: Repository rule violations found for refs/heads/main."
WORKFLOW = "to create or update workflow `x`"
REASONS = {
    f"error: {RULES}\n\n- Push cannot contain secrets": PushSecret,
    f"remote: error: {RULES}\nremote:\nremote: - GITHUB PUSH PROTECTION": PushSecret,
    "push declined due to a detected secret": PushSecret,
    "push declined due to secret scanning": PushSecret,
    "GitLab: PUSH BLOCKED: Secrets detected in code changes": PushSecret,
    f"refusing to allow an OAuth App {WORKFLOW} without `workflow` scope": PushWorkflowScope,
    f"refusing to allow a Personal Access Token {WORKFLOW}": PushWorkflowScope,
    f"error: {RULES}\n- This branch must not contain merge commits.\n"
    f"- refusing to allow a GitHub App {WORKFLOW} without `workflows` permission": PushWorkflowScope,
    "error: GH009: Secrets detected! This push failed.": PushSecret,
    "refusing to allow an integration to create or update .github/workflows/x.yml": PushWorkflowScope,
    "error: GH001: Large files detected.": PushTooLarge,
    "GitLab: You are attempting to check in one or more blobs which exceed the 100MiB limit:": PushTooLarge,
    f"cannot lock ref 'refs/heads/main': is at {'a' * 40} but expected {'0' * 40}": NonFastForward,
    "unpack index-pack: fatal: mismatched algorithms: client sha1; server sha256": GitRejected,
    "Permission denied to update branch main.": GitRejected,
    "error: File a b.zip is 818.04 MB; this exceeds GitHub's file size limit of 100.00 MB": PushTooLarge,
    'GitLab: File "a.bin" is larger than the allowed size of 100 MiB. Use Git LFS': PushTooLarge,
    "GitLab: Your push has been rejected because it would exceed storage limits": PushTooLarge,
    "remote: error: File: a71c2f 102.51 MB, exceeds 100.00 MB.": PushTooLarge,
    "This repository(including wiki) size 1143.71 MB, exceeds 1024.00 MB.": PushTooLarge,
    "Push rejected for repository size exceeds limit.": PushTooLarge,
    "pre-receive: error: Changes blocked by files exceeding the file size limit": PushTooLarge,
    "fatal: pack exceeds maximum allowed size (2.00 GiB)": PushTooLarge,
    "error: GH007: Your push would publish a private email address.": GitRejected,
    "GitLab: Commit author's email 'a@b' does not follow the pattern '@acme.com$'": GitRejected,
    "error: GH006: Protected branch update failed for refs/heads/main.": GitRejected,
    "Gitea: Not allowed to push to protected branch main": GitRejected,
    f"error: {RULES}\n- Changes must be made through a pull request.": GitRejected,
    f"error: {RULES}\n- Cannot create ref due to creations being restricted.": GitRejected,
    "repository is in read only mode (over 2 GB size limit).": GitRejected,
    "non-fast-forward": NonFastForward,
    "cannot lock ref 'refs/heads/main': reference already exists": NonFastForward,
    "Internal Server Error": GitUnavailable,
    "ERROR: Repository not found.": GitNotFound,
    "": GitRejected,
}
ADVICE = {
    "private email": "GIT_AUTHOR",
    "author's email": "GIT_AUTHOR",
    "GH006": "a role that may",
    "protected branch": "a role that may",
    "pull request": "bypass the rule",
    "creations being": "bypass the rule",
    "read only mode": "read-only",
    "Permission denied": "a role that may",
    "mismatched": "SHA-1 repositories",
}


@pytest.mark.fault(126, 136, 137)
@pytest.mark.parametrize("text", REASONS)
def test_the_reasons_of_each_host_are_recognised(text: str) -> None:
    found = push_error(text, ())
    assert type(found) is REASONS[text]
    assert all(line.split()[-1] in found.message for line in text.splitlines() if line.split())
    for words, advice in ADVICE.items():
        assert advice in found.message or words not in text


@pytest.mark.fault(125)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r", "\x1b[0m\n"])
@pytest.mark.parametrize("prefix", ["", "remote: ", "remote: \x1b[1;31m", "  - ", "ERROR: "])
def test_prefixes_colours_and_line_ends_hide_no_reason(prefix: str, ending: str) -> None:
    text = ending.join(prefix + line for line in ["=====", "Push cannot contain secrets", "see the log", ""])
    found = push_error(text, ())
    assert type(found) is PushSecret
    assert "[0m" not in found.message


NAMES = [
    "secret-santa",
    "secrets",
    "push-contains-secrets",
    "secret-scanning",
    "workflow-scope",
    "refusing-to-allow-workflow",
    "large-files",
    "large-files-detected",
    "gh001",
    "GH001",
    "gh006",
    "too-large",
    "protected-branch",
    "non-fast-forward",
    "fetch-first",
    "not-found",
    "rate-limit",
    "archived",
    "internal-server-error",
]
AROUND = [
    "error: {rules}\nReview all repository rules at https://github.com/{name}/{name}/rules?ref=main\n"
    "- Changes must be made through a pull request.",
    "error: {rules}\n- Changes must be made through a pull request.\nTo https://git.example.org/acme/{name}.git",
    "GitLab: You are not allowed to push code to protected branches on project {name}.",
    "GitLab: You are not allowed to push code to protected branches on 'acme/{name}'.",
    "error: {rules}\n- Commit author email must match the pattern of {name}\n  - {name}.txt\n  - a/{name}.py",
    "error: {rules}\n- File path is restricted\n  - {name}.txt\n  - {name}/{name}.py",
    'GitLab: Branch name of "{name}" does not follow the pattern. File "{name} detected.md" of {name}.',
    "hook of {name}: file `{name}` in {name} is not wanted",
    "warning: GH001: Large files detected. You may want to try {name}",
    "warning: File {name} is 55.52 MB; larger than GitHub's recommended maximum file size of 50.00 MB",
    "To https://git.example.org/acme/{name}.git\nRemote: see https://x.org/{name}?a={name}\nno",
]


@pytest.mark.fault(125)
@pytest.mark.parametrize("text", AROUND)
@pytest.mark.parametrize("name", NAMES)
def test_names_paths_and_addresses_are_no_reason(name: str, text: str) -> None:
    """Whatever a repository, an organisation or a file is called, the same reason is found."""
    found = push_error(text.format(name=name, rules=RULES), ())
    assert type(found) is GitRejected
    assert (
        found.message.partition(': "')[0]
        == push_error(text.format(name="hello", rules=RULES), ()).message.partition(': "')[0]
    )


@pytest.mark.parametrize("name", ["contains secrets.md", "too large.txt", "large files detected"])
def test_a_file_name_with_spaces_is_no_reason(name: str) -> None:
    assert type(push_error(f"GitLab: File {name} matches a prohibited pattern", ())) is GitRejected


def test_the_reason_of_a_long_text_is_quoted_first() -> None:
    banner = "\n".join(f"Rule {n} of the company says many things." for n in range(100))
    found = push_error(f"{banner}\nGH001: Large files detected.\n", ())
    assert isinstance(found, PushTooLarge)
    assert '"GH001: Large files detected.' in found.message


@pytest.mark.parametrize(
    "part",
    [
        "GH013 ",
        "refusing to allow ",
        "File ",
        "exceeds ",
        "'",
        '"a',
        "`",
        "x://",
        "repository size ",
        "remote:",
    ],
)
def test_the_patterns_read_a_bounded_part_of_a_text(part: str) -> None:
    """The lines that are searched have a length and a sum that do not depend on the text."""
    for end in ("", "\n"):
        repeated = (part + end) * (2 * MAX_TEXT // len(part + end))
        found = push_error(repeated, ())
        assert isinstance(found, GitError)
        assert type(found) is type(push_error(repeated[:MAX_TEXT], ()))
        assert not re.search(r"[\n\r]", found.message)

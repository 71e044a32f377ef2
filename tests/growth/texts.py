"""Hostile texts: repetitions of what patterns look for, whole and cut off."""

from __future__ import annotations

from collections.abc import Iterator

BASE = 2**16
"""Characters: a pass that takes time by the square of it takes minutes, a linear one some milliseconds."""
LARGE_FACTOR = 16
"""For those that took longer than a linear pass in C does: to a million characters."""

_TOKENS = (
    *(" ", "\t", "\n", "\r\n", " \n", "a", "A", "é", "项", "0", "9.", "\x1b[", "\ud800", "\u200b", "İ"),
    *('"', "'", "`", "~", '"\\', "\\", "\\n", '"a"', "'a' ", '"a",'),
    *(".", "...", "... ", ",", ":", ";", "=", "==", "-", "--", "_", "#", "# ", "@", "&", "%", "|", "*", "**"),
    *(
        "(",
        "()",
        "[",
        "[]",
        "[[",
        "{",
        "{}",
        "{{",
        "}",
        "]",
        ")",
        "<",
        ">",
        "<a",
        "<a ",
        "</",
        "<!--",
        "<>",
        "<?",
    ),
    *("/", "//", "/*", "*/", "/a", "../", "a/", "://", "a://", "a:b@", "http://", "?a=", "&key=", "#!"),
    *(
        "a ",
        "a.",
        "a,",
        "a=",
        "a:",
        "a: ",
        "a-",
        "a_",
        "a\n",
        "a\n\n",
        "a b c\n",
        "- ",
        "- a\n",
        "* ",
        "a=1\n",
    ),
    *(
        "a(",
        "a()",
        "f(a",
        "a[",
        "a<",
        "if ",
        "else ",
        "for ",
        "def ",
        "def f",
        "class ",
        "import ",
        "import a\n",
    ),
    *(
        "function ",
        "return ",
        "export ",
        "require(",
        "from ",
        "var a",
        "let a=",
        "const ",
        "package ",
        "func ",
    ),
    *(
        "```",
        "```\n",
        "~~~",
        "~~~\n",
        "```a",
        "# a\n",
        "---\n",
        "data: ",
        "data:{}\n",
        "event: ",
        ": \n",
        "id: ",
    ),
    *("eyJ", "-eyJ", ".eyJ", "eyJa.", "eyJ.eyJ.", "sk-", "-sk-", "sk-a", "sk-1", "sk_live_", "ghp_", "gck_"),
    *("AKIA", "AIza", "xoxb-", "glpat-", "npm_", "hf_", "SG.", ":AA", "0:AA", "pypi-AgEI", "github_pat_"),
    *("hooks.slack.com/services/T", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "PRIVATE KEY", "BEGIN "),
    *(
        "key",
        "key=",
        "key:",
        "key = '",
        "api_key",
        "secret",
        "token ",
        "token=",
        "bearer ",
        "basic a",
        "passw",
    ),
    *(
        "TODO ",
        "TODO: ",
        "rest of the ",
        "existing code",
        "implement ",
        "your code ",
        "其余",
        "此处代码",
        "省略的",
    ),
    *("Here is ", "Sure ", "Continuing ", "Here rest ", "好的", "继续", "GH001", "remote: ", "[gencode:"),
    *(
        "<script ",
        "<script>",
        "<script importmap",
        "</script",
        "<html",
        "@media ",
        "exports",
        "exports.",
        "pip ",
    ),
    *("pip install ", "require ", "module ", "egg=", "#egg=a", "a[b", "a==1\n", "a;", "a@", "1e", "0x", "-1"),
    *(
        '"files":[',
        '"files": ',
        '{"a":',
        '{"a":1,',
        '{"path":"a"},',
        '"summary":"',
        "null,",
        "true",
        "NaN",
        "Infinity",
    ),
    *(
        "[a]\n",
        "[a.",
        "a.a=1\n",
        "a = [",
        "a: &b\n",
        "*b",
        "&b ",
        "!b ",
        "a: |\n",
        "? ",
        "<<: *a\n",
        "%a\n",
        "<!DOCTYPE ",
    ),
    *(
        "<a>",
        "<a b='",
        "&a;",
        "<![CDATA[",
        "<!ENTITY ",
        "$",
        "${",
        "#{",
        "`${",
        "=>",
        "a=>",
        "->",
        "::",
        "+",
        "!",
    ),
)
_MARKS = (
    *(
        "<|im_end|>",
        "<|im_end|> ",
        "<|im_end|>user\n",
        "<|a",
        "<|",
        "|>",
        "</s>",
        "[INST]",
        "[/INST] ",
        "[EOS]",
    ),
    *(
        "<think>",
        "</think>",
        "<think>\n",
        "[thinking]\n",
        "Thinking...\n",
        "user",
        "assistant\n",
        "Human: ",
        "\ufffd",
    ),
    *(
        "### Response:\n",
        "### ",
        "BEGIN FILE\n",
        "--- a.sql ---\n",
        "=== ",
        "(end)",
        "EOF\n",
        "// ... ",
        "# ……",
    ),
    *('data: {"error": ', '{"error": {"message', "[error]", "assistantfinal", "<details>", "<summary>a"),
)
"""What models and gateways put before, into and behind a file."""


def hostile_texts(factor: int = 1) -> Iterator[tuple[str, str]]:
    """A name and a text of about BASE * factor characters."""
    size = BASE * factor
    for token in _TOKENS:
        many = token * (size // len(token))
        yield repr(token), f"{many}\n) ] }} ' \" ` > x"
    for mark in _MARKS:
        many = mark * (size // len(mark))
        yield f"{mark!r} at the start", f"{many}\nSELECT 1;\n"
        yield f"{mark!r} at the end", f"SELECT 1;\n{many}"
        yield f"{mark!r} cut off", f"SELECT 1;\n{many}<|a"
    yield "different tokens in lines", "".join(f"<|t{n}|>\n" for n in range(size // 10))
    yield "different tokens in a row", "".join(f"<|t{n}|>" for n in range(size // 10))
    yield "lines that grow", "".join("a" * (n % 600) + "\n" for n in range(size // 300))
    yield "one line after another", "".join(f"line {n} of the file\n" for n in range(size // 20))
    yield (
        "token-like",
        '("eyJ"+"-eyJ"*490+".eyJ"+"-eyJ"*1990)'.replace('"', "") + ("eyJ" + "-eyJ" * 490) * (size // 1963),
    )
    jwt = "eyJ" + "-eyJ" * 490 + ".eyJ" + "-eyJ" * 1990
    yield "many beginnings of a web token", jwt * (size // len(jwt) + 1)
    yield "many ends of a web token", ("eyJ" + "a" * 500 + ".") * (size // 504)

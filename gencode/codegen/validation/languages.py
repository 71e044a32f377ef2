"""Properties of a file by its name: its language, its comment marks, whether it is a test; and template
syntax."""

from __future__ import annotations

import re

_BY_SUFFIX = {
    **dict.fromkeys((".py", ".pyi", ".pyw"), "python"),
    **dict.fromkeys((".js", ".mjs", ".cjs", ".jsx"), "javascript"),
    **dict.fromkeys((".ts", ".mts", ".cts"), "typescript"),
    **dict.fromkeys((".cc", ".cpp", ".cxx", ".hpp", ".hh", ".hxx"), "cpp"),
    **dict.fromkeys((".c", ".h"), "c"),
    **dict.fromkeys((".html", ".htm"), "html"),
    **dict.fromkeys((".sh", ".bash"), "bash"),
    **dict.fromkeys((".rb", ".rake", ".gemspec"), "ruby"),
    **dict.fromkeys((".json", ".webmanifest", ".geojson", ".ipynb"), "json"),
    **dict.fromkeys((".yaml", ".yml"), "yaml"),
    **dict.fromkeys((".xml", ".svg", ".xsd", ".csproj", ".fsproj", ".vbproj", ".props", ".resx"), "xml"),
    **dict.fromkeys((".md", ".mdx", ".markdown", ".rst", ".txt", ".adoc", ".org", ".log", ".csv"), "prose"),
    ".tsx": "tsx",
    ".go": "go",
    ".rs": "rust",
    ".java": "java",
    ".cs": "csharp",
    ".php": "php",
    ".css": "css",
    ".vue": "vue",
    ".svelte": "svelte",
    ".jsonc": "jsonc",
    ".toml": "toml",
    ".kt": "kotlin",
    ".kts": "kotlin",
    ".swift": "swift",
    ".dart": "dart",
    ".scala": "scala",
    ".scss": "scss",
    ".less": "scss",
    ".sql": "sql",
    ".lua": "lua",
    ".proto": "proto",
    ".graphql": "graphql",
    ".tf": "hcl",
    ".ini": "ini",
    ".cfg": "ini",
    ".conf": "ini",
}
_BY_NAME = {
    "dockerfile": "make",
    "makefile": "make",
    "gemfile": "ruby",
    "rakefile": "ruby",
    "pipfile": "toml",
    "pipfile.lock": "json",
    ".babelrc": "jsonc",
    "license": "prose",
    "readme": "prose",
}
_JSONC_NAME = re.compile(
    r"(?:ts|js)config(?:[.-][\w.-]+)?\.json|\.(?:eslintrc|swcrc|jshintrc|jscsrc|babelrc)\.json"
    r"|devcontainer\.json|deno\.json|turbo\.json|nx\.json|angular\.json|api-extractor\.json|language-configuration\.json"
)
_JSONC_DIRECTORY = re.compile(r"(?:^|[/.])(?:vscode|codesandbox|devcontainer|zed)$")
"""Files whose tools accept JSON with comments and trailing commas, although they are called `.json`."""
_COMMENT_MARKS = {
    **dict.fromkeys(("kotlin", "swift", "dart", "scala", "scss", "proto"), ("//", "/*", "*")),
    **dict.fromkeys(("yaml", "toml", "make", "hcl", "graphql"), ("#",)),
    "ini": ("#", ";"),
    **dict.fromkeys(("vue", "svelte"), ("//", "/*", "<!--")),
    "html": ("<!--", "{#"),
    "sql": ("--",),
    "lua": ("--",),
}
_WITH_HASH = re.compile(
    r"\.env(?:\.[\w.-]+)?|\.\w+ignore|(?:requirements|constraints)[\w.-]*\.txt|procfile|codeowners"
)
_TEMPLATE_SYNTAX = re.compile(
    r"\{\{|\{%|<%|<\?(?!xml)|\{#\s|@\w+ ?\(|@(?:else|empty|end\w*)\b|\$\{|#\{|th:\w"
)


def language_of(path: str) -> str:
    """ "" for an unknown kind of file; "prose" for documents, which are not checked."""
    directory, _, name = path.lower().rpartition("/")
    if "{" in path:  # cookiecutter and similar: the path itself is a template
        return ""
    if _JSONC_NAME.fullmatch(name) or (name.endswith(".json") and _JSONC_DIRECTORY.search(directory)):
        return "jsonc"
    stem, dot, suffix = name.rpartition(".")
    return _BY_NAME.get(name) or _BY_SUFFIX.get(dot + suffix, "") or _BY_NAME.get(stem, "")


def comment_marks(path: str) -> tuple[str, ...]:
    """The comment marks of a file whose kind has no language here."""
    return ("#",) if _WITH_HASH.fullmatch(path.lower().rpartition("/")[2]) else ()


def line_comment_marks(language: str) -> tuple[str, ...]:
    """The marks that begin comment lines in a language without a grammar."""
    return _COMMENT_MARKS.get(language, ())


def has_template_syntax(text: str) -> bool:
    """Whether a template engine has to render the text before it is in its language."""
    return _TEMPLATE_SYNTAX.search(text) is not None


def is_test_file(path: str) -> bool:
    parts = path.lower().split("/")
    directories, name = parts[:-1], parts[-1]
    if not {"test", "tests", "__tests__", "spec", "specs", "testing", "e2e", "__mocks__"}.isdisjoint(
        directories
    ):
        return True
    return (
        name == "conftest.py"
        or re.search(r"(?:^test_|^tests?\.|[._-](?:test|spec)\.|_test\.)", name) is not None
    )

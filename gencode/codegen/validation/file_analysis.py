"""The result of the analysis of one file: its symbols, its imports, its stub bodies and its own findings.

Rules across files need nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

from gencode.codegen.validation.findings import Finding, Rule, syntax_error

MAX_SIGNATURE = 300  # characters: a class with a dozen methods fits, and a prompt of 100 files stays small


@dataclass(frozen=True, kw_only=True, slots=True)
class Symbol:
    """`signature` is one line of the file's own language, without a body."""

    name: str
    line: int
    signature: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Import:
    """One import as it is written.

    module       as the language spells it: `a.b`, `./store.js`, `github.com/x/y`
    names        imported by name ("default" for a default import); empty for the module as a whole
    level        leading dots of a relative Python import
    is_optional  the program runs without it (try/except, TYPE_CHECKING)
    """

    module: str
    line: int
    names: tuple[str, ...] = ()
    level: int = 0
    is_optional: bool = False

    def finding(self, path: str, rule: Rule, message: str, instruction: str = "") -> Finding:
        """A finding at this import of the file `path`."""
        return Finding(path=path, line=self.line, rule=rule, message=message, instruction=instruction)


@dataclass(frozen=True, kw_only=True, slots=True)
class Symbols:
    """language             "" for a kind of file whose symbols cannot be read
    exports              definitions that other files may use, in the order of the file
    bases                classes that classes of this file extend: their empty methods are intended
    package              Go's package clause
    reexports            names that others may import from here though they are defined elsewhere
    has_unknown_exports  others may find more names here (star imports, computed exports, unreadable files)
    """

    language: str = ""
    exports: tuple[Symbol, ...] = ()
    imports: tuple[Import, ...] = ()
    bases: frozenset[str] = frozenset()
    package: str = ""
    reexports: frozenset[str] = frozenset()
    has_unknown_exports: bool = True

    @property
    def names(self) -> frozenset[str]:
        return self.reexports.union(symbol.name for symbol in self.exports)


@dataclass(frozen=True, kw_only=True, slots=True)
class StubBody:
    """A function body that stands for missing code, unless another file extends the class it is in.

    class_name  "" outside of classes
    """

    class_name: str
    finding: Finding


@dataclass(frozen=True, kw_only=True, slots=True)
class FileAnalysis:
    """The default makes no statement about the file: no findings, unknown exports."""

    symbols: Symbols = Symbols()
    findings: tuple[Finding, ...] = ()
    stubs: tuple[StubBody, ...] = ()


def unparsable(path: str, line: int, reason: str) -> FileAnalysis:
    """The analysis of a file that does not parse: its exports are unknown."""
    return FileAnalysis(findings=(syntax_error(path, line, reason),))


def signature(text: str) -> str:
    """The head of a declaration on one line of at most MAX_SIGNATURE characters."""
    line = " ".join(text[: 4 * MAX_SIGNATURE].split())
    return line if len(line) <= MAX_SIGNATURE else line[: MAX_SIGNATURE - 3] + "..."

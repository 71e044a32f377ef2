"""What a file offers to others and what it takes from them."""

from __future__ import annotations

from dataclasses import dataclass

SIGNATURE = 300  # characters: a class with a dozen methods still fits, and a prompt of 100 files stays small


@dataclass(frozen=True, kw_only=True, slots=True)
class Symbol:
    """`signature` is one line of the file's own language, without a body."""

    name: str
    line: int
    signature: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Import:
    """One import as it is written.

    module    as the language spells it: `a.b`, `./store.js`, `github.com/x/y`
    names     taken from it by name ("default" for a default import); empty for the module as a whole
    level     leading dots of a relative Python import
    optional  written so that its absence is survived (try/except, TYPE_CHECKING)
    """

    module: str
    line: int
    names: tuple[str, ...] = ()
    level: int = 0
    optional: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Symbols:
    """language  "" when this kind of file has no symbols that we can read
    exports   what other files may use, in the order of the file
    bases     classes that are extended here: their empty methods are meant
    package   Go's package clause
    also      names that others may import from here though they are defined elsewhere
    open      others may find more names here than the listed ones (star imports, computed exports)
    """

    language: str = ""
    exports: tuple[Symbol, ...] = ()
    imports: tuple[Import, ...] = ()
    bases: frozenset[str] = frozenset()
    package: str = ""
    also: frozenset[str] = frozenset()
    open: bool = True

    @property
    def names(self) -> frozenset[str]:
        return self.also.union(symbol.name for symbol in self.exports)


UNKNOWN = Symbols()
"""Of a file that nothing can be said of."""


def signature(text: str) -> str:
    """A declaration's head on one line, of bounded length."""
    line = " ".join(text[: 4 * SIGNATURE].split())
    return line if len(line) <= SIGNATURE else line[: SIGNATURE - 3] + "..."

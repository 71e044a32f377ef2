"""Checks of generated code: pure functions from a project's files to what is wrong with them.

    files, plan --check--> findings          path, text --symbols--> what the file offers and takes

One file is read once (`reader`): does it parse, does it say that something was left out, what does it define.
Rules across files (`python_imports`, `javascript_imports`, `go_imports`, `promises`) look at symbols only.

A finding costs its user a model call or the whole task, so every rule gives way in doubt: what cannot be read
is taken to be in order, and what somebody else may provide is taken to be there.
"""

from gencode.codegen.validation.file_reader import signatures, symbols
from gencode.codegen.validation.finding import Finding, Rule
from gencode.codegen.validation.symbols import Import, Symbol, Symbols
from gencode.codegen.validation.validator import check

__all__ = ["Finding", "Import", "Rule", "Symbol", "Symbols", "check", "signatures", "symbols"]

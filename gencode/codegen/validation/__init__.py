"""Validation of generated code: pure functions from the files of a project to findings.

`check` validates a whole project against its plan; `symbols` and `signatures` describe one file. Each file is
analysed once, on its own (`analyzer`): syntax, placeholders, stub bodies, definitions, imports. The rules
across files (`python_imports`, `javascript_imports`, `go_imports`, `export_checks`) use these analyses only.

A finding costs a model call or the whole task, so every rule avoids false positives: a file that cannot be
analysed counts as valid, and what something outside of the project may provide counts as present.
"""

from gencode.codegen.validation.analyzer import signatures, symbols
from gencode.codegen.validation.file_analysis import Import, Symbol, Symbols
from gencode.codegen.validation.findings import Finding, Rule
from gencode.codegen.validation.validator import check

__all__ = ["Finding", "Import", "Rule", "Symbol", "Symbols", "check", "signatures", "symbols"]

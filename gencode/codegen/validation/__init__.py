"""Validation of generated code: pure functions from the files of a project to findings.

`validator.check` validates a whole project against its plan; `analyzer.symbols` and `analyzer.signatures`
describe one file. Each file is analysed once, on its own (`analyzer`): syntax, placeholders, stub bodies,
definitions, imports. The rules across files (`python_imports`, `javascript_imports`,
`go_imports`, `planned_exports`) use these analyses only.

A finding costs a model call or the whole task, so every rule avoids false positives: a kind of file that no
parser is known for counts as valid, and what something outside of the project may provide counts as present.
A file at which a parser fails does not (`gencode.codegen.project_checker`, which runs all this in a process).
"""

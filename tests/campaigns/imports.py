"""Imports every file of a folder, and renders what was made of it.

    make import-campaign CORPUS=DIR      # or: python -m tests.campaigns.imports DIR ...

For each file it prints what happened: `imported` (with the number of notes), `refused` (with the line and the
column), or a fault: an exception, a blueprint with errors, a project that does not parse. The exit status
is 1 if there is a fault.
"""

from __future__ import annotations

import argparse
import ast
import sys
import traceback
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from gencode.blueprints import is_valid, validate
from gencode.blueprints.importing import Imported, ImportFailed, SourceFormat
from gencode.blueprints.importing.reading import import_text
from gencode.blueprints.rendering import Database, Stack, render_project
from tests.campaigns.sources import source_files


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--quiet", action="store_true", help="only faults and counts")
    args = parser.parse_args(arguments)
    counts: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    for file, source in (one for folder in args.folders for one in source_files(folder)):
        outcome, told = _outcome(file, source, rules)
        counts[f"{source.value} {outcome}"] += 1
        if outcome == "fault" or not args.quiet:
            print(f"{outcome:<9} {file}: {told}", flush=True)
    for name, count in [*sorted(counts.items()), *rules.most_common()]:
        print(f"{count:>6} {name}")
    return int(any(name.endswith("fault") for name in counts) or not counts)


def _outcome(file: Path, source: SourceFormat, rules: Counter[str]) -> tuple[str, str]:
    """imported, refused or fault, and what is said of it."""
    try:
        imported = import_text(source, file.read_text("utf-8", "replace"))
        fault = _fault(imported)
    except ImportFailed as failure:
        return "refused", str(failure)
    except Exception:
        return "fault", traceback.format_exc(limit=-3)
    rules.update(note.rule.value for note in imported.notes)
    models = len(imported.blueprint.data_models)
    return ("fault", fault) if fault else ("imported", f"{models} data models, {len(imported.notes)} notes")


def _fault(imported: Imported) -> str:
    """What is wrong; nothing where the blueprint is valid and both of its projects parse."""
    findings = validate(imported.blueprint)
    if not is_valid(findings):
        return f"{findings[0].element}: {findings[0].message()}"
    if any(not note.message("en") or not note.message("zh") for note in imported.notes):
        return "a note has no message"
    for database in Database:
        for path, text in render_project(imported.blueprint, Stack(database=database)).files.items():
            if path.endswith(".py"):
                ast.parse(text, path)
    return ""


if __name__ == "__main__":
    sys.exit(main())

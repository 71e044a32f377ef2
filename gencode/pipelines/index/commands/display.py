"""How `gencode watch` shows the events of the kind."""

from __future__ import annotations

from gencode.cli.display.kind_display import INDENT, KindDisplay
from gencode.cli.output import counted

DISPLAY = KindDisplay(
    lines={
        "document_read": lambda d: f"{INDENT}{d['name']}: {d['characters']} characters",
        "repository_read": lambda d: f"{INDENT}{d['files']} files of {d['commit'][:8]}",
        "files_indexed": lambda d: (
            f"{INDENT}{d['files']} of {d['of']} files, {counted(d['chunks'], 'chunk')}"
        ),
        "document_indexed": lambda d: f"{INDENT}{d['name']}: {counted(d['chunks'], 'chunk')}",
        "chunks_encoded": lambda d: f"{INDENT}vectors of {d['encoded']} of {d['total']} chunks",
    }
)

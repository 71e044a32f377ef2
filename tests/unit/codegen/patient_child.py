"""The program of the child that checks files, whose parsers have all the time that they want: text that
exhausts the memory ends it, however slow the machine is."""

from __future__ import annotations

from gencode.codegen import child_main
from gencode.codegen.validation import treesitter


def main() -> None:
    treesitter.MAX_CPU_SECONDS = 1_000.0
    child_main.main()

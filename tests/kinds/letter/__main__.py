"""The service with the kind `letter` beside the built-in ones: python -m tests.kinds.letter"""

from __future__ import annotations

from gencode.bootstrap.app import BUILTIN_KINDS
from gencode.bootstrap.serve import serve
from gencode.settings import load
from tests.kinds.letter.kind import LETTER

if __name__ == "__main__":
    serve(load(), (*BUILTIN_KINDS, LETTER))

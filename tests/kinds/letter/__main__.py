"""The service with the kind `letter` beside the built-in ones: python -m tests.kinds.letter [ROLE]"""

from __future__ import annotations

import sys

from gencode.bootstrap.app import BUILTIN_KINDS
from gencode.bootstrap.process_roles import Role
from gencode.bootstrap.serve import serve
from gencode.settings import load
from tests.kinds.letter.kind import LETTER

if __name__ == "__main__":
    serve(load(), (*BUILTIN_KINDS, LETTER), Role(next(iter(sys.argv[1:]), Role.ALL)))

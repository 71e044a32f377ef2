"""The names of generate's stages, which are its public statuses, in order. The module of each stage has its
name."""

GENERATING = "generating"
"""The model plans the project and writes its files."""
MERGING = "merging_files"
"""Pieces of cut files are joined, and the whole tree is validated."""
CREATING_REPO = "creating_repo"
"""The repository is created at the Git host, or one of an earlier attempt is adopted."""
PUSHING = "pushing"
"""The commit is pushed."""

"""Code diffs: what one branch or commit of a repository has over another, or an uploaded patch.

For kinds of task:

    diffs = CodeDiffs(dependencies.extension(Workspace), dependencies.store)
    row = await diffs.get(row_id, principal.id)       # NotFound; row.source_commit, row.base_commit, ...
    diff = await diffs.diff(row_id, principal.id)     # gencode.diffs.Diff; NotFound, DiffNotReady
"""

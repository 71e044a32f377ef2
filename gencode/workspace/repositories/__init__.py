"""Git repositories of users: their rows, their bare clones on this machine, and reading them.

For kinds of task and endpoints, `RepositoryClones` (an extension, see KindDependencies.extension) is the way
in. What it gives is of the last sync that finished, and read only:

    clones = dependencies.extension(RepositoryClones)
    async with clones.open(row_id, principal.id) as clone:      # NotFound, CloneMissing
        head = await clone.call(clone.resolve, "main")          # a branch, a tag, or a commit's id or its
        base = await clone.call(clone.resolve, "1a2b3c4")       # beginning; RefUnknown
        diff = await clone.call(diff_commits, clone.repository, base, head)    # gencode.diffs
        content = await clone.call(clone.blob, head, "src/app.py")             # bytes; PathUnknown

`clone.call` runs what blocks in a thread; a clone serves one call at a time. `clone.repository` is dulwich's:
never write to it, and never follow a symbolic link that it holds.

`CloneMissing` is no fault of the user where several processes run: the clone belongs to the worker that has
made it. A stage that needs it calls `RepositorySync.ensure` first, which fetches what is missing:

    sync = RepositorySync.of(dependencies)
    await sync.ensure(row_id, task.principal.id, TaskVersion.of(task), FetchProgress(), refs=("main",))
"""

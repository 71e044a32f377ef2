"""Fetching repositories: over smart HTTP into a bare clone, within bounds, checked before it is used.

client = FetchClient(agent)
fetched = await client.fetch(remote, clone, progress)   # raises GitError
with clone.open() as repository: ...                    # dulwich's, of the last fetch that finished
"""
